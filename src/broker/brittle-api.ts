/**
 * An API that answers late, wrongly or not at all, for tests and for trying the broker. `POST /api` answers the
 * text backwards. With a seed the same requests in the same order get the same fates.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type BrittleApiOptions = {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** Part of the requests that fail, 0 to 1. */
  readonly failureRate: number
  /** Part of the failures that get no answer at all, 0 to 1. */
  readonly silentFailureRate: number
  /** Seconds. */
  readonly minLatency: number
  readonly maxLatency: number
  /** Whole number; absent: by chance. */
  readonly seed?: number
}

export type BrittleApi = {
  readonly port: number
  close(): Promise<void>
}

const MOST_BYTES = 1 << 20

type Fate = { readonly kind: 'answer' | 'failure' | 'silence'; readonly afterMs: number }

/** @throws NodeJS.ErrnoException where the address cannot be listened on */
export async function serveBrittleApi(options: BrittleApiOptions): Promise<BrittleApi> {
  const random = options.seed === undefined ? Math.random : seededRandom(options.seed)
  const server = createServer((incoming, outgoing) => {
    const path = (incoming.url ?? '').replace(/\?.*$/s, '')
    if (path === '/up') answerUp(incoming, outgoing)
    else if (path === '/api') void answerApi(incoming, outgoing, options, random)
    else end(outgoing, 404)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, close: () => close(server) }
}

function answerUp({ method }: IncomingMessage, outgoing: ServerResponse): void {
  end(outgoing, method === 'GET' || method === 'HEAD' ? 200 : 400)
}

async function answerApi(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: BrittleApiOptions,
  random: () => number,
): Promise<void> {
  const text = await textOf(incoming).catch(() => undefined)
  if (incoming.method !== 'POST' || text === '') return end(outgoing, 400)
  if (text === undefined) return end(outgoing, 413)
  const fate = fateOf(options, random)
  const timer = setTimeout(() => meet(fate, text, incoming, outgoing), fate.afterMs)
  outgoing.once('close', () => clearTimeout(timer))
}

function fateOf(options: BrittleApiOptions, random: () => number): Fate {
  const { minLatency, maxLatency, failureRate, silentFailureRate } = options
  // Always three numbers a request, so that one fate does not change those that follow.
  const [latency, failure, silence] = [random(), random(), random()]
  const afterMs = 1000 * (minLatency + latency * (maxLatency - minLatency))
  if (failure >= failureRate) return { kind: 'answer', afterMs }
  return { kind: silence >= silentFailureRate ? 'failure' : 'silence', afterMs }
}

function meet(
  { kind }: Fate,
  text: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  if (kind === 'silence') incoming.socket.destroy()
  else if (kind === 'failure') end(outgoing, 503)
  else end(outgoing, 200, [...text].reverse().join(''))
}

function end(outgoing: ServerResponse, status: number, text = ''): void {
  outgoing.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  outgoing.end(text)
}

/** @throws Error where it is too large or breaks off */
async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= MOST_BYTES) chunks.push(chunk)
  }
  if (size > MOST_BYTES) throw new Error('too large')
  return Buffer.concat(chunks).toString('utf8')
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}

/** Numbers from 0 to 1 (exclusive) that follow from the seed: steps of 0x9e3779b9, mixed until every bit counts. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
}
