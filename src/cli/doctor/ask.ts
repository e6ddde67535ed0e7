/** Asks the installed program one question over HTTP. Plain `node:http`: what is sent is what we say. */
import type { IncomingMessage } from 'node:http'

export type Question = {
  readonly method: string
  /** Path and query below the address, e.g. `/ping`. */
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Send the body in chunks, without telling its length. */
  readonly isChunked?: boolean
}

export type Reply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** At most 64 KiB of it. */
  readonly text: string
  /** Code of the program's own errors; `undefined` where somebody else answered. */
  readonly code: string | undefined
}

const TIMEOUT_MS = 20_000
const MOST_BYTES = 65_536

/** @throws Error where no answer comes */
export async function ask(base: string, question: Question): Promise<Reply> {
  const url = `${base.replace(/\/+$/, '')}${question.target}`
  const { request } = await (url.startsWith('https:') ? import('node:https') : import('node:http'))
  const { method, headers = {}, body, isChunked = false } = question
  const length: Record<string, string> = isChunked
    ? { 'transfer-encoding': 'chunked' }
    : { 'content-length': String(Buffer.byteLength(body ?? '')) }
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        headers: { ...headers, ...(body === undefined ? {} : length), connection: 'close' },
        agent: false,
        timeout: TIMEOUT_MS,
      },
      (message) => readReply(message).then(resolve, reject),
    )
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)))
    sent.on('error', reject)
    sent.end(body)
  })
}

async function readReply(message: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    if (size < MOST_BYTES) chunks.push(chunk)
    size += chunk.length
  }
  const text = Buffer.concat(chunks).toString('utf8').slice(0, MOST_BYTES)
  return { status: message.statusCode ?? 0, headers: message.headers, text, code: codeOf(text) }
}

function codeOf(text: string): string | undefined {
  try {
    const document = JSON.parse(text) as { status?: unknown; code?: unknown } | null
    const isOurs = document?.status === 'error' && typeof document.code === 'string'
    return isOurs ? String(document.code) : undefined
  } catch {
    return undefined
  }
}
