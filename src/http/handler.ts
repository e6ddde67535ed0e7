/** The types that a route, the app and the gateways share. */
import type { Principal, Role } from '../domain/account.ts'
import type { HttpRequest, HttpResponse } from './message.ts'

/** Values of the `:name` segments of a route, percent-decoded. */
export type RouteParameters = Readonly<Record<string, string>>

/** What a handler knows besides the request. */
export type RequestContext = {
  readonly principal: Principal
  readonly parameters: RouteParameters
  /** Query of the request; of equal names the first counts. */
  readonly query: URLSearchParams
  /**
   * Public base of links without a trailing slash: the setting, or scheme, authority and mount as the
   * request came in.
   */
  readonly baseUrl: string
}

export type Handler = (request: HttpRequest, context: RequestContext) => Promise<HttpResponse>

/** Who may call a route: everybody, or an account with at least this role. */
export type RouteAccess = 'public' | Role

/** A row of a route table. `path` is a pattern such as `/events/:hash`. */
export type Route = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' | 'PATCH'
  readonly path: string
  readonly access: RouteAccess
  readonly handler: Handler
}
