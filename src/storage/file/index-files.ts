/**
 * The six files of one generation of an index, opened. A generation is a folder of its own below `index/`,
 * named in `head`: an index that is built anew never mixes with one that another process still uses.
 *
 *     entries     one entry an event (`entry.ts`)
 *     links       for each lane of an event the next member (`link-file.ts`)
 *     hashes      hash → position (`key-table.ts`)
 *     ids         event id, in whatever stream → position (`key-table.ts`), of each id the first few
 *     repeats     stream and event id → position (`key-table.ts`), where `ids` had no room
 *     sequences   sequence → first and late member (`sequence-table.ts`)
 *
 * Everything but the hints in `sequences` is written once and is the same whoever writes it.
 */
import { join } from 'node:path'
import { damagedIndex } from './damaged-index.ts'
import type { Disk, Fd } from './disk.ts'
import { ENTRY_BYTES, Entry, LANE_BYTES, type Lane, laneIn, laneOffset } from './entry.ts'
import { makeAhead } from './index-ahead.ts'
import { notePlaces, writeBatch } from './index-batch.ts'
import type { IndexBatch, KeyPlaces } from './index-job.ts'
import { KeyTable } from './key-table.ts'
import { LinkFile } from './link-file.ts'
import { SequenceTable } from './sequence-table.ts'

const NAMES = ['entries', 'links', 'hashes', 'sequences', 'ids', 'repeats'] as const
/** Events in a batch from which on whoever writes it has fallen behind. */
const URGENT_EVENTS = 2048

/** Counts the runs of batches that another thread writes; see `IndexJob`. */
let runs = 0

type Fds = readonly [entries: Fd, links: Fd, hashes: Fd, sequences: Fd, ids: Fd, repeats: Fd]

export class IndexFiles {
  readonly links: LinkFile
  readonly hashes: KeyTable
  readonly ids: KeyTable
  readonly repeats: KeyTable
  readonly sequences: SequenceTable
  private readonly disk: Disk
  private readonly fds: Fds
  /** 0: none has begun. */
  private run = 0
  private isUnderWay = false
  private isLeft = false

  private constructor(disk: Disk, fds: Fds) {
    this.disk = disk
    this.fds = fds
    this.links = new LinkFile(disk, fds[1])
    this.hashes = new KeyTable(disk, fds[2])
    this.sequences = new SequenceTable(disk, fds[3])
    this.ids = new KeyTable(disk, fds[4])
    this.repeats = new KeyTable(disk, fds[5])
  }

  /** Files that somebody else has open, and closes. */
  static of(disk: Disk, fds: readonly Fd[]): IndexFiles {
    if (!areAll(fds)) throw new RangeError('An index has six files')
    return new IndexFiles(disk, fds)
  }

  /** Opens what is there; `undefined` where a file is missing. */
  static open(disk: Disk, folder: string, mode: 'read' | 'update'): IndexFiles | undefined {
    const open = (name: string): Fd | undefined => {
      const path = join(folder, name)
      if (disk.status(path) === undefined) return undefined
      if (mode === 'read') return disk.openRead(path)
      try {
        return disk.openUpdate(path)
      } catch (error) {
        // The whole generation may be removed between the look and the opening.
        if (disk.status(folder) === undefined) return undefined
        throw error
      }
    }
    return IndexFiles.from(disk, open)
  }

  /** True where every file can still be found under its name: an open file may have been removed. */
  static areThere(disk: Disk, folder: string): boolean {
    return NAMES.every((name) => disk.status(join(folder, name)) !== undefined)
  }

  /** Makes the folder and its files where they are missing. */
  static make(disk: Disk, folder: string): IndexFiles {
    disk.makeFolder(folder)
    const files = IndexFiles.from(disk, (name) => disk.openUpdate(join(folder, name)))
    if (!files) throw new RangeError('An index file did not open')
    return files
  }

  private static from(disk: Disk, open: (name: string) => Fd | undefined): IndexFiles | undefined {
    const fds: Fd[] = []
    try {
      for (const name of NAMES) {
        const fd = open(name)
        if (fd === undefined) break
        fds.push(fd)
      }
    } finally {
      if (fds.length < NAMES.length) closeAll(disk, fds)
    }
    return areAll(fds) ? new IndexFiles(disk, fds) : undefined
  }

