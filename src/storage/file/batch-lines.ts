/** The lines of a batch, worded one behind the other in the memory that is then written to the log. */
import { commitBytes, type LineEvent, type LogPoint, writeCommit } from './log-line.ts'

/** Bytes that are made ready for lines that are not worded yet. */
const MOST_AHEAD = 65_536

export class BatchLines {
  private bytes: Buffer
  private filled: number
  private readonly count: number

  /**
   * @param prefix what stands before the first line
   * @param count  lines that there will be, about
   */
  constructor(prefix: string, count: number) {
    this.bytes = Buffer.from(prefix)
    this.filled = this.bytes.length
    this.count = count
  }

  get all(): Buffer {
    return this.bytes.subarray(0, this.filled)
  }

  /**
   * Adds the line of a commit that stands behind `before`.
   * @returns its events, which begin where `start` says in the line, and the bytes of the line
   */
  add(
    before: LogPoint,
    texts: readonly string[],
  ): { readonly worded: readonly LineEvent[]; readonly length: number } {
    const wanted = commitBytes(texts)
    if (this.filled + wanted > this.bytes.length) this.grow(wanted)
    const { events, end } = writeCommit(this.bytes, this.filled, before, texts)
    const length = end - this.filled
    this.filled = end
    return { worded: events, length }
  }

  /** Whoever has views of the memory before keeps it as it was. */
  private grow(wanted: number): void {
    const ahead = Math.min(wanted * this.count, MOST_AHEAD)
    const larger = Buffer.allocUnsafe(this.filled + Math.max(wanted, ahead, this.filled))
    larger.set(this.all)
    this.bytes = larger
  }
}
