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
import { type Api, type ApiStyle, apiOfPath } from './api.ts'
import type { Authenticate, RequestContext, RouteParameters } from './handler.ts'
import type { App, HttpHeaders, HttpRequest, HttpResponse } from './message.ts'
import { problemText, statusOf } from './problem.ts'
import { finishResponse } from './response.ts'
import {
  allowedMethods,
  createRouter,
  type Methods,
  type RouteMatch,
  type Router,
} from './router.ts'
import { parseQuery } from './url-encoded.ts'

/** Characters of the path, and of the query. */
const MAX_URI_LENGTH = 8192

export type AppSettings = {
  /** Public base of links, or empty. */
  readonly baseUrl: string
}

export type AppParts = {
  /** One of them takes the paths that no other owns. */
  readonly apis: readonly Api[]
  readonly authenticate: Authenticate
  readonly settings: AppSettings
  /** Takes what went wrong inside, for the log; `reference` is what the client was told. */
  readonly report: (reference: string, error: unknown) => void
}

export function createApp(parts: AppParts): App {
  const open = createApiShelf(parts.apis)
  const finish = createFinish()
  return async (request) => {
    const api = open(request.path)
    const { router, style } = api instanceof Promise ? await api : api
    const asked: Asked = { request, style, methods: [] }
    try {
      const answer = await respond(asked, router, parts)
      return reported(finish(answer, asked), parts, answer.endsInErrorLine)
    } catch (error) {
      return finish(failure(error, asked, parts), asked)
    }
  }
}

/** A request on its way, and the methods of its path once they are known. */
type Asked = { readonly request: HttpRequest; readonly style: ApiStyle; methods: Methods }

type OpenApi = { readonly router: Router; readonly style: ApiStyle }

/** APIs by path, each loaded once. */
function createApiShelf(apis: readonly Api[]): (path: string) => OpenApi | Promise<OpenApi> {
  const opened = new Map<Api, OpenApi>()
  // Mostly the next request is for the same path.
  let last: { readonly path: string; readonly api: OpenApi } | undefined
  const load = async (api: Api): Promise<OpenApi> => {
    const { routes, style } = await api.load()
    const fresh = { router: createRouter(routes, style.answersHead), style }
    opened.set(api, fresh)
    return fresh
  }
  return (path) => {
    if (last?.path === path) return last.api
    const api = apiOfPath(apis, path)
    const there = opened.get(api)
    if (!there) return load(api)
    last = { path, api: there }
    return there
  }
}

async function respond(asked: Asked, router: Router, parts: AppParts): Promise<HttpResponse> {
  const { request, style } = asked
  if (request.problem) throw request.problem
  if (Math.max(request.path.length, request.query.length) > MAX_URI_LENGTH) {
    throw new AppError('uri-too-long', 'Path or query are too long', { limit: MAX_URI_LENGTH })
  }
  const match = router.find(request.method, request.path)
  if (match.kind !== 'none') asked.methods = match.methods
  if (request.method === 'OPTIONS' && match.kind === 'other-methods') {
    return style.options(match.methods, request)
  }
  if (match.kind !== 'route') {
    await parts.authenticate(request)
    throw noRoute(match, style)
  }
  const known = style.shortcut?.(request)
  if (known) return known
  const { access, handler } = match.route
  if (access === 'public') {
    style.guardOrigin(request)
    return handler(request, contextOf(request, match, NOBODY, parts.settings))
  }
  const principal = await parts.authenticate(request)
  style.guardOrigin(request)
  requireRole(principal, access)
  // A promise that is returned as it is takes more turns than one that is awaited.
  return await handler(request, contextOf(request, match, principal, parts.settings))
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
  return new Context(request, parameters, principal, baseUrl)
}

class Context implements RequestContext {
  readonly principal: Principal
  readonly parameters: RouteParameters
  readonly baseUrl: string
  private readonly request: HttpRequest
  private parsed: URLSearchParams | undefined

  constructor(
    request: HttpRequest,
    parameters: RouteParameters,
    principal: Principal,
    baseUrl: string,
  ) {
    this.request = request
    this.parameters = parameters
    this.principal = principal
    this.baseUrl = baseUrl
  }

  /** Taken apart when it is first asked for. @throws AppError `bad-query` where it is no UTF-8 */
  get query(): URLSearchParams {
    this.parsed ??= parseQuery(this.request.query)
    return this.parsed
  }
}

function noRoute(match: Exclude<RouteMatch, RouteFound>, { answersHead }: ApiStyle): AppError {
  if (match.kind === 'none') return new AppError('route-not-found', 'There is nothing at this path')
  return new AppError('method-not-allowed', 'This path does not know this method', {
    allow: allowedMethods(match.methods, answersHead),
  })
}

type Finished = {
  readonly shared: HttpHeaders
  readonly method: string
  readonly response: HttpResponse
}

/** Finishes answers; one that is repeated is finished once for each method and each set of shared headers. */
function createFinish(): (response: HttpResponse, asked: Asked) => HttpResponse {
  const known = new WeakMap<HttpResponse, Finished>()
  return (response, { request, style, methods }) => {
    const { method } = request
    const shared = style.headers(request, methods)
    if (!response.isRepeated) return finished(response, shared, method)
    const there = known.get(response)
    if (there?.shared === shared && there.method === method) return there.response
    const made = finished(response, shared, method)
    known.set(response, { shared, method, response: made })
    return made
  }
}

/** The answer as it leaves, with what its API says of every answer. */
function finished(response: HttpResponse, shared: HttpHeaders, method: string): HttpResponse {
  if (isEmpty(shared)) return finishResponse(response, method)
  const own = response.headers
  const vary = [shared['vary'] ?? [], own['vary'] ?? []].flat()
  const headers =
    vary.length > 0 ? { ...shared, ...own, vary: vary.join(', ') } : { ...shared, ...own }
  return finishResponse({ ...response, headers }, method)
}

function isEmpty(headers: HttpHeaders): boolean {
  for (const _ in headers) return false
  return true
}

/** Errors that say nothing is wrong with the request but with us also go to the log. */
function failure(error: unknown, { request, style }: Asked, { report }: AppParts): HttpResponse {
  const isKnown = error instanceof AppError
  if (isKnown && (statusOf(error.code) < 500 || error.code === 'setup-required')) {
    return style.problem(error, request)
  }
  const reference = randomUuid()
  report(reference, error)
  return style.problem(shownError(error, reference), request, reference)
}

/** What a client is told of an error. */
function shownError(error: unknown, reference: string): AppError {
  if (error instanceof AppError) return error
  const message = `Something went wrong inside; the log tells more under ${reference}`
  return new AppError('internal', message)
}

/** A body that breaks off while it is sent cannot become an error response any more; the log still tells. */
function reported(response: HttpResponse, { report }: AppParts, isLines = false): HttpResponse {
  const { body } = response
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return response
  return { ...response, body: reportedBody(body, report, isLines) }
}

async function* reportedBody(
  body: AsyncIterable<Uint8Array>,
  report: AppParts['report'],
  isLines: boolean,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    const reference = randomUuid()
    report(reference, error)
    if (isLines) yield Buffer.from(`\n${problemText(shownError(error, reference), reference)}\n`)
    throw error
  }
}
