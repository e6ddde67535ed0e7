/**
 * The standalone server: `node:http` to the app and back, with limits on slow clients and a stop that finishes
 * what runs.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { App } from '../http/message.ts'
import { drain, inviteWhenRead } from './incoming-body.ts'
import { endSlowly, refuseBytes, refuseTunnel } from './refused-connection.ts'
import { requestOf, send } from './server-message.ts'
import { watchBodies } from './slow-bodies.ts'

export type HttpServerOptions = {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** Longest wait for the head of a request, ms. */
  readonly headTimeoutMs?: number
  /** Time in which a body has to come on, ms; see `slow-bodies.ts`. */
  readonly bodyTimeoutMs?: number
  /** Longest wait for requests that run when the server is closed, ms. */
  readonly graceMs?: number
}

export type HttpServer = {
  readonly port: number
  /** Stops accepting, finishes what runs, closes what is idle. */
  close(): Promise<void>
}

const HEAD_TIMEOUT_MS = 10_000
const BODY_TIMEOUT_MS = 60_000
const GRACE_MS = 30_000
const MOST_HEADER_BYTES = 16 * 1024
/** Requests that a client may send ahead before its connection is read no further. */
const MOST_WAITING = 16

/** A connection and the responses it still owes, in the order of their requests. */
type Connection = {
  readonly owed: Set<ServerResponse>
  last: Promise<void>
  isRefused: boolean
  /** Its last answer is given. */
  isEnding: boolean
}

/** @throws NodeJS.ErrnoException where the address cannot be listened on */
export async function serveHttp(app: App, options: HttpServerOptions): Promise<HttpServer> {
  const connections = new Map<Socket, Connection>()
  const take = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { socket } = incoming
    const connection = connections.get(socket)
    // What was sent behind a request that ends the connection is not acted upon.
    if (!connection || socket.writableEnded) return
    connection.owed.add(outgoing)
    if (connection.owed.size > MOST_WAITING) socket.pause()
    connection.last = answerNext(connection, incoming, outgoing)
  }
  const answerNext = async (
    connection: Connection,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<void> => {
    // Requests that a client sends ahead may build on each other, so none overtakes another.
    await connection.last
    // Nor is what was taken in before it was known that the connection ends (RFC 9112 §9.6).
    if (connection.isEnding) return
    connection.isEnding = !(await answer(app, incoming, outgoing, server))
    connection.owed.delete(outgoing)
    if (connection.owed.size === MOST_WAITING) incoming.socket.resume()
  }
  const server = createServer(limitsOf(options), take)
  // Else Node invites every body, before anybody has asked who sends it.
  server.on('checkContinue', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    inviteWhenRead(incoming, () => outgoing.writeContinue())
    take(incoming, outgoing)
  })
  // Else Node answers one that nobody knows itself, with a 417 that says nothing.
  server.on('checkExpectation', take)
  // Their bytes are limited; above a number of them Node would drop the rest without a word.
  server.maxHeadersCount = 0
  server.on('connection', (socket) => {
    connections.set(socket, {
      owed: new Set(),
      last: Promise.resolve(),
      isRefused: false,
      isEnding: false,
    })
    socket.once('close', () => connections.delete(socket))
  })
  server.on('clientError', (error, socket) => {
    const connection = connections.get(socket as Socket)
    if (!connection || !socket.writable) socket.destroy()
    else void refuse(app, error, socket as Socket, connection)
  })
  server.on('connect', ({ headers }, socket) => {
    void refuseTunnel(app, headers.authorization, socket as Socket)
  })
  const endWatch = watchBodies(
    () => receiving(connections),
    options.bodyTimeoutMs ?? BODY_TIMEOUT_MS,
    (socket) => server.emit('clientError', new SlowBodyError(), socket),
  )
  server.once('close', endWatch)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () => close(server, connections, options.graceMs ?? GRACE_MS),
  }
}

function limitsOf(options: HttpServerOptions): ServerOptions {
  const headersTimeout = options.headTimeoutMs ?? HEAD_TIMEOUT_MS
  return {
    maxHeaderSize: MOST_HEADER_BYTES,
    headersTimeout,
    requestTimeout: 0,
    // A request without one is refused in the shape of every other answer (`server-message.ts`).
    requireHostHeader: false,
    connectionsCheckingInterval: Math.min(1000, headersTimeout),
    keepAliveTimeout: 5000,
    joinDuplicateHeaders: true,
    noDelay: true,
    // Of a request without a body nobody waits for an end of it.
    optimizeEmptyRequests: true,
  }
}

/** What Node's own limit on the time of a request throws. */
class SlowBodyError extends Error {
  readonly code = 'ERR_HTTP_REQUEST_TIMEOUT'
}

function* receiving(
  connections: ReadonlyMap<Socket, Connection>,
): Generator<readonly [Socket, IncomingMessage]> {
  for (const [socket, { owed }] of connections) {
    const [first] = owed
    if (first && !first.req.complete) yield [socket, first.req]
  }
}

async function close(
  server: Server,
  connections: ReadonlyMap<Socket, Connection>,
  graceMs: number,
): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const [socket, { owed, last }] of connections) {
    if (owed.size === 0) socket.destroy()
    // The head of its response may have gone out before anybody knew that it is the last one.
    else void last.then(() => socket.destroySoon())
  }
  await closed
  clearTimeout(timer)
}

/** Bytes that are no request, or that break the body of one. */
async function refuse(app: App, error: Error, socket: Socket, connection: Connection) {
  if (connection.isRefused) return
  connection.isRefused = true
  const [first, ...more] = connection.owed
  const isItsBody = first && more.length === 0 && !first.req.complete
  if (isItsBody && first.headersSent) return void socket.destroy()
  if (!isItsBody) await connection.last
  if (connection.isEnding) return
  await refuseBytes(app, error, socket)
}

function ignore(): void {}

/** @returns whether the connection takes another request */
async function answer(
  app: App,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  server: Server,
): Promise<boolean> {
  // A client that goes away is no error of ours; whoever writes next finds the response closed.
  outgoing.on('error', ignore)
  try {
    const request = requestOf(incoming)
    const response = await app(request)
    const isWhole = incoming.complete || (await drain(incoming))
    if (!isWhole) incoming.socket.destroySoon = () => endSlowly(incoming.socket)
    // Of a request that is wrong a proxy in front may have seen another end than we did.
    if (!isWhole || request.problem || !server.listening) outgoing.shouldKeepAlive = false
    const goesOn = outgoing.shouldKeepAlive
    const sending = send(response, outgoing)
    if (sending !== undefined) await sending
    return goesOn
  } catch {
    // The head is out and the body cannot go on: ending the connection shows that it was cut off.
    outgoing.destroy()
    return false
  }
}
