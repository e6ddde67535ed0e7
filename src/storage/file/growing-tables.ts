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

  constructor(shape: TableShape) {
    this.shape = shape
    this.tables = [{ first: 0, slots: shape.firstMembers * shape.slotsPerMember, offset: 0 }]
  }

  /** The table that a member goes to. */
  tableOf(member: number): Table {
    let index = 0
    while (this.table(index + 1).first <= member) index++
    return this.table(index)
  }

  /** The tables that can hold members below `end`, latest first. */
  tablesBelow(end: number): Table[] {
    const found: Table[] = []
    for (let index = 0; this.table(index).first < end; index++) found.unshift(this.table(index))
    return found
  }

  private table(index: number): Table {
    const { slotsPerMember, slotBytes } = this.shape
    for (let last = this.tables.at(-1) as Table; this.tables.length <= index; ) {
      const next = {
        first: last.first + last.slots / slotsPerMember,
        slots: last.slots * GROWTH,
        offset: last.offset + last.slots * slotBytes,
      }
      this.tables.push(next)
      last = next
    }
    return this.tables[index] as Table
  }
}
