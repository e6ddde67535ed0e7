/**
 * `index/…/sequences`: from a sequence to its first member and, as a hint, to a late one.
 *
 * A row of hash tables as in `key-table.ts`, by the number of sequences there are. A slot is 32 bytes:
 *
 *      0  16 B  fingerprint of the sequence      22  u40  hint + 1
 *     16  u40   position of the first member     27  u40  other hint + 1
 *     21  u8    1: in use
 *
 * Fingerprint and first member are written once and are the same whoever writes them. A hint is written
 * over, and a process that was paused between reading and writing may set it back. It is therefore never
 * believed: whoever reads it goes on from there along the links that each later member has set
 * (`links` of `log-index.ts`). Of the two hints, one always stays behind the point up to which the
 * index was synced, for the time after a loss of power.
 */
import { damagedIndex } from './damaged-index.ts'
import type { Disk, Fd } from './disk.ts'
import { GrowingTables, type Table } from './growing-tables.ts'
import type { SequenceMoves } from './index-job.ts'

const SLOT = 32
/** Bytes of a fingerprint. */
const KEY = 16
/** Offset in a slot of what says that it is in use. */
const USED = 21
const FIRST_MEMBERS = 1024
/** Half of the slots stay free. */
const TABLES = new GrowingTables({
  firstMembers: FIRST_MEMBERS,
  slotsPerMember: 2,
  slotBytes: SLOT,
})
const RUN = 4
const HINTS = [22, 27] as const

/** 16 bytes that stand for a sequence; two sequences have the same with a chance below 10^-20. */
export type SequenceFingerprint = Uint8Array

export type SequenceSlot = {
  /** Offset of the slot in the file. */
  readonly at: number
  readonly first: number
  /** Positions; -1: none. */
  readonly hints: readonly [number, number]
}

export class SequenceTable {
  private readonly disk: Disk
  private readonly fd: Fd
  private readonly run = Buffer.alloc(RUN * SLOT)
  private wasWhole = false

  constructor(disk: Disk, fd: Fd) {
    this.disk = disk
    this.fd = fd
  }

  /** @param sequences how many sequences there are */
  find(key: SequenceFingerprint, sequences: number): SequenceSlot | undefined {
    for (let level = TABLES.levelBelow(sequences); level >= 0; level--) {
      const found = this.probe(TABLES.table(level), key)
      if (found.kind === 'found') return found.slot
    }
    return undefined
  }

  /**
   * Whether the first table has as many sequences as there are: without a look, a file that was cut off or
   * zeroed would pass for one of other sequences. Looked at once.
   */
  isWhole(sequences: number): boolean {
    if (this.wasWhole) return true
    const { slots, offset } = TABLES.table(0)
    const bytes = Buffer.alloc(slots * SLOT)
    this.disk.readAt(this.fd, bytes, offset)
    let used = 0
    for (let at = USED; at < bytes.length; at += SLOT) if (bytes[at] !== 0) used++
    this.wasWhole = used >= Math.min(sequences, FIRST_MEMBERS)
    return this.wasWhole
  }

  write({ keys, positions, begun, firstNumber, synced }: SequenceMoves): void {
    for (const [at, position] of positions.entries()) {
      const key = keys.subarray(at * KEY, (at + 1) * KEY)
      if (at < begun) this.add(key, firstNumber + at, position)
      else this.noteLater(key, firstNumber + begun, position, synced)
    }
  }

  /** Adds the sequence with the given 0-based number in the order of their beginnings. */
  add(key: SequenceFingerprint, number: number, first: number): void {
    const table = TABLES.tableOf(number)
    const found = this.probe(table, key)
    if (found.kind === 'found') return
    const slot = Buffer.alloc(SLOT)
    slot.set(key)
    slot.writeUIntLE(first, 16, 5)
    slot[USED] = 1
    slot.writeUIntLE(first + 1, HINTS[0], 5)
    this.disk.writeAt(this.fd, slot, found.at)
  }

  private noteLater(
    key: SequenceFingerprint,
    sequences: number,
    position: number,
    synced: number,
  ): void {
    const slot = this.find(key, sequences)
    if (!slot) return
    const [a, b] = slot.hints
    if (a >= position || b >= position) return
    const later = a > b ? 0 : 1
    const index = slot.hints[later] >= synced ? later : 1 - later
    const bytes = Buffer.alloc(5)
    bytes.writeUIntLE(position + 1, 0, 5)
    this.disk.writeAt(this.fd, bytes, slot.at + (HINTS[index] as number))
  }

  private probe(
    table: Table,
    key: SequenceFingerprint,
  ): { kind: 'found'; slot: SequenceSlot } | { kind: 'free'; at: number } {
    const start = Buffer.from(key.buffer, key.byteOffset, 4).readUInt32LE(0) % table.slots
    for (let seen = 0; seen < table.slots; ) {
      const number = (start + seen) % table.slots
      const count = Math.min(RUN, table.slots - number)
      const into = this.run.subarray(0, count * SLOT)
      into.fill(0, this.disk.readAt(this.fd, into, table.offset + number * SLOT))
      for (let index = 0; index < count; index++) {
        const bytes = into.subarray(index * SLOT, (index + 1) * SLOT)
        const at = table.offset + (number + index) * SLOT
        if (bytes[USED] === 0) return { kind: 'free', at }
        if (bytes.compare(key, 0, 16, 0, 16) === 0)
          return { kind: 'found', slot: slotOf(bytes, at) }
      }
      seen += count
    }
    throw damagedIndex('has a table of sequences without a free place')
  }
}

function slotOf(bytes: Buffer, at: number): SequenceSlot {
  return {
    at,
    first: bytes.readUIntLE(16, 5),
    hints: [bytes.readUIntLE(HINTS[0], 5) - 1, bytes.readUIntLE(HINTS[1], 5) - 1],
  }
}
