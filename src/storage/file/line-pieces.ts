/** Reads a file of lines in pieces. Which lines those are, and what they mean, is `segment.ts` and `log-line.ts`. */

/** Complete lines as they stand in the file from `offset` on. */
export type LinePiece = { readonly bytes: Buffer; readonly offset: number }

/** Fills as much of `into` as the file has from `offset` on; returns the number of bytes. */
type Read = (into: Buffer, offset: number) => number | Promise<number>

const LF = 10

/**
 * The lines from `from` to `to`, each piece ending with a line feed; what follows the last one is left out. A
 * piece is valid until the next one is asked for. From the second one on the next is read meanwhile: whoever
 * wants few lines pays for no more, and whoever wants all of them does not wait.
 * @param size bytes read in one go, unless a line has more
 */
export async function* linePieces(
  read: Read,
  from: number,
  to: number,
  size: number,
): AsyncGenerator<LinePiece> {
  let buffer = Buffer.allocUnsafeSlow(Math.min(size, Math.max(4096, to - from)))
  let spare: typeof buffer | undefined
  let ahead: Promise<number> | undefined
  try {
    for (let at = from; at < to; ) {
      const wanted = Math.min(buffer.length, to - at)
      const count = await (ahead ?? read(buffer.subarray(0, wanted), at))
      ahead = undefined
      const bytes = buffer.subarray(0, buffer.subarray(0, count).lastIndexOf(LF) + 1)
      if (bytes.length === 0) {
        if (count < wanted || at + count >= to) return
        buffer = Buffer.allocUnsafeSlow(buffer.length * 4)
        spare = undefined
        continue
      }
      const offset = at
      at += bytes.length
      if (offset > from && at < to) {
        const next = spare ?? Buffer.allocUnsafeSlow(buffer.length)
        ahead = readAhead(read, next.subarray(0, to - at), at)
        spare = buffer
        buffer = next
      }
      yield { bytes, offset }
    }
  } finally {
    // Until then the file has to stay open.
    await ahead?.catch(ignore)
  }
}

/** A failure shows when the piece is asked for. */
function readAhead(read: Read, into: Buffer, at: number): Promise<number> {
  const reading = (async () => read(into, at))()
  reading.catch(ignore)
  return reading
}

function ignore(): void {}
