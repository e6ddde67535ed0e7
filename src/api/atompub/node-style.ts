/**
 * How this API says no, and what it tells pages of other origins: any page may ask, but never with the
 * credentials that a browser keeps. Errors carry their message in the body; clients look at the status alone.
 */
import type { AppError } from '../../domain/app-error.ts'
import type { ApiStyle } from '../../http/api.ts'
import { refuseCrossSite } from '../../http/cors.ts'
import type { HttpHeaders, HttpResponse } from '../../http/message.ts'
import { problemResponse } from '../../http/problem.ts'

/** What pages of other origins may send. The name at the end stands there twice, as clients know it. */
const ALLOWED_HEADERS =
  'Content-Type, X-Requested-With, X-PINGOTHER, Authorization, ES-LongPoll, ES-ExpectedVersion, ES-EventId, ES-EventType, ES-RequiresMaster, ES-HardDelete, ES-ResolveLinkTo, ES-ExpectedVersion'

export function atomStyle({ corsOrigins }: { readonly corsOrigins: readonly string[] }): ApiStyle {
  return {
    answersHead: false,
    guardOrigin: (request) => refuseCrossSite(request, corsOrigins),
    problem: (error, _request, reference) => atomProblem(error, reference),
    options: (methods) => ({
      status: 200,
      headers: { allow: [...methods, 'OPTIONS'].join(', ') },
      body: '',
    }),
    headers: (_request, methods) => (methods.length === 0 ? {} : sharedHeaders(methods)),
  }
}

function sharedHeaders(methods: readonly string[]): HttpHeaders {
  return {
    'access-control-allow-methods': [...methods, 'OPTIONS'].join(', '),
    'access-control-allow-headers': ALLOWED_HEADERS,
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'Location, ES-Position, ES-CurrentVersion',
  }
}

/** Never 403: who may not is asked who he is. */
function atomProblem(error: AppError, reference?: string): HttpResponse {
  const common = problemResponse(error, reference)
  const status = error.code === 'access-denied' ? 401 : common.status
  const { 'content-type': _json, ...others } = common.headers
  const current = error.code === 'wrong-expected-version' ? error.facts['current'] : undefined
  return {
    status: error.code === 'wrong-expected-version' ? 400 : status,
    headers: {
      ...others,
      'content-type': 'text/plain; charset=utf-8',
      ...(status === 401 && { 'www-authenticate': 'Basic realm="ES"' }),
      ...(current !== undefined && { 'es-currentversion': String(current) }),
    },
    body: status === 400 ? error.message : '',
  }
}
