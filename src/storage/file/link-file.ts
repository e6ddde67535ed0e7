/**
 * `index/…/links`: 32 bytes an event at position × 32; for each lane 6 bytes with the position + 1 of the next
 * member, 0 while there is none, then 2 bytes 0.
 *
 * A cell is written once, with the same number whoever writes it. A cell that is still 0 is never written: another
 * process may know its number already. Between two new cells, though, those may be written again whose numbers are
 * known, and those that stay 0, since their event is no member of such a sequence: so that one call writes many.
 */
import type { Disk, Fd } from './disk.ts'
import { ENTRY_BYTES, LANES, laneOffset, readU40 } from './entry.ts'
import { SparsePlaces } from './sparse-places.ts'

const ROW = 32
const CELL = 6
/** Bytes behind the last cell of a row. */
const ROW_END = ROW - LANES * CELL
/** Bytes between two new cells that are written again at most. */
const MOST_BETWEEN = 2 * ROW
const MOST_BYTES = 65_536
/** Events whose links are looked at together; the numbers of their cells have to fit into 53 bits with theirs. */
const GROUP = 65_536
/** Rows that are kept in memory. */
const ROWS = 16_384

/** What is known of the cells of an event: the position + 1 of the next member, 0 for ever, or `OPEN`. */
type Row = { position: number; readonly cells: Float64Array }
const OPEN = -1

export class LinkFile {
  private readonly disk: Disk
  private readonly fd: Fd
  private readonly rows = new SparsePlaces<Row>(ROWS)

  constructor(disk: Disk, fd: Fd) {
    this.disk = disk
    this.fd = fd
  }

  /** Position of the next member after `position` in a lane, -1 where none is known. */
  next(position: number, lane: number): number {
    const bytes = Buffer.alloc(CELL)
    this.disk.readAt(this.fd, bytes, position * ROW + lane * CELL)
    return bytes.readUIntLE(0, CELL) - 1
  }

  /** Links the events whose entries stand in a row from position `first` on to those before them. */
  write(first: number, entries: Buffer): void {
    const count = entries.length / ENTRY_BYTES
    for (let at = 0; at < count; at += GROUP) {
      const end = Math.min(count, at + GROUP)
      this.writeGroup(first + at, entries.subarray(at * ENTRY_BYTES, end * ENTRY_BYTES))
    }
  }

  private writeGroup(first: number, entries: Buffer): void {
    const cells = this.noteCells(first, entries)
    // Calls for a cell each are what an index costs: none is made where the one before can go on.
    const bytes = Buffer.allocUnsafe(
      Math.min(cells.length * (CELL + MOST_BETWEEN), MOST_BYTES + MOST_BETWEEN + CELL),
    )
    let start = 0
    let filled = 0
    let before = -1
    for (const cell of cells) {
      const number = Math.floor(cell / GROUP)
      const offset = offsetOf(number)
      const isNear =
        before >= 0 && filled < MOST_BYTES && this.fillBetween(bytes, start, before, number)
      if (!isNear) {
        if (before >= 0) this.disk.writeAt(this.fd, bytes.subarray(0, filled), start)
        start = offset
      }
      bytes.writeUIntLE(first + (cell % GROUP) + 1, offset - start, CELL)
      filled = offset - start + CELL
      before = number
    }
    if (before >= 0) this.disk.writeAt(this.fd, bytes.subarray(0, filled), start)
  }

  /** Notes what the entries say of links. @returns for each new cell its number × GROUP + that of the event */
  private noteCells(first: number, entries: Buffer): Float64Array {
    const count = entries.length / ENTRY_BYTES
    const cells = new Float64Array(count * LANES)
    let found = 0
    for (let event = 0; event < count; event++) {
      const row = this.begin(first + event)
      for (let lane = 0; lane < LANES; lane++) {
        const at = event * ENTRY_BYTES + laneOffset(lane)
        const isMember = readU40(entries, at) > 0
        row.cells[lane] = isMember ? OPEN : 0
        const from = isMember ? readU40(entries, at + 5) - 1 : -1
        if (from < 0) continue
        cells[found++] = (from * LANES + lane) * GROUP + event
        const known = this.rows.get(from % ROWS)
        if (known?.position === from) known.cells[lane] = first + event + 1
      }
    }
    return cells.subarray(0, found).sort()
  }

  private begin(position: number): Row {
    const row = this.rows.get(position % ROWS) ?? { position, cells: new Float64Array(LANES) }
    row.position = position
    this.rows.set(position % ROWS, row)
    return row
  }

  /**
   * Fills what lies between two cells.
   * @param start where in the file `bytes` begin
   * @returns false where something of it is not known, or too much of it
   */
  private fillBetween(bytes: Buffer, start: number, before: number, next: number): boolean {
    const end = offsetOf(next)
    if (end - offsetOf(before) - CELL > MOST_BETWEEN) return false
    for (let cell = before + 1; cell <= next; cell++) {
      if (cell % LANES === 0)
        bytes.fill(0, offsetOf(cell) - start - ROW_END, offsetOf(cell) - start)
      if (cell === next) return true
      const position = Math.floor(cell / LANES)
      const row = this.rows.get(position % ROWS)
      const known = row?.position === position ? row.cells[cell % LANES] : undefined
      if (known === undefined || known === OPEN) return false
      bytes.writeUIntLE(known, offsetOf(cell) - start, CELL)
    }
    return false
  }
}

/** Where the cell with a number stands, counted over all rows. */
function offsetOf(cell: number): number {
  return Math.floor(cell / LANES) * ROW + (cell % LANES) * CELL
}
