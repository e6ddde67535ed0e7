/** Calls the app without a socket, as the corpus sends requests. */

import type { App, HttpBody, HttpRequest } from '../../src/http/message.ts'
import { statusText } from '../../src/kit/status-text.ts'
import type { Send } from '../gateway/corpus.ts'

export function sendTo(app: App): Send {
  return async ({ method, path, query = '', headers = {}, body }) => {
    const bytes = body === undefined ? undefined : Buffer.from(body)
    const response = await app(httpRequest({ method, path, query, headers, ...bodyOf(bytes) }))
    const lines = Object.entries(response.headers).map(([name, value]) => [
      name,
      [value].flat().join(', '),
    ])
    return {
      status: response.status,
      reason: response.reason ?? statusText(response.status),
      headers: Object.fromEntries(lines),
      body: await wholeBody(response.body),
    }
  }
}

/** A request with all that a test does not say. */
export function httpRequest(request: Partial<HttpRequest>): HttpRequest {
  return {
    method: 'GET',
    path: '/',
    query: '',
    headers: {},
    body: pieces([]),
    contentLength: undefined,
    remoteAddress: '192.0.2.1',
    remoteUser: undefined,
    origin: 'http://localhost:8000',
    mount: '',
    ...request,
  }
}

function bodyOf(bytes: Buffer | undefined): Partial<HttpRequest> {
  return bytes === undefined ? {} : { contentLength: bytes.length, body: pieces([bytes]) }
}

export async function* pieces(all: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all
}

export async function wholeBody(body: HttpBody | undefined): Promise<Buffer> {
  if (body === undefined) return Buffer.alloc(0)
  if (typeof body === 'string' || body instanceof Uint8Array) return Buffer.from(body)
  const all: Uint8Array[] = []
  for await (const piece of body) all.push(Buffer.from(piece))
  return Buffer.concat(all)
}
