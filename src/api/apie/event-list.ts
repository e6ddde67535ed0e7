/** Many events as one body, JSON array or NDJSON, in big pieces: memory stays flat however many there are. */
import type { StoredEvent } from '../../domain/event.ts'
import { eventTextSize, writeEventText } from '../../domain/event-text.ts'
import type { HttpBody } from '../../http/message.ts'

const PIECE_BYTES = 64 * 1024

const COMMA = 0x2c
const NEWLINE = 0x0a

/** How a list is written: what stands before, between and after the events. */
type ListForm = { readonly open: string; readonly close: string; readonly isLines: boolean }

export const JSON_LIST: ListForm = { open: '[', close: ']', isLines: false }
export const NDJSON_LIST: ListForm = { open: '', close: '', isLines: true }

/**
 * The body, begun: what fits one piece is made whole, so that a failure still becomes an error response and
 * the length is known; the rest follows while it is sent.
 */
export async function eventListBody(
  runs: AsyncIterable<readonly StoredEvent[]>,
  form: ListForm,
): Promise<HttpBody> {
  const pieces = eventListPieces(runs, form)
  const first = await pieces.next()
  if (first.done) return ''
  const second = await pieces.next()
  return second.done ? first.value : resumed([first.value, second.value], pieces)
}

/** The same of texts that are made already, each behind the byte that is asked for. */
export async function textListBody(
  texts: (separator: number) => AsyncIterable<Uint8Array>,
  form: ListForm,
): Promise<HttpBody> {
  const pieces = textListPieces(texts(form.isLines ? NEWLINE : COMMA), form)
  const first = await pieces.next()
  return first.done ? '' : resumed([first.value], pieces)
}

async function* textListPieces(
  texts: AsyncIterable<Uint8Array>,
  { open, close, isLines }: ListForm,
): AsyncGenerator<Uint8Array> {
  let isFirst = true
  for await (const piece of texts) {
    // No separator stands before the first one.
    if (isFirst) yield Buffer.concat([Buffer.from(open), piece.subarray(1)])
    else yield piece
    isFirst = false
  }
  yield Buffer.from(isLines ? '\n' : close)
}

async function* resumed(
  begun: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* begun
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

async function* eventListPieces(
  runs: AsyncIterable<readonly StoredEvent[]>,
  { open, close, isLines }: ListForm,
): AsyncGenerator<Buffer> {
  // Two that take turns: the sender is done with a piece when it asks for the one after the next.
  let piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
  let spare = Buffer.allocUnsafeSlow(PIECE_BYTES)
  let at = piece.write(open)
  let isFirst = true
  for await (const run of runs) {
    for (const event of run) {
      const size = eventTextSize(event) + 2
      if (at + size > piece.length) {
        if (at > 0) yield piece.subarray(0, at)
        ;[piece, spare] = [spare, piece]
        if (size > piece.length) piece = Buffer.allocUnsafeSlow(size)
        at = 0
      }
      if (!isLines && !isFirst) piece[at++] = COMMA
      at = writeEventText(event, piece, at)
      if (isLines) piece[at++] = NEWLINE
      isFirst = false
    }
  }
  yield Buffer.concat([piece.subarray(0, at), Buffer.from(close)])
}
