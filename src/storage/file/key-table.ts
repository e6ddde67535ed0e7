/**
 * `index/…/keys` and `index/…/ids`: from a key (hash of an event; stream and event id; event id alone) to
 * positions that may hold it.
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
import { GrowingTables, type Table } from './growing-tables.ts'
import { PageCache } from './page-cache.ts'

const SLOT = 8
/** Positions of one key that a table takes at most by `addSome`. */
const SOME = 8

/** 8 bytes that stand for a key; uniformly spread. */
export type Fingerprint = Buffer

export class KeyTable {
  private readonly pages: PageCache
  private readonly tables: GrowingTables

  /** @param slotsPerMember slots for each event: half as many again as it has keys, or more */
  constructor(disk: Disk, fd: Fd, slotsPerMember: number) {
    this.pages = new PageCache(disk, fd)
    this.tables = new GrowingTables({ firstMembers: 4096, slotsPerMember, slotBytes: SLOT })
  }

  /** Adds a key of the event at `position`; nothing happens where it is in already. */
  add(key: Fingerprint, position: number): void {
    this.put(key, position, Number.POSITIVE_INFINITY)
  }

  /** Like `add`, but of a key that comes again and again a table keeps the first few positions only. */
  addSome(key: Fingerprint, position: number): void {
    this.put(key, position, SOME)
  }

  /** Positions below `end` whose event may have the key, latest first; the caller compares the real key. */
  find(key: Fingerprint, end: number): number[] {
    const found: number[] = []
    const mark = fingerprintMark(key)
    for (const table of this.tables.tablesBelow(end)) {
      this.probe(table, key, (slotMark, relative) => {
        const position = table.first + relative - 1
        if (slotMark === mark && position < end) found.push(position)
        return true
      })
    }
    return found
  }

  private put(key: Fingerprint, position: number, most: number): void {
    const table = this.tables.tableOf(position)
    const mark = fingerprintMark(key)
    const own = position - table.first + 1
    let same = 0
    const free = this.probe(table, key, (slotMark, relative) => {
      if (slotMark !== mark) return true
      return relative !== own && ++same < most
    })
    if (free === undefined) return
    const slot = Buffer.allocUnsafe(SLOT)
    slot.writeUInt32LE(mark, 0)
    slot.writeUInt32LE(own, 4)
    this.pages.write(slot, table.offset + free * SLOT)
  }

  /**
   * Visits the slots from the key's place on; returns the number of the first free one.
   * @param goesOn takes mark and position + 1 of a slot
   */
  private probe(
    table: Table,
    key: Fingerprint,
    goesOn: (mark: number, relative: number) => boolean,
  ): number | undefined {
    const start = key.readUInt32LE(0) % table.slots
    for (let seen = 0; seen < table.slots; ) {
      const first = (start + seen) % table.slots
      const bytes = this.pages.from(table.offset + first * SLOT)
      const count = Math.min(bytes.length / SLOT, table.slots - first)
      for (let index = 0; index < count; index++) {
        const relative = bytes.readUInt32LE(index * SLOT + 4)
        if (relative === 0) return first + index
        if (!goesOn(bytes.readUInt32LE(index * SLOT), relative)) return undefined
      }
      seen += count
    }
    return undefined
  }
}

/** Never 0, so that a slot in use differs from a free one in both halves. */
function fingerprintMark(key: Fingerprint): number {
  return key.readUInt32LE(4) || 1
}
