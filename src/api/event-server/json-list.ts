/** A JSON array of texts as a body, piece by piece: memory stays flat however many there are. */
import type { HttpBody } from '../../http/message.ts'

const PIECE_CHARACTERS = 64 * 1024

/**
 * The body, begun: what fits one piece is made whole, so that a failure still becomes an error response and
 * the length is known; the rest follows while it is sent.
 */
export async function jsonListBody(texts: AsyncIterable<string>): Promise<HttpBody> {
  const pieces = listPieces(texts)
  const first = await pieces.next()
  if (first.done) return '[]'
  const second = await pieces.next()
  return second.done ? first.value : resumed([first.value, second.value], pieces)
}

async function* resumed(
  begun: readonly string[],
  rest: AsyncGenerator<string>,
): AsyncGenerator<Uint8Array> {
  try {
    for (const piece of begun) yield Buffer.from(piece)
    for await (const piece of rest) yield Buffer.from(piece)
  } finally {
    await rest.return(undefined)
  }
}

async function* listPieces(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = '['
  let isFirst = true
  for await (const text of texts) {
    if (piece.length > PIECE_CHARACTERS) {
      yield piece
      piece = ''
    }
    piece += isFirst ? text : `,${text}`
    isFirst = false
  }
  yield `${piece}]`
}
