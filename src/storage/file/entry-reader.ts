/**
 * Reads the entries of an index from its files, as they are asked for. What was read stays in memory, a bounded
 * number of entries: below the end of an index, an entry is written once.
 *
 * Whoever comes down a sequence asks for one entry after the other, each somewhat before the last. Where they
 * stand close together, a block of them is read in one go, and a larger one each time.
 */
import { BoundedMap } from '../../kit/bounded-map.ts'
import { ENTRY_BYTES, Entry, LANES, type Lane } from './entry.ts'
import type { IndexFiles } from './index-files.ts'
import { KeptEntries } from './kept-entries.ts'

/** Most entries between two that are asked for, for a block to cost less than a read for each. */
const NEAR = 128
/** Members that the first block is for, and the entries that a block holds at most. */
const FIRST_MEMBERS = 8
const MOST_ENTRIES = 455
/** Members of sequences that were passed on the way to others. */
const MOST_PASSED = 16_384

export class EntryReader {
  private readonly kept = new KeptEntries()
  private readonly passed = new BoundedMap<number, Lane>(MOST_PASSED)
  private readonly ahead = new EntriesAhead()

  /** Notes entries that stand in a row from position `first` on. */
  keep(first: number, entries: Buffer): void {
    this.kept.set(first, entries)
  }

  entry(files: IndexFiles, position: number): Entry {
    return this.kept.get(position) ?? this.read(files, position)
  }

  /** One lane of an entry of which more will be wanted. */
  entryLane(files: IndexFiles, position: number, lane: number): Lane | undefined {
    if (this.kept.has(position)) return this.kept.lane(position, lane)
    return this.read(files, position).lane(lane)
  }

  /** Of a member that is passed on the way to others nothing is read but its lane. */
  lane(files: IndexFiles, position: number, lane: number): Lane | undefined {
    if (this.kept.has(position)) return this.kept.lane(position, lane)
    const key = position * LANES + lane
    const known = this.passed.get(key)
    if (known) return known
    const found = files.lane(position, lane)
    if (found) this.passed.set(key, found)
    return found
  }

  private read(files: IndexFiles, position: number): Entry {
    // Whoever reads an event checks it against the hash before it: both in one read.
    const first = Math.max(0, position - 1)
    const bytes = Buffer.allocUnsafe((position + 1 - first) * ENTRY_BYTES)
    this.ahead.read(files, bytes, first)
    this.kept.set(first, bytes)
    return new Entry(bytes.subarray(-ENTRY_BYTES))
  }
}

/** Entries that were read before they were asked for. */
class EntriesAhead {
  private block: Buffer | undefined
  private first = 0
  private count = 0
  /** Entries that the next block is for. */
  private next = 0
  /** Behind the entries that were asked for last. */
  private lastEnd = -1

  /** Fills `into` with entries from position `first` on. */
  read(files: IndexFiles, into: Buffer, first: number): void {
    const end = first + into.length / ENTRY_BYTES
    const gap = this.lastEnd - end
    this.lastEnd = end
    const isNear = gap >= 0 && gap <= NEAR
    if (!isNear) this.next = 0
    const isRead = first >= this.first && end <= this.first + this.count
    if (!isRead && !isNear) {
      files.readEntries(into, first)
      return
    }
    const block = isRead && this.block ? this.block : this.readBlock(files, end, gap)
    block.copy(into, 0, (first - this.first) * ENTRY_BYTES)
  }

  private readBlock(files: IndexFiles, end: number, gap: number): Buffer {
    this.block ??= Buffer.allocUnsafeSlow(MOST_ENTRIES * ENTRY_BYTES)
    const wanted = Math.max(2, gap * FIRST_MEMBERS, this.next)
    const first = Math.max(0, end - Math.min(wanted, MOST_ENTRIES))
    this.count = 0
    files.readEntries(this.block.subarray(0, (end - first) * ENTRY_BYTES), first)
    this.first = first
    this.count = end - first
    this.next = this.count * 2
    return this.block
  }
}
