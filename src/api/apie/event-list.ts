/** Many events as one body, JSON array or NDJSON, in big pieces: memory stays flat however many there are. */
import type { StoredEvent } from '../../domain/event.ts'
import { eventTextSize, writeEventText } from '../../domain/event-text.ts'
import type { HttpBody } from '../../http/message.ts'

const PIECE_BYTES = 64 * 1024

/** How a list is written: what stands before, between and after the events, or where there are none. */
type ListForm = {
  readonly open: string
  /** A byte. */
  readonly separator: number
  readonly close: string
  readonly empty: string
}

export const JSON_LIST: ListForm = { open: '[', separator: 0x2c, close: ']', empty: '[]' }
export const NDJSON_LIST: ListForm = { open: '', separator: 0x0a, close: '\n', empty: '' }

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
  const pieces = textListPieces(texts(form.separator), form)
  const first = await pieces.next()
  return first.done ? '' : resumed([first.value], pieces)
}

async function* textListPieces(
  texts: AsyncIterable<Uint8Array>,
  { open, close, empty }: ListForm,
): AsyncGenerator<Uint8Array> {
  let isFirst = true
  for await (const piece of texts) {
    // No separator stands before the first one.
    if (isFirst) yield Buffer.concat([Buffer.from(open), piece.subarray(1)])
    else yield piece
    isFirst = false
  }
  yield Buffer.from(isFirst ? empty : close)
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
  { open, separator, close, empty }: ListForm,
): AsyncGenerator<Buffer> {
  // Two that take turns: the sender is done with a piece when it asks for the one after the next.
  let piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
  let spare = Buffer.allocUnsafeSlow(PIECE_BYTES)
  let at = piece.write(open)
  let isFirst = true
  for await (const run of runs) {
    for (const event of run) {
      const size = eventTextSize(event) + 1
      if (at + size > piece.length) {
        if (at > 0) yield piece.subarray(0, at)
        ;[piece, spare] = [spare, piece]
        if (size > piece.length) piece = Buffer.allocUnsafeSlow(size)
        at = 0
      }
      if (!isFirst) piece[at++] = separator
      at = writeEventText(event, piece, at)
      isFirst = false
    }
  }
  yield isFirst ? Buffer.from(empty) : Buffer.concat([piece.subarray(0, at), Buffer.from(close)])
}
