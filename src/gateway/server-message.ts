/** Requests and responses of `node:http`, to and from ours. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '../domain/app-error.ts'
import type { HttpBody, HttpRequest, HttpResponse } from '../http/message.ts'
import { decodedHeaders, headersProblem } from './header-text.ts'
import { arrivedBody, bodyOf } from './incoming-body.ts'
import { pathProblem, splitTarget } from './request-path.ts'
import { codingProblem } from './transfer-coding.ts'

/** Bytes of a body that are copied rather than sent apart from the head. */
const SMALL = 8192

export function requestOf(incoming: IncomingMessage): HttpRequest {
  // Only of responses that a client receives are they undefined.
  const { url, method, headers: bytes } = incoming as IncomingMessage & RequestHead
  const headers = decodedHeaders(bytes, incoming.rawHeaders)
  const { path, query } = splitTarget(url)
  const length = headers['content-length']
  const request: HttpRequest = {
    method,
    path,
    query,
    headers,
    body: bodyOf(incoming),
    arrived: () => arrivedBody(incoming),
    contentLength: length === undefined ? undefined : Number(length),
    remoteAddress: incoming.socket.remoteAddress ?? '',
    remoteUser: undefined,
    origin: `http://${headers['host'] ?? 'localhost'}`,
    mount: '',
  }
  const problem =
    pathProblem(path) ??
    headProblem(incoming) ??
    (headers === bytes ? undefined : headersProblem(headers))
  return problem ? { ...request, problem } : request
}

type RequestHead = {
  readonly url: string
  readonly method: string
  readonly headers: HttpRequest['headers']
}

/** What Node takes for the one expectation there is (RFC 9110 §10.1.1), and answers with a 100. */
const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i

/** What the parser lets through: HTTP/0.9, none or more than one Host (RFC 9112 §3.2), unknown expectations. */
function headProblem(incoming: IncomingMessage): AppError | undefined {
  const { httpVersionMajor, httpVersionMinor, headers } = incoming
  if (httpVersionMajor !== 1) return new AppError('bad-request', 'The request names no version')
  if (headers.host === undefined && httpVersionMinor > 0) {
    return new AppError('bad-header', 'Host is missing', { header: 'Host' })
  }
  if (headers.host?.includes(',')) {
    return new AppError('bad-header', 'Host must come once', { header: 'Host' })
  }
  if (headers.expect !== undefined && httpVersionMinor > 0 && !CONTINUE.test(headers.expect)) {
    return new AppError('bad-header', 'Expect must be 100-continue', { header: 'Expect' })
  }
  const doubled = TEXTS.find((name) => isDoubled(incoming, name.toLowerCase()))
  if (doubled !== undefined) {
    return new AppError('bad-header', `${doubled} must come once`, { header: doubled })
  }
  return codingProblem(headers['transfer-encoding'])
}

/** Headers that may say anything: of two of them the parser makes one that looks like any other. */
const TEXTS = ['ES-EventType', 'Kurrent-EventType']

function isDoubled(incoming: IncomingMessage, name: string): boolean {
  if (!incoming.headers[name]?.includes(',')) return false
  return (incoming.headersDistinct[name]?.length ?? 0) > 1
}

/**
 * Hands over a whole body at once and returns nothing; of one that is made meanwhile, resolves when the last
 * byte is handed over or nobody takes it, and rejects where the body breaks off.
 */
export function send(response: HttpResponse, outgoing: ServerResponse): Promise<void> | undefined {
  const { status, body } = response
  writeHead(outgoing, response)
  if (body === undefined || outgoing.req.method === 'HEAD' || status === 204 || status === 304) {
    outgoing.end()
  } else if (typeof body === 'string') outgoing.end(body)
  else if (body instanceof Uint8Array) endWith(body, outgoing)
  else return sendChunks(body, outgoing)
  return undefined
}

/** A text goes out in one piece with the head, bytes do not; and in Latin-1 every byte is a character. */
function endWith(body: Uint8Array, outgoing: ServerResponse): void {
  if (body.length > SMALL) outgoing.end(body)
  else
    outgoing.end(
      Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'),
      'latin1',
    )
}

function writeHead(outgoing: ServerResponse, response: HttpResponse): void {
  const headers = response.headers as Record<string, string | string[]>
  const { status, reason } = response
  if (reason === undefined) outgoing.writeHead(status, headers)
  else outgoing.writeHead(status, reason, headers)
}

/** A chunk is the sender's again once the next one is asked for, so each is written out first. */
async function sendChunks(
  body: Exclude<HttpBody, string>,
  outgoing: ServerResponse,
): Promise<void> {
  // A file that ends too early must not leave the client waiting for the rest. Of a whole body the length is
  // known to be right, and looking would cost a second write.
  outgoing.strictContentLength = true
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
