/** Cuts a stream of pieces of any size into chunks of one size; only the last one may be shorter. */
export class ChunkSizer {
  private readonly size: number
  private filling: Buffer
  private filled = 0

  /** @param size in bytes */
  constructor(size: number) {
    this.size = size
    this.filling = Buffer.allocUnsafe(size)
  }

  /** The chunks that `piece` makes full. Its bytes are copied; a chunk is valid until the next one is asked for. */
  *take(piece: Uint8Array): Generator<Buffer> {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + this.size - this.filled)
      this.filling.set(part, this.filled)
      this.filled += part.length
      at += part.length
      if (this.filled < this.size) continue
      this.filled = 0
      yield this.filling
    }
  }

  /** What is left at the end; empty where the last chunk was full. */
  rest(): Buffer {
    return this.filling.subarray(0, this.filled)
  }
}
