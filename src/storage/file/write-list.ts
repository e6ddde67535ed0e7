/**
 * Writes in place, and puts into hash tables (`slot-put.ts`), that are gathered first and made later, in their order, by
 * whoever has the time (`Disk.writeAll`). They are packed into memory that threads share: what is made of
 * objects, one a write, costs as much as the call that is saved.
 *
 * A write is a row of 24 bytes and its bytes, padded to a multiple of 8; a put has a row of its own kind:
 *
 *      0  u32  file      4  u32  number of bytes      8  f64  position
 *     16  u32  where the row of the write before it in the same piece begins + 1; 0: there is none
 */
import {
  answerOf,
  fillPut,
  PUT,
  PUT_BYTES,
  type Put,
  putSlot,
  SLOT_BYTES,
  SLOTS_AT_ONCE,
  type Slot,
  slotIn,
} from './slot-put.ts'

export const ROW_BYTES = 24
const FIRST_BYTES = 256 << 10
/** Rows are found by the piece of a file that they lie in: few of them lie in the same. */
const PIECE_BYTES = 512
/** Files whose pieces have numbers of their own; those of others are told apart row by row. */
const FILES = 8
const NONE: readonly number[] = []

/** How a list is to be made. */
export type ListKind = {
  /** Whether this process may have put something into its tables otherwise since the list before. */
  readonly isFirst: boolean
  /** Whether whoever makes it is behind. */
  readonly isUrgent: boolean
}

/** As the disk has them. */
type Access = {
  readAt(fd: number, into: Uint8Array, position: number): number
  writeAt(fd: number, bytes: Uint8Array, position: number): void
}

export class WriteList {
  how: ListKind = { isFirst: true, isUrgent: false }
  /** How many there are. */
  puts = 0
  private bytes = new Uint8Array(new SharedArrayBuffer(FIRST_BYTES))
  private view = new DataView(this.bytes.buffer)
  private filled = 0
  /** The last row in each piece; those of writes that lie in several are left out. */
  private readonly last = new Map<number, number>()

  /** All rows; valid until the list is changed. */
  get packed(): Uint8Array {
    return this.bytes.subarray(0, this.filled)
  }

  add(fd: number, bytes: Uint8Array, position: number): void {
    const { filled } = this
    const end = filled + ROW_BYTES + Math.ceil(bytes.length / 8) * 8
    if (end > this.bytes.length) this.grow(end)
    this.view.setUint32(filled, fd, true)
    this.view.setUint32(filled + 4, bytes.length, true)
    this.view.setFloat64(filled + 8, position, true)
    this.view.setUint32(filled + 16, this.note(fd, bytes.length, position), true)
    this.bytes.set(bytes, filled + ROW_BYTES)
    this.filled = end
  }

  addPut(fd: number, put: Put): void {
    const { filled } = this
    if (filled + PUT_BYTES > this.bytes.length) this.grow(filled + PUT_BYTES)
    fillPut(this.view, filled, fd, put)
    this.filled = filled + PUT_BYTES
    this.puts++
  }

  /** Makes all of it at once, in its order. */
  make({ readAt, writeAt }: Access): void {
    const slots = new Uint8Array(SLOTS_AT_ONCE * SLOT_BYTES)
    const calls = {
      read: (fd: number, into: Uint8Array, size: number, position: number) =>
        readAt(fd, into.subarray(0, size), position),
      write: (fd: number, bytes: Uint8Array, start: number, size: number, position: number) =>
        writeAt(fd, bytes.subarray(start, start + size), position),
    }
    for (let at = 0; at < this.filled; at = this.behind(at)) {
      const { fd, size, position } = this.row(at)
      if (size === PUT) putSlot(this.view, at, slots, calls)
      else writeAt(fd, this.bytes.subarray(at + ROW_BYTES, at + ROW_BYTES + size), position)
    }
  }

  /** Tells of each put what it has put, and where that stands in the file; -1: nowhere. */
  readAnswers(take: (fd: number, slot: Slot, at: number) => void): void {
    for (let at = 0; at < this.filled; at = this.behind(at)) {
      const { fd, size } = this.row(at)
      if (size === PUT) take(fd, slotIn(this.view, at), answerOf(this.view, at))
    }
  }

  /**
   * Puts into bytes that were read of a file what the gathered writes will change in them. Of writes that lie in
   * several pieces nothing is seen.
   * @param filled how many bytes the file had
   * @returns how many it would have
   */
  patch(fd: number, into: Uint8Array, position: number, filled: number): number {
    let end = filled
    const lastPiece = Math.floor((position + into.length - 1) / PIECE_BYTES)
    for (let piece = Math.floor(position / PIECE_BYTES); piece <= lastPiece; piece++) {
      for (const at of this.rowsIn(fd, piece)) {
        const start = this.row(at).position - position
        const bytes = this.bytes.subarray(at + ROW_BYTES, at + ROW_BYTES + this.row(at).size)
        const seen = bytes.subarray(Math.max(0, -start), Math.max(0, into.length - start))
        if (seen.length === 0) continue
        const from = Math.max(0, start)
        if (from > end) into.fill(0, end, from)
        into.set(seen, from)
        end = Math.max(end, from + seen.length)
      }
    }
    return end
  }

  clear(): void {
    this.filled = 0
    this.puts = 0
    this.last.clear()
  }

  /** The rows that lie in a piece, in their order. */
  private rowsIn(fd: number, piece: number): readonly number[] {
    let next = this.last.get(piece * FILES + (fd % FILES)) ?? 0
    if (next === 0) return NONE
    const rows: number[] = []
    while (next > 0) {
      const row = this.row(next - 1)
      if (row.fd === fd) rows.push(next - 1)
      next = row.before
    }
    return rows.reverse()
  }

  /** Where the next row begins. */
  private behind(at: number): number {
    const { size } = this.row(at)
    return at + (size === PUT ? PUT_BYTES : ROW_BYTES + Math.ceil(size / 8) * 8)
  }

  private row(at: number) {
    const { view } = this
    return {
      fd: view.getUint32(at, true),
      size: view.getUint32(at + 4, true),
      position: view.getFloat64(at + 8, true),
      before: view.getUint32(at + 16, true),
    }
  }

  /** @returns the row before the one that is added now, as it is kept there */
  private note(fd: number, size: number, position: number): number {
    const piece = Math.floor(position / PIECE_BYTES)
    if (position + size > (piece + 1) * PIECE_BYTES) return 0
    const key = piece * FILES + (fd % FILES)
    const before = this.last.get(key) ?? 0
    this.last.set(key, this.filled + 1)
    return before
  }

  private grow(wanted: number): void {
    const size = Math.max(this.bytes.length * 2, wanted)
    const larger = new Uint8Array(new SharedArrayBuffer(size))
    larger.set(this.packed)
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }
}
