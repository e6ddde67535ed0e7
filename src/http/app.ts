/**
 * The app: limits → route → authenticate → handler → error mapping. One function that never rejects.
 *
 * Who asks is settled before what is asked for: without credentials an unknown path answers like a known
 * one. Only routes that are public need no account, and `OPTIONS`, which tells nothing but methods.
 */
import { requireRole } from '../domain/access.ts'
import type { Principal } from '../domain/account.ts'
import { AppError } from '../domain/app-error.ts'
import { randomUuid } from '../kit/uuid.ts'
import { corsHeaders, preflightHeaders, refuseCrossSite } from './cors.ts'
import type { Authenticate, RequestContext, Route } from './handler.ts'
import type { App, HttpRequest, HttpResponse } from './message.ts'
import { problemResponse, statusOf, unknownProblemResponse } from './problem.ts'
import { finishResponse } from './response.ts'
import { createRouter, type RouteMatch, type Router } from './router.ts'

/** Characters of the path, and of the query. */
const MAX_URI_LENGTH = 8192

export type AppSettings = {
  /** Public base of links, or empty. */
  readonly baseUrl: string
  readonly corsOrigins: readonly string[]
}

export type AppParts = {
  readonly routes: readonly Route[]
  readonly authenticate: Authenticate
  readonly settings: AppSettings
  /** Takes what went wrong inside, for the log; `reference` is what the client was told. */
  readonly report: (reference: string, error: unknown) => void
}

export function createApp(parts: AppParts): App {
  const router = createRouter(parts.routes)
  return async (request) => {
    try {
      const answer = await respond(request, router, parts)
      const response = finishResponse(shared(answer, request, parts.settings), request.method)
      return reported(response, parts)
    } catch (error) {
      return finishResponse(shared(failure(error, parts), request, parts.settings), request.method)
    }
  }
}

async function respond(
  request: HttpRequest,
  router: Router,
  parts: AppParts,
): Promise<HttpResponse> {
  if (request.problem) throw request.problem
  if (Math.max(request.path.length, request.query.length) > MAX_URI_LENGTH) {
    throw new AppError('uri-too-long', 'Path or query are too long', { limit: MAX_URI_LENGTH })
  }
  const match = router.find(request.method, request.path)
  if (request.method === 'OPTIONS' && match.kind === 'other-methods') {
    return optionsResponse(match.methods, request, parts.settings)
  }
  if (match.kind !== 'route') {
    await parts.authenticate(request)
    throw noRoute(match)
  }
  const { access, handler } = match.route
  if (access === 'public') {
    refuseCrossSite(request, parts.settings.corsOrigins)
    return handler(request, contextOf(request, match, NOBODY, parts.settings))
  }
  const principal = await parts.authenticate(request)
  refuseCrossSite(request, parts.settings.corsOrigins)
  requireRole(principal, access)
  return handler(request, contextOf(request, match, principal, parts.settings))
}

/** Public handlers must not look at who asks; this name is nobody's. */
const NOBODY: Principal = { name: '', role: 'reader', isAnonymous: true }

type RouteFound = Extract<RouteMatch, { kind: 'route' }>

function contextOf(
  request: HttpRequest,
  { parameters }: RouteFound,
  principal: Principal,
  settings: AppSettings,
): RequestContext {
  const baseUrl = settings.baseUrl === '' ? request.mount : settings.baseUrl.replace(/\/+$/, '')
  return { principal, parameters, query: new URLSearchParams(request.query), baseUrl }
}

function noRoute(match: Exclude<RouteMatch, RouteFound>): AppError {
  if (match.kind === 'none') return new AppError('route-not-found', 'There is nothing at this path')
  return new AppError('method-not-allowed', 'This path does not know this method', {
    allow: match.methods,
  })
}

function optionsResponse(
  methods: readonly string[],
  request: HttpRequest,
  { corsOrigins }: AppSettings,
): HttpResponse {
  const isAllowed = corsOrigins.includes(request.headers['origin'] ?? '')
  const preflight = isAllowed ? preflightHeaders(methods) : {}
  return { status: 204, headers: { allow: methods.join(', '), ...preflight } }
}

/** Adds what pages of configured origins need; a route that has its own rule keeps it. */
function shared(
  response: HttpResponse,
  request: HttpRequest,
  { corsOrigins }: AppSettings,
): HttpResponse {
  if (corsOrigins.length === 0) return response
  const vary = ['Origin', ...[response.headers['vary'] ?? []].flat()].join(', ')
  return {
    ...response,
    headers: { ...corsHeaders(request, corsOrigins), ...response.headers, vary },
  }
}

/** Errors that say nothing is wrong with the request but with us also go to the log. */
function failure(error: unknown, { report }: AppParts): HttpResponse {
  const isKnown = error instanceof AppError
  if (isKnown && (statusOf(error.code) < 500 || error.code === 'setup-required')) {
    return problemResponse(error)
  }
  const reference = randomUuid()
  report(reference, error)
  return isKnown ? problemResponse(error, reference) : unknownProblemResponse(reference)
}

/** A body that breaks off while it is sent cannot become an error response any more; the log still tells. */
function reported(response: HttpResponse, { report }: AppParts): HttpResponse {
  const { body } = response
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return response
  return { ...response, body: reportedBody(body, report) }
}

async function* reportedBody(
  body: AsyncIterable<Uint8Array>,
  report: AppParts['report'],
): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    report(randomUuid(), error)
    throw error
  }
}
