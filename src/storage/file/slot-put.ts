/**
 * Puts a position into a hash table of an index (`key-table.ts`): looks through the slots from the key's own place
 * on and takes the first that is free. A row of 56 bytes says what to put where and takes the answer, so that a
 * thread that shares its memory can do it, too:
 *
 *      0  u32  file                               24  f64  slots of the table
 *      4  u32  2^32 - 1: it is no write           32  f64  slot to begin with
 *      8  f64  where the table begins             40  u32  mark
 *     16  f64  most positions of one mark         44  u32  position within the table + 1
 *     48  f64  answer: where it stands in the file; -1: there are as many of the mark as the table takes
 */
import type { Fingerprint } from './fingerprint.ts'
import type { Table } from './growing-tables.ts'

export const PUT_BYTES = 56
/** Stands in the row of a put where that of a write has its size. */
export const PUT = 2 ** 32 - 1
export const SLOT_BYTES = 8
/** Slots that are looked at together. */
export const SLOTS_AT_ONCE = 8

export type Put = {
  readonly table: Table
  readonly key: Fingerprint
  readonly position: number
  /** Positions of one mark that the table takes. */
  readonly most: number
}

/** What a slot holds: a mark and the position within the table + 1. */
export type Slot = { readonly mark: number; readonly own: number }

type Calls = {
  /** Fills the beginning of `into` with up to `size` bytes of a file; returns how many. */
  readonly read: (fd: number, into: Uint8Array, size: number, position: number) => number
  /** Writes `size` bytes, from `start` on. */
  readonly write: (
    fd: number,
    bytes: Uint8Array,
    start: number,
    size: number,
    position: number,
  ) => void
}

export function fillPut(row: DataView, at: number, fd: number, put: Put): void {
  const { table, key, position, most } = put
  row.setUint32(at, fd, true)
  row.setUint32(at + 4, PUT, true)
  row.setFloat64(at + 8, table.offset, true)
  row.setFloat64(at + 16, most, true)
  row.setFloat64(at + 24, table.slots, true)
  row.setFloat64(at + 32, key.place % table.slots, true)
  row.setUint32(at + 40, key.mark, true)
  row.setUint32(at + 44, position - table.first + 1, true)
  row.setFloat64(at + 48, -1, true)
}

/** Where the put stands that a row was about, or -1. */
export const answerOf = (row: DataView, at: number): number => row.getFloat64(at + 48, true)

/** The slot that the put of a row asks for. */
export function slotIn(row: DataView, at: number): Slot {
  return { mark: row.getUint32(at + 40, true), own: row.getUint32(at + 44, true) }
}

/**
 * Does what a row says. Also runs as a text in another thread: it knows nothing but what it is given.
 * @param slots memory for the slots that are looked at
 */
export function putSlot(row: DataView, at: number, slots: Uint8Array, calls: Calls): void {
  const fd = row.getUint32(at, true)
  const table = row.getFloat64(at + 8, true)
  const most = row.getFloat64(at + 16, true)
  const count = row.getFloat64(at + 24, true)
  const mark = row.getUint32(at + 40, true)
  const own = row.getUint32(at + 44, true)
  const seen = new DataView(slots.buffer, slots.byteOffset)
  let slot = row.getFloat64(at + 32, true)
  let same = 0
  for (let left = count; left > 0; ) {
    const offset = table + slot * 8
    const size = Math.min(slots.length, (count - slot) * 8)
    slots.fill(0, calls.read(fd, slots, size, offset), size)
    for (let next = 0; next < size; next += 8) {
      const relative = seen.getUint32(next + 4, true)
      const isMark = relative > 0 && seen.getUint32(next, true) === mark
      if (relative === 0) {
        seen.setUint32(next, mark, true)
        seen.setUint32(next + 4, own, true)
        calls.write(fd, slots, next, 8, offset + next)
      }
      if (relative === 0 || (isMark && relative === own)) {
        row.setFloat64(at + 48, offset + next, true)
        return
      }
      if (isMark && ++same >= most) return
    }
    left -= size / 8
    slot = (slot + size / 8) % count
  }
}
