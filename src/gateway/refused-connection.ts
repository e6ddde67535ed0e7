/**
 * Answers what `node:http` does not take for a request, in the shape of every other answer, and closes
 * connections so that the answer arrives.
 */
import { METHODS } from 'node:http'
import type { Socket } from 'node:net'
import { AppError } from '../domain/app-error.ts'
import type { App, HttpRequest } from '../http/message.ts'
import { statusText } from '../kit/status-text.ts'
import { addressProblem } from './request-path.ts'

/** Time for a client to read its answer before the connection is cut, ms. */
const LINGER_MS = 2000

/**
 * Says that nothing more comes, and goes on reading for a while: a connection that is closed with bytes
 * unread is reset, and what the client has not yet read of its answer is lost (RFC 9112 §9.6).
 */
export function endSlowly(socket: Socket): void {
  socket.end()
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
}

/** What a parser throws: an error with a code, and the bytes that it was given last. */
type ParseError = Error & { readonly code?: string; readonly rawPacket?: Buffer }

/** The answer to bytes that are no request. */
export async function refuseBytes(app: App, error: ParseError, socket: Socket): Promise<void> {
  const request =
    error.code === 'HPE_INVALID_METHOD' ? unknownMethod(`${error.rawPacket}`) : undefined
  await answerRaw(app, request ?? { problem: problemOf(error.code) }, socket)
}

/** `CONNECT`, which asks for a tunnel and has no path, is a method that nothing here knows. */
export async function refuseTunnel(
  app: App,
  authorization: string | undefined,
  socket: Socket,
): Promise<void> {
  await answerRaw(app, { method: 'CONNECT', headers: { authorization } }, socket)
}

function problemOf(code: string | undefined): AppError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new AppError('header-too-large', 'The header fields are too large')
    case 'HPE_INVALID_URL':
      return addressProblem()
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new AppError('request-timeout', 'The request did not arrive in time')
    default:
      return new AppError('bad-request', 'This is no HTTP request')
  }
}

/** A method that the parser does not know, with a head that is otherwise one: the app says what it allows. */
function unknownMethod(text: string): Partial<HttpRequest> | undefined {
  const [, method, path] = /^([A-Z]{1,32}) (\/[^ ?\r\n]{0,8000})\S* HTTP\/1\.1\r\n/.exec(text) ?? []
  const [, authorization] = /\r\nauthorization:[\t ]*([^\r\n]{1,8000})/i.exec(text) ?? []
  // The bytes may begin with a request that was carried out, and go on with some that are none.
  const isUnknown = method !== undefined && path !== undefined && !METHODS.includes(method)
  return isUnknown ? { method, path, headers: { authorization } } : undefined
}

async function answerRaw(app: App, request: Partial<HttpRequest>, socket: Socket): Promise<void> {
  const { status, reason, headers, body } = await app({
    method: 'GET',
    path: '/',
    query: '',
    headers: {},
    body: (async function* () {})(),
    contentLength: undefined,
    remoteAddress: socket.remoteAddress ?? '',
    remoteUser: undefined,
    origin: 'http://localhost',
    mount: '',
    ...request,
  })
  if (!socket.writable) return void socket.destroy()
  const lines = Object.entries({ ...headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${[value].flat().join(', ')}\r\n`,
  )
  socket.write(
    `HTTP/1.1 ${status} ${reason ?? statusText(status)}\r\n${lines.join('')}\r\n`,
    'latin1',
  )
  if (typeof body === 'string') socket.write(body)
  endSlowly(socket)
}
