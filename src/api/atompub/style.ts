/**
 * How this API says no, and what it tells pages of other origins. An error is told by status and reason phrase,
 * by a text only where it is 400; who may not do something gets 401, never 403. Pages of all origins may call,
 * but never with the credentials that a browser keeps.
 */
import type { AppError } from '../../domain/app-error.ts'
import type { ApiStyle } from '../../http/api.ts'
import { refuseCrossSite } from '../../http/cors.ts'
import type { HttpHeaders, HttpRequest, HttpResponse } from '../../http/message.ts'
import { problemResponse } from '../../http/problem.ts'
import { withoutSlash } from './trailing-slash.ts'

export type StyleSettings = { readonly corsOrigins: readonly string[]; readonly baseUrl: string }

export function atomStyle({ corsOrigins, baseUrl }: StyleSettings): ApiStyle {
  return {
    answersHead: false,
    guardOrigin: (request) => {
      if (isSentUnasked(request)) refuseCrossSite(request, corsOrigins)
    },
    problem: atomProblem,
    options: (methods) => ({
      status: 200,
      headers: { allow: [...methods, 'OPTIONS'].join(', ') },
      body: '',
    }),
    shortcut: (request) => withoutSlash(request, baseUrl),
    headers: sharedHeaders,
  }
}

/**
 * Browsers send some requests of other pages, with the credentials they keep, without asking for leave first
 * (Fetch §2.2.2). For all others they ask, and learn from the wildcard that credentials must stay away.
 */
function isSentUnasked({ method, headers }: HttpRequest): boolean {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
  return method === 'POST' && SIMPLE_TYPES.includes(type)
}

const SIMPLE_TYPES: readonly string[] = [
  '',
  'text/plain',
  'multipart/form-data',
  'application/x-www-form-urlencoded',
]

/** What pages of other origins may send. The name at the end stands there twice, as clients know it. */
const ALLOWED_HEADERS =
  'Content-Type, X-Requested-With, X-PINGOTHER, Authorization, ES-LongPoll, ES-ExpectedVersion, ES-EventId, ES-EventType, ES-RequiresMaster, ES-HardDelete, ES-ResolveLinkTo, ES-ExpectedVersion'

/** Told to pages that ask for one of them. */
const MORE_HEADERS: readonly string[] = [
  'ES-RequireMaster',
  'ES-RequireLeader',
  'ES-ResolveLinkTos',
  'If-None-Match',
  'X-Producer-ID',
]

/** What a path with these methods says; the router has one list of them for as long as it knows the path. */
const plainHeaders = new WeakMap<readonly string[], HttpHeaders>()

function sharedHeaders({ headers }: HttpRequest, methods: readonly string[]): HttpHeaders {
  if (methods.length === 0) return {}
  const wanted = headers['access-control-request-headers']
  if (wanted !== undefined) return originHeaders(methods, wanted.toLowerCase().split(/[ ,]+/))
  const known = plainHeaders.get(methods)
  if (known) return known
  const made = originHeaders(methods, [])
  plainHeaders.set(methods, made)
  return made
}

function originHeaders(methods: readonly string[], wanted: readonly string[]): HttpHeaders {
  const more = MORE_HEADERS.filter((name) => wanted.includes(name.toLowerCase()))
  return {
    'access-control-allow-methods': [...methods, 'OPTIONS'].join(', '),
    'access-control-allow-headers': [ALLOWED_HEADERS, ...more].join(', '),
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

function atomProblem(error: AppError, { method }: HttpRequest, reference?: string): HttpResponse {
  const { code, facts } = error
  const { status, headers } = problemResponse(error, reference)
  switch (code) {
    case 'credentials-missing':
    case 'credentials-wrong':
    case 'access-denied':
      return emptyResponse(401, 'Unauthorized', {
        'cache-control': 'no-store',
        'www-authenticate': 'Basic realm="ES"',
      })
    case 'wrong-expected-version':
      return emptyResponse(400, 'Wrong expected EventNumber', {
        'cache-control': 'no-store',
        'es-currentversion': String(facts['current'] ?? -1),
      })
    default: {
      const reason = reasonOf(error, method, reference)
      return {
        ...emptyResponse(status, reason, { ...headers, 'content-type': TEXT }),
        body: status === 400 ? error.message : '',
      }
    }
  }
}

const TEXT = 'text/plain; charset=utf-8'

function reasonOf({ code, message, facts }: AppError, method: string, reference?: string): string {
  switch (code) {
    case 'stream-deleted':
      return method === 'GET' ? 'Deleted' : 'Stream deleted'
    case 'stream-not-found':
    case 'event-not-found':
    case 'route-not-found':
      return 'Not Found'
    case 'method-not-allowed':
      return 'Method Not Allowed'
    case 'not-acceptable':
      return 'Not Acceptable'
    case 'media-type-unsupported':
      return 'Invalid or missing Content-Type'
    case 'body-too-large':
      return `Too large events received. Limit is ${facts['maxBytes']} bytes.`
    default:
      return reference === undefined ? message : `${message} (${reference})`
  }
}
