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
   * What links begin with, without a trailing slash: the setting, or else the mount alone. The `Host` that
   * a client names is never part of a link, since it may be anything.
   */
  readonly baseUrl: string
}

/**
 * Finds out who asks.
 * @throws AppError `credentials-missing`, `credentials-wrong`, `too-many-attempts`, `setup-required`
 */
export type Authenticate = (request: HttpRequest) => Promise<Principal>

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
