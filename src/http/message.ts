/**
 * Request and response as plain records of our own. The platform's `Request`, `Response` and `fetch` load
 * lazily and cost a process 35 ms, so nothing on the way of a CGI request touches them.
 */
import type { AppError } from '../domain/app-error.ts'

/** What a gateway hands to the app. */
export type HttpRequest = {
  /** Upper-case. */
  readonly method: string
  /**
   * The route, still percent-encoded, beginning with `/`; without query and without the prefix under which
   * the program is mounted. Every segment is valid strict UTF-8 when decoded and neither `.` nor `..`.
   */
  readonly path: string
  /** Raw text after `?`, without it; empty where there is none. */
  readonly query: string
  /** Lower-case names; repeated headers joined by `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /**
   * Empty on requests without a body. A body shorter than announced throws `body-incomplete`. A piece is valid
   * until the next one is asked for.
   */
  readonly body: AsyncIterable<Uint8Array>
  /**
   * Takes the whole body where it is there already, which saves the work of waiting for it; `body` is empty
   * from then on. `undefined` where it is not there, or there is none. Absent: it never is.
   */
  readonly arrived?: () => Uint8Array | undefined
  /** Announced length in bytes, or `undefined` where the sender announced none. */
  readonly contentLength: number | undefined
  /** Address of the client, as the gateway saw it. */
  readonly remoteAddress: string
  /** Account name that the web server has authenticated (`REMOTE_USER`), if any. */
  readonly remoteUser: string | undefined
  /** Scheme and authority as the client named them, e.g. `http://localhost:8000`; not to be trusted. */
  readonly origin: string
  /** Path under which the program is mounted, e.g. `/cgi-bin/apie`; empty at the root. */
  readonly mount: string
  /** What the gateway found wrong with the request; the app answers with it and looks at nothing else. */
  readonly problem?: AppError
}

/** Names in lower case; a list of values becomes one header line each. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[]>>

/** A whole body, or one that is made while it is sent. */
export type HttpBody = string | Uint8Array | AsyncIterable<Uint8Array>

/** What the app hands back. `headers` never hold CR, LF or NUL; `body` is absent on 204 and 304. */
export type HttpResponse = {
  readonly status: number
  /** Reason phrase where it says more than the usual one; what is not ASCII in it is left out. */
  readonly reason?: string
  readonly headers: HttpHeaders
  readonly body?: HttpBody
  /**
   * The body is lines of JSON, and each piece of it ends where a line does, before its line feed. Where it breaks
   * off, the error follows as a line of its own: lines look whole wherever they are cut, and not every web server
   * passes on that they were.
   */
  readonly endsInErrorLine?: true
  /** The same record answers other requests, too: what is made of it may be kept. */
  readonly isRepeated?: true
}

/** The app: one function, callable without a socket. It never rejects. */
export type App = (request: HttpRequest) => Promise<HttpResponse>
