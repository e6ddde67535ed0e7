/**
 * How this API says no: status and reason phrase, and a text only where a person needs one. Who may not do
 * something gets 401 and never 403. Pages of all origins may call it, but never with the credentials that a
 * browser keeps.
 */
import type { AppError } from '../../domain/app-error.ts'
import type { ApiStyle } from '../../http/api.ts'
import { refuseCrossSite } from '../../http/cors.ts'
import type { HttpHeaders, HttpRequest, HttpResponse } from '../../http/message.ts'
import { statusOf } from '../../http/problem.ts'

const ALLOWED_HEADERS =
  'Content-Type, X-Requested-With, X-Forwarded-Host, X-Forwarded-Prefix, X-PINGOTHER, Authorization, ' +
  'ES-LongPoll, ES-ExpectedVersion, ES-EventId, ES-EventType, ES-RequiresMaster, ES-RequireMaster, ' +
  'ES-HardDelete, ES-ResolveLinkTo, ES-ResolveLinkTos, If-None-Match, X-Producer-ID'

export function atomStyle({ corsOrigins }: { readonly corsOrigins: readonly string[] }): ApiStyle {
  return {
    answersHead: false,
    guardOrigin: (request) => {
      if (isSentUnasked(request)) refuseCrossSite(request, corsOrigins)
    },
    problem,
    options: () => ({ status: 200, headers: {}, body: '' }),
    headers: (_request, methods) => sharedHeaders(methods),
  }
}

/**
 * Browsers send some requests of other pages, with credentials, before they ask for leave (Fetch §2.2.2,
 * §2.2.6); all others they ask for, and are told that credentials must stay away.
 */
function isSentUnasked({ method, headers }: HttpRequest): boolean {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
  const simple = ['', 'text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded']
  return method === 'POST' && simple.includes(type)
}

function sharedHeaders(methods: readonly string[]): HttpHeaders {
  if (methods.length === 0) return {}
  return {
    'access-control-allow-methods': [...methods, 'OPTIONS'].join(', '),
    'access-control-allow-headers': ALLOWED_HEADERS,
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'Location, ES-Position, ES-CurrentVersion',
  }
}

/** An answer that says everything in its status line. */
export function emptyResponse(
  status: number,
  reason: string,
  headers: HttpHeaders = {},
): HttpResponse {
  return {
    status,
    reason,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
    body: '',
  }
}

export function problem(error: AppError, request: HttpRequest, reference?: string): HttpResponse {
  const { code, message, facts } = error
  const noStore = { 'cache-control': 'no-store' }
  switch (code) {
    case 'credentials-missing':
    case 'credentials-wrong':
    case 'access-denied':
      return emptyResponse(401, 'Unauthorized', {
        ...noStore,
        'www-authenticate': 'Basic realm="ES"',
      })
    case 'wrong-expected-version':
      return emptyResponse(400, 'Wrong expected EventNumber', {
        ...noStore,
        'es-currentversion': String(facts['current'] ?? -1),
      })
    case 'stream-deleted':
      return emptyResponse(410, request.method === 'GET' ? 'Deleted' : 'Stream deleted', noStore)
    case 'stream-not-found':
    case 'event-not-found':
    case 'route-not-found':
      return emptyResponse(404, 'Not Found', noStore)
    case 'method-not-allowed':
      return emptyResponse(405, 'Method Not Allowed', { allow: [facts['allow'] ?? ''].join(', ') })
    case 'not-acceptable':
      return emptyResponse(406, 'Not Acceptable', { vary: 'Accept' })
    case 'media-type-unsupported':
      return emptyResponse(415, 'Invalid or missing Content-Type', noStore)
    case 'body-too-large': {
      const limit = facts['maxBytes']
      return emptyResponse(413, `Too large events received. Limit is ${limit} bytes.`, noStore)
    }
    default:
      return otherProblem(error, message, reference)
  }
}

function otherProblem(error: AppError, message: string, reference?: string): HttpResponse {
  const status = statusOf(error.code)
  const wait = String(error.facts['retryAfterSeconds'] ?? 2)
  const text = reference === undefined ? message : `${message} (${reference})`
  return {
    status,
    ...(status === 400 && { reason: text }),
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      ...((status === 429 || status === 503) && { 'retry-after': wait }),
    },
    body: text,
  }
}
