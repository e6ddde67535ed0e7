/**
 * `index/…/hashes`, `ids` and `repeats`: from a key (hash of an event; event id; stream and event id) to positions
 * that may hold it.
 *
 * The file is a row of hash tables (`growing-tables.ts`), so that nothing is
 * ever moved and a look-up reads one short run of slots in each of a handful of tables. A slot is 8 bytes:
 * 32 bits of the key's fingerprint and the position within the table's range + 1.
 *
 * Slots are written once, in the order of positions, and where a key goes depends on the keys before it
 * only. Two processes that index the same events at the same time therefore write the same bytes to the same
 * places, and one that was stopped half-way is finished by the next.
 */
import type { Disk, Fd } from './disk.ts'
import type { Fingerprint } from './fingerprint.ts'
import { GrowingTables } from './growing-tables.ts'
import type { IndexWrites } from './index-writes.ts'
import { PAGE_BYTES, PageCache } from './page-cache.ts'
import {
  answerOf,
  fillPut,
  PUT_BYTES,
  type Put,
  putSlot,
  SLOT_BYTES,
  SLOTS_AT_ONCE,
  type Slot,
} from './slot-put.ts'

/** Positions of one key that a table takes at most by `addSome`. */
export const SOME = 8
const NONE: readonly number[] = []
const SLOTS_PER_MEMBER = 2

export class KeyTable {
  private readonly writes: IndexWrites
  private readonly fd: Fd
  private readonly pages: PageCache
  private readonly tables = new GrowingTables({
    firstMembers: 4096,
    slotsPerMember: SLOTS_PER_MEMBER,
    slotBytes: SLOT_BYTES,
  })
  private readonly row = new DataView(new ArrayBuffer(PUT_BYTES))
  private readonly slots = new Uint8Array(SLOTS_AT_ONCE * SLOT_BYTES)

  /** @param writes which puts are gathered in, where writes are */
  constructor(disk: Disk, writes: IndexWrites, fd: Fd) {
    this.writes = writes
    this.fd = fd
    this.pages = new PageCache(disk, fd)
  }

  /** Adds a key of the event at `position`; nothing happens where it is in already. */
  add(key: Fingerprint, position: number): void {
    this.put(key, position, Number.POSITIVE_INFINITY)
  }

  /**
   * Like `add`, but of a key that comes again and again a table keeps the first few positions only.
   * @returns false where it has as many; true also where that is not known before the writes are made
   */
  addSome(key: Fingerprint, position: number): boolean {
    return this.put(key, position, SOME)
  }

  /** Positions below `end` whose event may have the key, latest first; the caller compares the real key. */
  find(key: Fingerprint, end: number): readonly number[] {
    let found: number[] | undefined
    for (let level = this.tables.levelBelow(end); level >= 0; level--) {
      const table = this.tables.table(level)
      let number = key.place % table.slots
      for (let seen = 0; seen < table.slots; seen++) {
        const at = table.offset + number * SLOT_BYTES
        const page = this.pages.page(at)
        const relative = page.getUint32((at % PAGE_BYTES) + 4, true)
        if (relative === 0) break
        const position = table.first + relative - 1
        if (position < end && page.getUint32(at % PAGE_BYTES, true) === key.mark) {
          found ??= []
          found.push(position)
        }
        if (++number === table.slots) number = 0
      }
    }
    return found ?? NONE
  }

  /** Takes in what another thread has put there. */
  notePut(slot: Slot, at: number): void {
    this.pages.note(slot, at)
  }

  /** After writes that have failed. */
  forgetPages(): void {
    this.pages.forget()
  }

  /** Bytes that the file should have with so many events. */
  bytesAhead(events: number): number {
    return this.tables.bytesAhead(events)
  }

  private put(key: Fingerprint, position: number, most: number): boolean {
    const put: Put = { table: this.tables.tableOf(position), key, position, most }
    if (this.writes.addPut(this.fd, put)) return true
    fillPut(this.row, 0, this.fd, put)
    putSlot(this.row, 0, this.slots, this.pages)
    return answerOf(this.row, 0) >= 0
  }
}
