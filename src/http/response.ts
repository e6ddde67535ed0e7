/** Makes responses: JSON, text, HTML, and the headers that every response carries. */
import type { HttpHeaders, HttpResponse } from './message.ts'

export const JSON_TYPE = 'application/json; charset=utf-8'

/** `value` as a JSON document. */
export function jsonResponse(
  status: number,
  value: unknown,
  headers: HttpHeaders = {},
): HttpResponse {
  return {
    status,
    headers: { 'content-type': JSON_TYPE, ...headers },
    body: JSON.stringify(value),
  }
}

export function textResponse(status: number, text: string): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: text }
}

/** Of a page of ours: it may load nothing, run nothing and be framed by nobody. */
export const PAGE_HEADERS: HttpHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
}

export function htmlResponse(status: number, html: string): HttpResponse {
  return { status, headers: PAGE_HEADERS, body: html }
}

/** What is addressed by its hash never changes; it is still nobody else's business. */
export const IMMUTABLE = 'private, max-age=31536000, immutable'

/**
 * The response as it leaves: with the headers that every response carries, its length where that is known,
 * and no body where there must be none.
 * @throws Error where a header value holds CR, LF, NUL or a character above U+00FF: a mistake of ours
 */
export function finishResponse(response: HttpResponse, method: string): HttpResponse {
  const headers: Record<string, string | readonly string[]> = {
    'cache-control': 'private, no-cache',
    'x-content-type-options': 'nosniff',
    ...response.headers,
    vary: varyOf(response.headers['vary']),
  }
  const length = lengthOf(response)
  if (length !== undefined) headers['content-length'] = String(length)
  for (const name in headers) checkHeader(name, headers[name] ?? '')
  const { status, reason, body } = response
  const hasBody = body !== undefined && method !== 'HEAD' && status !== 204 && status !== 304
  if (reason === undefined) return hasBody ? { status, headers, body } : { status, headers }
  const head = { status, headers, reason: reasonPhrase(reason) }
  return hasBody ? { ...head, body } : head
}

const LONGEST_REASON = 200

/** A phrase that fits a status line (RFC 9112 §4) and whatever server passes it on. */
function reasonPhrase(text: string): string {
  return text.replace(/[^ -~]+/g, ' ').slice(0, LONGEST_REASON)
}

function varyOf(vary: string | readonly string[] | undefined): string {
  if (vary === undefined) return 'Authorization'
  if (typeof vary === 'string') return `Authorization, ${vary}`
  return ['Authorization', ...vary].join(', ')
}

function lengthOf({ status, body }: HttpResponse): number | undefined {
  if (status === 204 || status === 304) return undefined
  if (typeof body === 'string') return Buffer.byteLength(body)
  return body instanceof Uint8Array ? body.length : undefined
}

const headerName = /^[a-z0-9-]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly the control characters are refused
const headerValue = /^[^\u0000-\u0008\u000a-\u001f\u007f\u0100-\uffff]*$/

function checkHeader(name: string, value: string | readonly string[]): void {
  if (!isName(name)) throw unfit(name)
  const isFit =
    typeof value === 'string' ? headerValue.test(value) : value.every((v) => headerValue.test(v))
  if (!isFit) throw unfit(name)
}

/** Names that were found fit; the program writes all of them, so there are few. */
const fitNames = new Set<string>()

function isName(name: string): boolean {
  if (fitNames.has(name)) return true
  if (!headerName.test(name)) return false
  fitNames.add(name)
  return true
}

function unfit(name: string): Error {
  return new Error(`Response header ${name} holds what a header must not hold`)
}
