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
import { PAGE_BYTES, PageCache } from './page-cache.ts'

/** Positions of one key that a table takes at most by `addSome`. */
export const SOME = 8
const NONE: readonly number[] = []
const SLOTS_PER_MEMBER = 2
const SLOT_BYTES = 8

export class KeyTable {
  private readonly pages: PageCache
  private readonly tables = new GrowingTables({
    firstMembers: 4096,
    slotsPerMember: SLOTS_PER_MEMBER,
    slotBytes: SLOT_BYTES,
  })

  constructor(disk: Disk, fd: Fd) {
    this.pages = new PageCache(disk, fd)
  }

  /**
   * Adds a key of the event at `position`; nothing happens where it is in already.
   * @returns the offset of its slot
   */
  add(key: Fingerprint, position: number): number {
    return this.put(key, position, Number.POSITIVE_INFINITY)
  }

  /** Like `add`, but of a key that comes again and again a table keeps the first few positions only: -1. */
  addSome(key: Fingerprint, position: number): number {
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

  /** Takes in where another thread has put a key; -1: nowhere. */
  notePlace(mark: number, position: number, at: number): void {
    if (at < 0) return
    this.pages.note({ mark, own: position - this.tables.tableOf(position).first + 1 }, at)
  }

  /** After writes that have failed. */
  forgetPages(): void {
    this.pages.forget()
  }

  /** Bytes that the file should have with so many events. */
  bytesAhead(events: number): number {
    return this.tables.bytesAhead(events)
  }

  /** Looks through the slots from the key's own place on and takes the first that is free. */
  private put(key: Fingerprint, position: number, most: number): number {
    const table = this.tables.tableOf(position)
    const own = position - table.first + 1
    let number = key.place % table.slots
    let same = 0
    for (let seen = 0; seen < table.slots; seen++) {
      const at = table.offset + number * SLOT_BYTES
      const page = this.pages.page(at)
      const relative = page.getUint32((at % PAGE_BYTES) + 4, true)
      if (relative === 0) {
        this.pages.put({ mark: key.mark, own }, at)
        return at
      }
      const isMark = page.getUint32(at % PAGE_BYTES, true) === key.mark
      if (isMark && relative === own) return at
      if (isMark && ++same >= most) return -1
      if (++number === table.slots) number = 0
    }
    return -1
  }
}
