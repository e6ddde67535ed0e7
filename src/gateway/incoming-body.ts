/** The body of a request as `node:http` receives it: read by the handler, and drained where it did not. */
import type { IncomingMessage } from 'node:http'
import { AppError } from '../domain/app-error.ts'

/** Bodies of at most so many bytes are handed on in one piece: each piece costs more than it carries. */
const SMALL = 64 * 1024
/** Bytes of a body nobody wants that are read before the answer, to keep the connection. */
const MOST_DRAINED_BYTES = 1 << 20

/** How to invite the bodies whose clients asked whether to send them (`Expect`, RFC 9110 §10.1.1). */
const invitations = new WeakMap<IncomingMessage, () => void>()

/** Leaves a client waiting until its body is wanted; a request that is refused before that costs it nothing. */
export function inviteWhenRead(incoming: IncomingMessage, invite: () => void): void {
  invitations.set(incoming, invite)
}

/** @throws AppError `body-incomplete` while it is read */
export function bodyOf(incoming: IncomingMessage): AsyncIterable<Uint8Array> {
  const length = announcedLength(incoming)
  if (length === 0) return NOTHING
  return length <= SMALL ? inOnePiece(incoming) : inPieces(incoming)
}

/** The whole body where it came along with the head, as most small ones do; afterwards nothing is left. */
export function arrivedBody(incoming: IncomingMessage): Uint8Array | undefined {
  const length = announcedLength(incoming)
  if (length === 0 || length > SMALL) return undefined
  // Node tells of the end of a body after it has let others run.
  const isWhole = incoming.complete || incoming.readableLength === length
  return isWhole ? ((incoming.read() as Uint8Array | null) ?? undefined) : undefined
}

/** Infinity where it is sent in chunks. */
function announcedLength({ headers }: IncomingMessage): number {
  if (headers['transfer-encoding'] !== undefined) return Number.POSITIVE_INFINITY
  return Number(headers['content-length'] ?? 0)
}

const NOTHING: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {},
}

async function* inOnePiece(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
  // Mostly it came along with the head and is there: reading it so saves the work of listening.
  const present = arrivedBody(incoming)
  if (present) return yield present
  const pieces: Uint8Array[] = []
  if (!(await flow(incoming, (piece) => pieces.push(piece) > 0))) throw brokenOff()
  yield Buffer.concat(pieces)
}

async function* inPieces(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
  for (;;) {
    let piece: Uint8Array | undefined
    const isWhole = await flow(incoming, (next) => {
      piece = next
      incoming.pause()
      return false
    })
    if (piece === undefined) {
      if (isWhole) return
      throw brokenOff()
    }
    yield piece
    release(piece)
  }
}

/**
 * Gives the memory of a piece back at once. Node copies each one into memory of its own, which the collector
 * takes for small: it lets tens of megabytes of them gather.
 */
function release({ buffer, byteLength }: Uint8Array): void {
  // Only what is all its own: small ones may share theirs.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

function brokenOff(cause?: unknown): AppError {
  return new AppError('body-incomplete', 'The body broke off', {}, cause)
}

/** Reads what the handler left of a body; false where that is too much to wait for, was not asked for, or never comes. */
export async function drain(incoming: IncomingMessage): Promise<boolean> {
  if (invitations.has(incoming)) return false
  if (announcedLength(incoming) > MOST_DRAINED_BYTES && !isChunked(incoming)) return false
  let bytes = 0
  return flow(incoming, (piece) => {
    bytes += piece.length
    return bytes <= MOST_DRAINED_BYTES
  })
}

function isChunked({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined
}

/** Hands every piece to `take` until the end (true), until `take` says no, or until it breaks off (false). */
function flow(incoming: IncomingMessage, take: (piece: Uint8Array) => boolean): Promise<boolean> {
  invitations.get(incoming)?.()
  invitations.delete(incoming)
  return new Promise((resolve) => {
    const finish = (isWhole: boolean) => {
      incoming.off('data', hear).off('end', whole).off('close', broken)
      resolve(isWhole)
    }
    const hear = (piece: Uint8Array) => void (take(piece) || finish(false))
    const whole = () => finish(true)
    const broken = () => finish(incoming.readableEnded)
    if (incoming.readableEnded || incoming.destroyed) broken()
    else incoming.on('data', hear).on('end', whole).on('close', broken).resume()
  })
}