  /** Where writes are under way, the files stay open until they are made. */
  close(): void {
    if (this.isLeft) return
    this.isLeft = true
    if (!this.isUnderWay) closeAll(this.disk, this.fds)
  }

  /** Writes a batch at once. */
  write(batch: IndexBatch): KeyPlaces {
    this.run = 0
    try {
      return writeBatch(this, batch)
    } catch (error) {
      this.forget()
      throw error
    }
  }

  /**
   * Writes a batch beside other work, where the disk can do that.
   * @throws AppError where a write fails; none of them is to be counted on then
   */
  async writeBeside(batch: IndexBatch): Promise<KeyPlaces> {
    const { disk, fds } = this
    if (this.run === 0) this.run = ++runs
    const isUrgent = batch.ids.length / 2 > URGENT_EVENTS
    this.isUnderWay = true
    try {
      const places =
        disk.writeIndex && (await disk.writeIndex({ fds, batch, run: this.run, isUrgent }))
      if (places === undefined) return this.write(batch)
      notePlaces(this, batch, places)
      return places
    } catch (error) {
      this.forget()
      throw error
    } finally {
      this.isUnderWay = false
      if (this.isLeft) closeAll(disk, fds)
    }
  }

  /** What was read of the files may not be what is in them. */
  private forget(): void {
    this.run = 0
    for (const table of [this.hashes, this.ids, this.repeats]) table.forgetPages()
  }

  /** @throws AppError `index-damaged` where the file ends before the entry: the head promised more than there is */
  entry(position: number): Entry {
    return this.entries(position, 1)[0] as Entry
  }

  entries(position: number, count: number): Entry[] {
    const bytes = Buffer.allocUnsafe(count * ENTRY_BYTES)
    this.readEntries(bytes, position)
    return Array.from(
      { length: count },
      (_, index) => new Entry(bytes.subarray(index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES)),
    )
  }

  /** Fills `into` with the bytes of as many entries, from `position` on. */
  readEntries(into: Buffer, position: number): void {
    const filled = this.disk.readAt(this.fds[0], into, position * ENTRY_BYTES)
    if (filled < into.length) throw damagedIndex(`has no entry at position ${position}`)
  }

  /** One lane of an entry; `undefined` where the event is no member of such a sequence. */
  lane(position: number, lane: number): Lane | undefined {
    const bytes = Buffer.allocUnsafe(LANE_BYTES)
    const filled = this.disk.readAt(this.fds[0], bytes, position * ENTRY_BYTES + laneOffset(lane))
    if (filled < bytes.length) throw damagedIndex(`has no entry at position ${position}`)
    return laneIn(bytes, 0)
  }

  /** Writes entries that stand in a row from `position` on. */
  writeEntries(position: number, entries: Buffer): void {
    this.disk.writeAt(this.fds[0], entries, position * ENTRY_BYTES)
  }

  /** Makes a piece of the tables that the events behind the first `count` will need; see `index-ahead.ts`. */
  makeAhead(folder: string, count: number): void {
    makeAhead(this.disk, join(folder, 'hashes'), this.hashes.bytesAhead(count))
    makeAhead(this.disk, join(folder, 'ids'), this.ids.bytesAhead(count))
  }

  /** @param pauseMs between one file and the next, for syncs of the log that wait for the device meanwhile */
  async sync(pauseMs: number): Promise<void> {
    for (const [number, fd] of this.fds.entries()) {
      if (number > 0 && pauseMs > 0) await this.disk.pause(pauseMs)
      await this.disk.syncData(fd)
    }
  }
}

const areAll = (fds: readonly Fd[]): fds is Fds => fds.length === NAMES.length

/** Every one, whatever the others say: what an index holds is checked when it is read. */
function closeAll(disk: Disk, fds: readonly Fd[]): void {
  for (const fd of fds) {
    try {
      disk.close(fd)
    } catch {
      // It is closed all the same.
    }
  }
}
