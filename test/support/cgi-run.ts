/** Runs the executable as a web server would for one request, with an environment of the test's choice. */
import type { SystemUser } from './apache-variants.ts'
import { type Run, run } from './executable.ts'

export type CgiRequest = {
  readonly method?: string
  /** Raw request target below the script, e.g. `/events?limit=1`. */
  readonly target: string
  readonly authorization?: string
  readonly body?: string | Uint8Array
  /** Overrides or, where `undefined`, removes variables. */
  readonly variables?: Readonly<Record<string, string | undefined>>
  readonly user?: SystemUser | undefined
  /** Settings as `APIE_…` variables, or any others. */
  readonly limitMs?: number
}

export type CgiAnswer = Run & {
  /** Of the `Status:` line; 0 where there is none. */
  readonly code: number
  readonly head: string
  readonly body: string
}

/** The variables that Apache sets for a request. */
export function cgiVariables(request: CgiRequest): Record<string, string> {
  const [path = '', query = ''] = request.target.split('?', 2)
  const variables: Record<string, string | undefined> = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_SOFTWARE: 'Apache',
    SERVER_NAME: 'localhost',
    SERVER_PORT: '80',
    REMOTE_ADDR: '192.0.2.1',
    REQUEST_METHOD: request.method ?? 'GET',
    REQUEST_URI: `/cgi-bin/apie${request.target}`,
    SCRIPT_NAME: '/cgi-bin/apie',
    PATH_INFO: path,
    QUERY_STRING: query,
    HTTP_HOST: 'localhost',
    HTTP_AUTHORIZATION: request.authorization,
    CONTENT_LENGTH:
      request.body === undefined ? undefined : String(Buffer.byteLength(request.body)),
    ...request.variables,
  }
  return Object.fromEntries(
    Object.entries(variables).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
}

/** One request, one process. */
export async function runCgi(program: string, request: CgiRequest): Promise<CgiAnswer> {
  const answer = await run(program, [], {
    environment: cgiVariables(request),
    input: request.body ?? '',
    user: request.user,
    limitMs: request.limitMs ?? 30_000,
  })
  const end = answer.out.indexOf('\r\n\r\n')
  const head = end < 0 ? answer.out : answer.out.slice(0, end)
  const body = end < 0 ? '' : answer.out.slice(end + 4)
  return { ...answer, code: Number(/^Status: (\d{3}) /.exec(head)?.[1] ?? 0), head, body }
}
