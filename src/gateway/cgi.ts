/**
 * One CGI request (RFC 3875): from environment and standard input to the app, and its response to standard
 * output. How variables become a request is `cgi-variables.ts`.
 *
 * The order is fixed: read, work, read what is left of the body, write. Under `mod_cgid` an answer that is
 * written before the body was read is lost, and one that is large deadlocks.
 */
import { AppError } from '../domain/app-error.ts'
import type { App, HttpResponse } from '../http/message.ts'
import { monotonicMs } from '../kit/monotonic.ts'
import { statusText } from '../kit/status-text.ts'
import { type CgiVariables, isOfUnknownLength, requestHead } from './cgi-variables.ts'
import {
  type Deadline,
  DeadlineError,
  openStandardStream,
  type StandardStream,
} from './standard-stream.ts'

export type CgiOptions = {
  readonly variables: CgiVariables
  /** Longest wait for the body, ms. */
  readonly bodyTimeoutMs: number
  /** Longest life of the request, ms. */
  readonly requestTimeoutMs: number
  /** Descriptors; of a process of one request 0 and 1. */
  readonly input: number
  readonly output: number
}

const CHUNK = 256 * 1024
const MOST_HEADER_BYTES = 8190

/**
 * Answers the request of this process.
 * @returns false where the answer could not be delivered whole
 */
export async function serveCgi(app: App, options: CgiOptions): Promise<boolean> {
  const started = monotonicMs()
  const end = started + options.requestTimeoutMs
  const head = requestHead(options.variables)
  const length = isOfUnknownLength(options.variables) ? undefined : (head.contentLength ?? 0)
  const deadline = Math.min(started + options.bodyTimeoutMs, end)
  const body = new CgiBody(length, deadline, options.input)
  const response = await app({ ...head, body })
  await body.drain()
  const output = await openStandardStream('output', options.output)
  return writeResponse(response, head.method, output, end)
}

/** The body as the handler reads it; what it leaves is drained. */
class CgiBody implements AsyncIterable<Uint8Array> {
  private readonly length: number | undefined
  private readonly deadline: Deadline
  private readonly fd: number
  private input: StandardStream | undefined
  private seen = 0
  private isAtEnd: boolean

  /** @param length announced bytes; `undefined` where the end of the input is the end of the body */
  constructor(length: number | undefined, deadline: Deadline, fd: number) {
    this.length = length
    this.deadline = deadline
    this.fd = fd
    this.isAtEnd = length === 0
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    // One for all: fresh memory for each piece is freed so late that it adds up to 100 MB.
    const buffer = Buffer.allocUnsafe(this.chunkSize())
    while (!this.isAtEnd) {
      const chunk = await this.next(buffer.subarray(0, this.chunkSize()))
      if (chunk.length > 0) yield chunk
    }
    if (this.length === undefined || this.length === 0) return
    if (this.seen < this.length) {
      throw new AppError('body-incomplete', 'The body is shorter than announced')
    }
    if (this.input?.hasMore()) {
      throw new AppError('body-incomplete', 'The body is longer than announced')
    }
  }

  async drain(): Promise<void> {
    const chunk = Buffer.allocUnsafe(this.isAtEnd ? 0 : CHUNK)
    try {
      while (!this.isAtEnd) await this.next(chunk.subarray(0, this.chunkSize()))
    } catch {
      // Nobody is there to send the rest; the answer is written all the same.
      this.isAtEnd = true
    }
  }

  private chunkSize(): number {
    return Math.min(CHUNK, (this.length ?? Number.POSITIVE_INFINITY) - this.seen)
  }

  private async next(into: Buffer): Promise<Uint8Array> {
    try {
      this.input ??= await openStandardStream('input', this.fd)
      const count = this.input.read(into, this.deadline)
      this.seen += count
      this.isAtEnd = count === 0 || this.seen === this.length
      return into.subarray(0, count)
    } catch (error) {
      this.isAtEnd = true
      if (error instanceof DeadlineError) {
        throw new AppError('request-timeout', 'The body did not arrive in time')
      }
      throw new AppError('body-incomplete', 'The body broke off', {}, error)
    }
  }
}

async function writeResponse(
  response: HttpResponse,
  method: string,
  output: StandardStream,
  deadline: Deadline,
): Promise<boolean> {
  const { status, body } = response
  const head = headBytes(response)
  const isBare = method === 'HEAD' || status === 204 || status === 304 || body === undefined
  try {
    if (isBare) return output.write(head, deadline)
    if (typeof body === 'string' || body instanceof Uint8Array) {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body
      return output.write(Buffer.concat([head, bytes]), deadline)
    }
    let isRead = output.write(head, deadline)
    for await (const chunk of body) {
      isRead = isRead && output.write(chunk, deadline)
      if (!isRead) break
    }
    return isRead
  } catch {
    // The head is out: all that can be done is to end. What went wrong with the body is in the log.
    return false
  }
}

/** The head of a response; `Status` first, or Apache would make its own of it. */
function headBytes({ status, reason, headers }: HttpResponse): Buffer {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}`),
  )
  if (!lines.every(isHeaderLine) || !/^[ -~]*$/.test(reason ?? '')) {
    return Buffer.from('Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\n')
  }
  const text = `Status: ${status} ${reason ?? statusText(status)}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`
  return Buffer.from(text, 'latin1')
}

/** No line end can be in a header line by construction; if one ever is, nothing of it goes out. */
function isHeaderLine(line: string): boolean {
  return (
    line.length <= MOST_HEADER_BYTES &&
    /^[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*$/.test(line)
  )
}
