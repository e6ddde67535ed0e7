/**
 * From an error to a response: the only place that knows which HTTP status an error code has.
 *
 * What a person can do about each code stands in `docs/errors.md`, one heading a code.
 */
import type { AppError, ErrorCode, ErrorFacts } from '../domain/app-error.ts'
import type { HttpResponse } from './message.ts'
import { jsonResponse } from './response.ts'

const STATUS: Readonly<Record<ErrorCode, number>> = {
  'bad-request': 400,
  'bad-json': 400,
  'bad-field': 400,
  'bad-query': 400,
  'bad-header': 400,
  'bad-name': 400,
  'body-incomplete': 400,
  'body-too-large': 413,
  'uri-too-long': 414,
  'header-too-large': 431,
  'media-type-unsupported': 415,
  'not-acceptable': 406,
  'range-not-satisfiable': 416,
  'route-not-found': 404,
  'method-not-allowed': 405,
  'request-timeout': 408,
  'credentials-missing': 401,
  'credentials-wrong': 401,
  'access-denied': 403,
  'cross-site-refused': 403,
  'too-many-attempts': 429,
  'setup-required': 503,
  'setup-token-wrong': 403,
  'account-exists': 409,
  'account-not-found': 404,
  'last-admin': 409,
  'event-not-found': 404,
  'stream-not-found': 404,
  'stream-deleted': 410,
  'stream-locked': 423,
  'event-id-conflict': 409,
  'head-mismatch': 412,
  'wrong-expected-version': 409,
  'record-conflict': 409,
  'content-not-found': 404,
  'content-damaged': 500,
  'log-damaged': 500,
  'import-refused': 400,
  'scavenge-running': 409,
  'group-exists': 409,
  'group-not-found': 404,
  'index-behind': 503,
  'index-damaged': 500,
  'lock-timeout': 503,
  'outcome-unknown': 503,
  'storage-full': 507,
  'storage-read-only': 503,
  'storage-unavailable': 503,
  'data-folder-unsafe': 503,
  'format-unknown': 503,
  'bad-setting': 500,
  'cannot-listen': 500,
  'output-failed': 500,
  usage: 500,
  internal: 500,
}

/** Every code there is, for whoever has to cover all of them. */
export const ERROR_CODES = Object.keys(STATUS) as readonly ErrorCode[]

export function statusOf(code: ErrorCode): number {
  return STATUS[code]
}

/**
 * The response for a refusal or failure: `{"status":"error","errorMessage":…,"code":…}` and its facts;
 * `reference` where a line of the log tells more.
 */
export function problemResponse(error: AppError, reference?: string): HttpResponse {
  const { code, facts } = error
  return jsonResponse(STATUS[code], problemDocument(error, reference), {
    'cache-control': 'no-store',
    ...problemHeaders(code, facts),
  })
}

/** The document alone, in one line. */
export function problemText(error: AppError, reference?: string): string {
  return JSON.stringify(problemDocument(error, reference))
}

function problemDocument({ code, message, facts }: AppError, reference: string | undefined) {
  const shape = { status: 'error', errorMessage: message, code, ...(reference && { reference }) }
  return { ...shape, ...facts, ...shape }
}

function problemHeaders(code: ErrorCode, facts: ErrorFacts): Record<string, string> {
  const status = STATUS[code]
  if (status === 401) return { 'www-authenticate': 'Basic realm="Apie"' }
  if (status === 405) return { allow: listOf(facts['allow']) }
  if (status === 416) return { 'content-range': `bytes */${facts['size'] ?? 0}` }
  if (status === 429 || status === 503) {
    return { 'retry-after': String(facts['retryAfterSeconds'] ?? 2) }
  }
  if (code === 'head-mismatch') return { 'x-apie-hash': String(facts['head'] ?? '') }
  return {}
}

function listOf(value: ErrorFacts[string] | undefined): string {
  return Array.isArray(value) ? value.join(', ') : String(value ?? '')
}
