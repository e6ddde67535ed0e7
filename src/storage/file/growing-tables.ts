/**
 * Hash tables in a row in one file, each for four times as many members as the one before, so that a table
 * never has to be made larger and nothing in it is ever moved.
 */

export type TableShape = {
  /** Members that the first table is for. */
  readonly firstMembers: number
  readonly slotsPerMember: number
  readonly slotBytes: number
}

export type Table = {
  /** Number of the first member that the table is for; members are counted from 0. */
  readonly first: number
  readonly slots: number
  /** Bytes from the beginning of the file. */
  readonly offset: number
}

const GROWTH = 4

export class GrowingTables {
  private readonly shape: TableShape
  private readonly tables: Table[]
  /** The one that was asked for last: members come in their order. */
  private latest: Table

  constructor(shape: TableShape) {
    this.shape = shape
    this.latest = { first: 0, slots: shape.firstMembers * shape.slotsPerMember, offset: 0 }
    this.tables = [this.latest]
  }

  /** The table that a member goes to. */
  tableOf(member: number): Table {
    const { first, slots } = this.latest
    const isIn = member >= first && member < first + slots / this.shape.slotsPerMember
    if (!isIn) this.latest = this.table(this.levelBelow(member + 1))
    return this.latest
  }

  /** Number of the last table that can hold members below `end`, -1 where there are none. */
  levelBelow(end: number): number {
    let level = -1
    while (this.table(level + 1).first < end) level++
    return level
  }

  /**
   * Bytes that the file should have with so many members where tables are made before they are needed: the
   * second half of a table makes the next one.
   */
  bytesAhead(members: number): number {
    const { slotsPerMember, slotBytes } = this.shape
    const { first, slots, offset } = this.table(this.levelBelow(members + 1))
    const filled = ((members - first) * slotsPerMember) / slots
    const next = Math.max(0, filled * 2 - 1) * slots * GROWTH
    return offset + Math.ceil(slots + next) * slotBytes
  }

  table(level: number): Table {
    const known = this.tables[level]
    if (known) return known
    const { slotsPerMember, slotBytes } = this.shape
    for (let last = this.tables.at(-1) as Table; this.tables.length <= level; ) {
      const next = {
        first: last.first + last.slots / slotsPerMember,
        slots: last.slots * GROWTH,
        offset: last.offset + last.slots * slotBytes,
      }
      this.tables.push(next)
      last = next
    }
    return this.tables[level] as Table
  }
}
