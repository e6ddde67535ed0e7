/**
 * An API: the paths it owns, its routes, and the style in which it answers what routes do not decide. The
 * modules of an API are loaded with the first request for one of its paths.
 */
import type { AppError } from '../domain/app-error.ts'
import type { Route } from './handler.ts'
import type { HttpHeaders, HttpRequest, HttpResponse } from './message.ts'
import { decodedPath } from './router.ts'

/** How an API says no, and what it tells pages of other origins. */
export type ApiStyle = {
  /** Whether HEAD is a GET whose body is left out. */
  readonly answersHead: boolean
  /**
   * Lets a page of another origin do this or not; browsers attach credentials to whatever a page sends.
   * @throws AppError `cross-site-refused`
   */
  guardOrigin(request: HttpRequest): void
  /**
   * The answer for a refusal or failure; `reference` where a line of the log tells more. Errors that nobody
   * foresaw come as `internal`.
   */
  problem(error: AppError, request: HttpRequest, reference?: string): HttpResponse
  /** The answer to OPTIONS on a known path; `methods` as its routes name them, in their order. */
  options(methods: readonly string[], request: HttpRequest): HttpResponse
  /** The answer to a request for a known path, before anybody is asked who he is; absent: none. */
  readonly shortcut?: (request: HttpRequest) => HttpResponse | undefined
  /** Headers of every answer; what the answer itself says wins. `methods` is empty on unknown paths. */
  headers(request: HttpRequest, methods: readonly string[]): HttpHeaders
}

export type LoadedApi = { readonly routes: readonly Route[]; readonly style: ApiStyle }

export type Api = {
  /** Beginnings of paths, whole segments, such as `/api/v1`. None: every path that no other API owns. */
  readonly prefixes: readonly string[]
  readonly load: () => LoadedApi | Promise<LoadedApi>
}

/** The API that owns a path: the one whose prefix fits, or the one without prefixes. */
export function apiOfPath(apis: readonly Api[], path: string): Api {
  const plain = decodedPath(path) ?? ''
  const fits = (prefix: string) => plain === prefix || plain.startsWith(`${prefix}/`)
  const api = apis.find(({ prefixes }) => prefixes.some(fits))
  const found = api ?? apis.find(({ prefixes }) => prefixes.length === 0)
  if (!found) throw new Error('No API takes the paths that nobody owns')
  return found
}
