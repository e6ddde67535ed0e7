/**
 * From CGI variables (RFC 3875 §4.1) to the parts of a request; shared by CGI and FastCGI.
 *
 * The route comes from the raw request target, since `PATH_INFO` is decoded, has its slashes merged and
 * loses bytes. How a URL is cut:
 *
 *     http://host/cgi-bin/apie/events/ab%20c?limit=5
 *            └──┘└───────────┘└────────────┘ └─────┘
 *        HTTP_HOST SCRIPT_NAME   the route   the query      REQUEST_URI is all from the first /
 *
 *     /cgi-bin/apie/events   begins with SCRIPT_NAME               mount /cgi-bin/apie, route /events
 *     /shop/events           begins with the script's folder       mount /shop, route /events
 *     /events                the server rewrote it, no PATH_INFO   mount none, route /events
 *     anything else          PATH_INFO is all there is
 */
import { AppError } from '../domain/app-error.ts'
import type { HttpRequest } from '../http/message.ts'
import { headersProblem } from './header-text.ts'
import { decodeStrictly, pathProblem, queryProblem, splitTarget } from './request-path.ts'
import { codingProblem } from './transfer-coding.ts'

export type CgiVariables = Readonly<Record<string, string | undefined>>

/** Everything but the body. */
export type RequestHead = Omit<HttpRequest, 'body'>

type Place = { readonly mount: string; readonly path: string }

/** Never throws: what is wrong with the variables stands in `problem`. */
export function requestHead(variables: CgiVariables): RequestHead {
  const method = variables['REQUEST_METHOD'] ?? ''
  const target = variables['REQUEST_URI']
  const split = target === undefined ? undefined : splitTarget(target)
  const { mount, path } = placeOf(split?.path, variables)
  const query = split?.query ?? variables['QUERY_STRING'] ?? ''
  const headers = headersOf(variables)
  const contentLength = lengthOf(variables['CONTENT_LENGTH'])
  const problem =
    methodProblem(method) ??
    pathProblem(path) ??
    queryProblem(query) ??
    lengthProblem(contentLength) ??
    codingProblem(variables['HTTP_TRANSFER_ENCODING']) ??
    headersProblem(headers)
  return {
    method,
    path,
    query,
    headers,
    contentLength: contentLength === 'wrong' ? undefined : contentLength,
    remoteAddress: variables['REMOTE_ADDR'] ?? '',
    remoteUser: variables['REMOTE_USER'] || variables['REDIRECT_REMOTE_USER'] || undefined,
    origin: originOf(variables),
    mount,
    ...(problem ? { problem } : {}),
  }
}

/** True where only the end of the input tells the end of the body: no length, or one that is none. */
export function isOfUnknownLength(variables: CgiVariables): boolean {
  const length = lengthOf(variables['CONTENT_LENGTH'])
  if (length === undefined) return Boolean(variables['HTTP_TRANSFER_ENCODING'])
  return length === 'wrong'
}

function placeOf(target: string | undefined, variables: CgiVariables): Place {
  const script = (variables['SCRIPT_NAME'] ?? '').replace(/\/+$/, '')
  const pathInfo = variables['PATH_INFO'] ?? ''
  if (target !== undefined) {
    const folder = script.slice(0, Math.max(0, script.lastIndexOf('/')))
    const found = below(target, script) ?? below(target, folder)
    if (found) return found
    if (pathInfo === '') return { mount: '', path: target }
  }
  return { mount: encoded(script), path: encoded(pathInfo) || '/' }
}

function encoded(path: string): string {
  return path.toWellFormed().split('/').map(encodeSegment).join('/')
}

/** Bytes that were no UTF-8 are lost by now; what stands for them is made what they were, undecodable. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll('%EF%BF%BD', '%FF')
}

/** Cuts a prefix, given decoded, off a path that is still encoded. */
function below(target: string, prefix: string): Place | undefined {
  if (prefix === '') return undefined
  for (let end = target.indexOf('/', 1); end !== -2; end = next(target, end)) {
    const start = end < 0 ? target : target.slice(0, end)
    const text = decodeStrictly(start)
    // A longer piece only decodes to more: looking on would cost the square of a long path.
    if (text === undefined || text.length > prefix.length) return undefined
    if (text !== prefix) continue
    const path = target.slice(start.length)
    return { mount: start, path: path === '' ? '/' : path }
  }
  return undefined
}

/** The next slash, -1 for the end of the path, -2 behind it. */
function next(target: string, slash: number): number {
  return slash < 0 ? -2 : target.indexOf('/', slash + 1)
}

function headersOf(variables: CgiVariables): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = Object.create(null)
  for (const [name, value] of Object.entries(variables)) {
    // Length and type have names of their own; with the prefix they are what a client makes up.
    if (!name.startsWith('HTTP_') || /^HTTP_CONTENT_(LENGTH|TYPE)$/.test(name)) continue
    headers[name.slice(5).toLowerCase().replaceAll('_', '-')] = value
  }
  if (variables['CONTENT_TYPE']) headers['content-type'] = variables['CONTENT_TYPE']
  if (variables['CONTENT_LENGTH']) headers['content-length'] = variables['CONTENT_LENGTH']
  // Only the server sets the name with the prefix: a client's header always begins with HTTP_.
  const authorization = ['', 'REDIRECT_', 'REDIRECT_REDIRECT_', 'REDIRECT_REDIRECT_REDIRECT_']
    .map((prefix) => variables[`${prefix}HTTP_AUTHORIZATION`])
    .find((value) => value !== undefined && value !== '')
  headers['authorization'] = authorization
  return headers
}

function lengthOf(text: string | undefined): number | undefined | 'wrong' {
  if (text === undefined || text === '') return undefined
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : 'wrong'
}

function lengthProblem(length: number | undefined | 'wrong'): AppError | undefined {
  if (length !== 'wrong') return undefined
  return new AppError('bad-header', 'Content-Length must be a whole number of bytes', {
    header: 'Content-Length',
  })
}

function methodProblem(method: string): AppError | undefined {
  if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/.test(method)) return undefined
  return new AppError('bad-request', 'The request has no method')
}

function originOf(variables: CgiVariables): string {
  const isSecure = /^(on|1)$/i.test(variables['HTTPS'] ?? '')
  const scheme = isSecure || variables['REQUEST_SCHEME'] === 'https' ? 'https' : 'http'
  const host = variables['HTTP_HOST'] || variables['SERVER_NAME'] || 'localhost'
  return `${scheme}://${host}`
}
