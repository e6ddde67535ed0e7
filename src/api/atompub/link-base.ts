/** What the links of this API begin with: they are absolute, so they name the server as the client sees it. */
import type { RequestContext } from '../../http/handler.ts'
import type { HttpRequest } from '../../http/message.ts'

/**
 * Scheme, authority and path before `/streams`, without a slash at the end. The setting alone where it is set;
 * else the host that the client names, put right by what a proxy in front adds (`X-Forwarded-Proto`, `-Port`,
 * `-Host`, `-Prefix`). Values that are no part of a URL are passed over.
 */
export function linkBase(request: HttpRequest, { baseUrl }: RequestContext): string {
  if (/^https?:\/\//i.test(baseUrl)) return baseUrl
  const [, ownScheme = 'http', ownHost = 'localhost', ownPort] =
    /^(https?):\/\/(.*?)(?::(\d+))?$/i.exec(request.origin) ?? []
  const forwarded = (name: string, pattern: RegExp): string | undefined => {
    const value = request.headers[`x-forwarded-${name}`]?.split(',')[0]?.trim() ?? ''
    return pattern.test(value) ? value : undefined
  }
  const [, host, hostPort] = /^(.*?)(?::(\d+))?$/.exec(forwarded('host', authority) ?? '') ?? []
  const scheme = forwarded('proto', /^https?$/i)?.toLowerCase() ?? ownScheme
  const port = forwarded('port', /^\d{1,5}$/) ?? (host ? hostPort : ownPort)
  const prefix = (forwarded('prefix', path) ?? '').replace(/^\/*|\/+$/g, '')
  const isUsual = port === undefined || port === (scheme === 'https' ? '443' : '80')
  const origin = `${scheme}://${host || ownHost}${isUsual ? '' : `:${port}`}`
  return `${origin}${prefix === '' ? '' : `/${prefix}`}${baseUrl}`
}

const authority = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/
const path = /^[A-Za-z0-9/._~!$&'()*+,;=:@%-]+$/
