/**
 * The end of a file of the log that was scavenged: where each of its lines stands now, by the offset at which
 * it stood before, which is what the index and the lines themselves speak of.
 *
 *     <15 digits: offset before> SP <15 digits: offset in this file> LF      a row, 32 bytes
 *     #rows SP <9 digits: number of rows> SP <15 digits: size before> LF     the last 32 bytes
 */
import { AppError } from '../../domain/app-error.ts'
import type { Disk, Fd } from './disk.ts'

const ROW = 32
/** Rows that are read at once at the end of a search. */
const BLOCK = 128

export type Place = { readonly before: number; readonly now: number }

export class Places {
  /** Where the rows begin: the end of the last line. */
  readonly start: number
  private readonly disk: Disk
  private readonly fd: Fd
  private readonly count: number

  private constructor(disk: Disk, fd: Fd, start: number, count: number) {
    this.disk = disk
    this.fd = fd
    this.start = start
    this.count = count
  }

  /** @throws AppError `log-damaged` where the file does not end as it has to */
  static open(disk: Disk, fd: Fd, sizeBefore: number): Places {
    const size = disk.size(fd)
    const bytes = Buffer.alloc(ROW)
    if (size > ROW) disk.readAt(fd, bytes, size - ROW)
    const found = /^#rows ([0-9]{9}) ([0-9]{15})\n$/.exec(bytes.toString('latin1'))
    const count = Number(found?.[1] ?? -1)
    const start = size - ROW * (count + 1)
    if (count < 0 || start < 0 || Number(found?.[2]) !== sizeBefore) {
      throw new AppError('log-damaged', 'A scavenged file of the log has lost its end')
    }
    return new Places(disk, fd, start, count)
  }

  /** The bytes of a table. */
  static table(places: readonly Place[], sizeBefore: number): Buffer {
    const rows = places.map(({ before, now }) => `${digits(before, 15)} ${digits(now, 15)}\n`)
    const end = `#rows ${digits(places.length, 9)} ${digits(sizeBefore, 15)}\n`
    return Buffer.from(`${rows.join('')}${end}`, 'latin1')
  }

  /** The first line that stood at `before` or behind it, and where the line after it begins. */
  find(before: number): (Place & { readonly row: number; readonly end: number }) | undefined {
    let low = 0
    let high = this.count
    while (high - low > BLOCK) {
      const middle = Math.floor((low + high) / 2)
      const [row] = this.rows(middle, 1) as [Place]
      if (row.before < before) low = middle + 1
      else high = middle + 1
    }
    const block = this.rows(low, Math.min(this.count, high + 1) - low)
    const at = block.findIndex((row) => row.before >= before)
    const row = block[at]
    return row && { ...row, row: low + at, end: block[at + 1]?.now ?? this.start }
  }

  /** The lines from `before` on; one by one, read in blocks. */
  *from(before: number): Generator<Place> {
    const first = this.find(before)
    if (!first) return
    for (let at = first.row; at < this.count; at += BLOCK) {
      yield* this.rows(at, Math.min(BLOCK, this.count - at))
    }
  }

  private rows(first: number, count: number): Place[] {
    const bytes = Buffer.alloc(count * ROW)
    this.disk.readAt(this.fd, bytes, this.start + first * ROW)
    return Array.from({ length: count }, (_, index) =>
      placeOf(bytes.toString('latin1', index * ROW, (index + 1) * ROW)),
    )
  }
}

/** A row that was changed names no place that a line could stand at. */
function placeOf(row: string): Place {
  const found = /^([0-9]{15}) ([0-9]{15})\n$/.exec(row)
  return { before: Number(found?.[1] ?? -1), now: Number(found?.[2] ?? -1) }
}

const digits = (value: number, length: number): string => String(value).padStart(length, '0')
