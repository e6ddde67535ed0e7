/**
 * One call of the API: `POST <api-url>/api` with the text of the request. Whatever goes wrong is a result, too.
 * Nothing is repeated and no redirect is followed here; retries are the processor's.
 */
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { ApiCall, ApiResult } from '../domain/broker/processor-ports.ts'

export type ApiCallerOptions = {
  /** Base of the API, `http:` or `https:`. */
  readonly url: URL
  /** Largest answer that is taken, in bytes. */
  readonly maxResponseBytes: number
}

export type ApiCaller = (call: ApiCall) => Promise<ApiResult>

export function createApiCaller({ url, maxResponseBytes }: ApiCallerOptions): ApiCaller {
  const target = new URL(url)
  target.pathname = `${url.pathname.replace(/\/+$/, '')}/api`
  return async ({ text, key, signal }) => {
    try {
      const message = await answerOf(target, text, key, signal)
      return await resultOf(message, maxResponseBytes)
    } catch (error) {
      return { kind: 'failure', reason: reasonOf(error) }
    }
  }
}

async function answerOf(
  target: URL,
  text: string,
  key: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { request } = await (target.protocol === 'https:'
    ? import('node:https')
    : import('node:http'))
  const body = Buffer.from(text, 'utf8')
  return new Promise((resolve, reject) => {
    // A connection of its own: one that was kept may end just when the request is on its way.
    const sent: ClientRequest = request(target, {
      method: 'POST',
      agent: false,
      signal,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': String(body.length),
        'idempotency-key': key,
        connection: 'close',
      },
    })
    sent.on('response', resolve)
    sent.on('error', reject)
    sent.end(body)
  })
}

async function resultOf(message: IncomingMessage, maxBytes: number): Promise<ApiResult> {
  const { statusCode = 0, statusMessage = '' } = message
  if (statusCode !== 200) {
    message.destroy()
    return { kind: 'failure', reason: plain(`${statusCode} ${statusMessage}`) }
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) {
      message.destroy()
      return { kind: 'failure', reason: `the answer is larger than ${maxBytes} bytes` }
    }
    chunks.push(chunk)
  }
  if (size === 0) return { kind: 'failure', reason: 'the answer is empty' }
  return responseOf(Buffer.concat(chunks))
}

/** The text as it came; Base64 where it is no UTF-8. */
function responseOf(bytes: Buffer): ApiResult {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return { kind: 'response', text }
  } catch {
    return { kind: 'response', text: bytes.toString('base64'), encoding: 'base64' }
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was closed without an answer',
  ENOTFOUND: 'the name of the host is not known',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'the host does not answer',
}

function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  const words = REASONS[code]
  return plain(words === undefined ? (message ?? String(error)) : `${words} (${code})`)
}

/** One line of bounded length. */
function plain(text: string): string {
  return text
    .replaceAll(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, 500)
}
