/** Addresses of streams with a slash too many lead to those without. */
import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { isForwarded, publicBase } from './base-url.ts'

const slashed = /^\/streams\/[^/]+(?:\/metadata)?\/$/

export function withoutSlash(request: HttpRequest, baseUrl: string): HttpResponse | undefined {
  if (!slashed.test(request.path)) return undefined
  const scope = isForwarded(request, baseUrl) ? 'private' : 'public'
  const query = request.query === '' ? '' : `?${request.query}`
  return {
    status: 307,
    reason: 'Temporary Redirect',
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': `max-age=31536000, ${scope}`,
      location: `${publicBase(request, baseUrl)}${request.path.slice(0, -1)}${query}`,
    },
    body: 'Moved Permanently',
  }
}
