/**
 * The standalone server: `node:http` to the app and back, with limits on slow clients and a stop that finishes
 * what runs.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AppError } from '../domain/app-error.ts'
import type { App, HttpBody, HttpRequest, HttpResponse } from '../http/message.ts'
import { pathProblem, splitTarget } from './request-path.ts'

export type HttpServerOptions = {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** Longest wait for the head of a request, ms. */
  readonly headTimeoutMs?: number
  /** Longest wait for a whole request, ms. */
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
/** Bytes of a body nobody wants that are read to keep the connection. */
const MOST_DRAINED_BYTES = 1 << 20

/** @throws NodeJS.ErrnoException where the address cannot be listened on */
export async function serveHttp(app: App, options: HttpServerOptions): Promise<HttpServer> {
  const bodyTimeoutMs = options.bodyTimeoutMs ?? BODY_TIMEOUT_MS
  const headersTimeout = Math.min(options.headTimeoutMs ?? HEAD_TIMEOUT_MS, bodyTimeoutMs)
  const server = createServer(
    {
      maxHeaderSize: MOST_HEADER_BYTES,
      headersTimeout,
      requestTimeout: bodyTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, headersTimeout),
      keepAliveTimeout: 5000,
      joinDuplicateHeaders: true,
      noDelay: true,
    },
    (incoming, outgoing) => void answer(app, incoming, outgoing),
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () => close(server, options.graceMs ?? GRACE_MS),
  }
}

async function close(server: Server, graceMs: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  clearTimeout(timer)
}

async function answer(
  app: App,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  // A client that goes away is no error of ours; whoever writes next finds the response closed.
  incoming.on('error', () => {})
  outgoing.on('error', () => {})
  try {
    const response = await app(requestOf(incoming))
    const isWhole = incoming.complete || (await drain(incoming))
    if (!isWhole) outgoing.setHeader('connection', 'close')
    await send(response, incoming.method === 'HEAD', outgoing)
    if (!isWhole) outgoing.once('finish', () => incoming.destroy())
  } catch {
    // The head is out and the body cannot go on: ending the connection shows that it was cut off.
    outgoing.destroy()
  }
}

function requestOf(incoming: IncomingMessage): HttpRequest {
  const { path, query } = splitTarget(incoming.url ?? '/')
  const { headers } = incoming
  const length = headers['content-length']
  const problem = pathProblem(path)
  return {
    method: incoming.method ?? 'GET',
    path,
    query,
    headers: headers as Record<string, string | undefined>,
    body: bodyOf(incoming),
    contentLength: length === undefined ? undefined : Number(length),
    remoteAddress: incoming.socket.remoteAddress ?? '',
    remoteUser: undefined,
    origin: `http://${headers.host ?? 'localhost'}`,
    mount: '',
    ...(problem ? { problem } : {}),
  }
}

async function* bodyOf(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      yield chunk as Uint8Array
    }
  } catch (error) {
    throw new AppError('body-incomplete', 'The body broke off', {}, error)
  }
}

/** Reads what the handler left of a body; false where that is too much to wait for. */
async function drain(incoming: IncomingMessage): Promise<boolean> {
  const announced = Number(incoming.headers['content-length'] ?? 0)
  if (incoming.destroyed || announced > MOST_DRAINED_BYTES) return false
  let bytes = 0
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Uint8Array).length
    if (bytes > MOST_DRAINED_BYTES) return false
  }
  return true
}

async function send(
  response: HttpResponse,
  isHead: boolean,
  outgoing: ServerResponse,
): Promise<void> {
  const { status, body } = response
  const headers = response.headers as Record<string, string | string[]>
  if (body === undefined || isHead || status === 204 || status === 304) {
    outgoing.writeHead(status, headers).end()
    return
  }
  if (typeof body === 'string' || body instanceof Uint8Array) {
    const length = Buffer.byteLength(body)
    outgoing.writeHead(status, { ...headers, 'content-length': length }).end(body)
    return
  }
  outgoing.writeHead(status, headers)
  await sendChunks(body, outgoing)
}

/** A chunk is the sender's again once the next one is asked for, so each is written out first. */
async function sendChunks(
  body: Exclude<HttpBody, string>,
  outgoing: ServerResponse,
): Promise<void> {
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    const isOut = await new Promise<boolean>((resolve) => {
      const lost = () => resolve(false)
      outgoing.once('close', lost)
      outgoing.write(chunk, (error) => {
        outgoing.off('close', lost)
        resolve(!error)
      })
    })
    if (!isOut) return
  }
  outgoing.end()
}
