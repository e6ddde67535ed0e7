/**
 * The five files of one generation of an index, opened. A generation is a folder of its own below `index/`,
 * named in `head`: an index that is built anew never mixes with one that another process still uses.
 *
 *     entries     one entry an event (`entry.ts`)
 *     links       32 bytes an event: for each lane the position + 1 of the next member, u48; 0: none yet
 *     keys        hash and event id → position (`key-table.ts`)
 *     ids         event id, in whatever stream → position (`key-table.ts`)
 *     sequences   sequence → first and late member (`sequence-table.ts`)
 *
 * Everything but the hints in `sequences` is written once and is the same whoever writes it.
 */
import { join } from 'node:path'
import type { Disk, Fd } from './disk.ts'
import { ENTRY_BYTES, Entry, LANE_BYTES, LANES, type Lane, laneIn, laneOffset } from './entry.ts'
import { makeAhead } from './index-ahead.ts'
import { KeyTable } from './key-table.ts'
import { SequenceTable } from './sequence-table.ts'

const NAMES = ['entries', 'links', 'keys', 'sequences', 'ids']
const KEY_SLOTS = 3
const ID_SLOTS = 2
const LINK_ROW = 32
const LINK_BYTES = 6

/** That the event at `to` follows the one at `from` in the sequence of a lane. */
export type Link = { readonly from: number; readonly lane: number; readonly to: number }

export class IndexFiles {
  readonly keys: KeyTable
  readonly ids: KeyTable
  readonly sequences: SequenceTable
  private readonly disk: Disk
  private readonly fds: readonly [entries: Fd, links: Fd, keys: Fd, sequences: Fd, ids: Fd]

  private constructor(disk: Disk, fds: readonly [Fd, Fd, Fd, Fd, Fd]) {
    this.disk = disk
    this.fds = fds
    this.keys = new KeyTable(disk, fds[2], KEY_SLOTS)
    this.sequences = new SequenceTable(disk, fds[3])
    this.ids = new KeyTable(disk, fds[4], ID_SLOTS)
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
    const [entries, links, keys, sequences, ids] = fds
    if (entries === undefined || links === undefined || keys === undefined) return undefined
    if (sequences === undefined || ids === undefined) return undefined
    return new IndexFiles(disk, [entries, links, keys, sequences, ids])
  }

  close(): void {
    closeAll(this.disk, this.fds)
  }

  /** @throws RangeError where the file ends before the entry: the head promised more than there is */
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
    if (filled < into.length) throw new RangeError(`No index entry at position ${position}`)
  }

  /** One lane of an entry; `undefined` where the event is no member of such a sequence. */
  lane(position: number, lane: number): Lane | undefined {
    const bytes = Buffer.allocUnsafe(LANE_BYTES)
    const filled = this.disk.readAt(this.fds[0], bytes, position * ENTRY_BYTES + laneOffset(lane))
    if (filled < bytes.length) throw new RangeError(`No index entry at position ${position}`)
    return laneIn(bytes, 0)
  }

  writeEntries(position: number, entries: readonly Entry[]): void {
    const bytes = Buffer.concat(entries.map((entry) => entry.bytes))
    this.disk.writeAt(this.fds[0], bytes, position * ENTRY_BYTES)
  }

  /** Position of the next member after `position` in a lane, -1 where none is known. */
  link(position: number, lane: number): number {
    const bytes = Buffer.alloc(LINK_BYTES)
    this.disk.readAt(this.fds[1], bytes, position * LINK_ROW + lane * LINK_BYTES)
    return bytes.readUIntLE(0, LINK_BYTES) - 1
  }

  /** Writes exactly the cells of `links` and no byte between them, in as few calls as that allows. */
  writeLinks(links: readonly Link[]): void {
    const cells = links.map(({ from, lane, to }) => ({
      at: from * LINK_ROW + lane * LINK_BYTES,
      to,
    }))
    cells.sort((a, b) => a.at - b.at)
    // A cell is there once, and as many fit where they stand in a row.
    const bytes = Buffer.allocUnsafe(cells.length * LINK_ROW)
    let start = 0
    let filled = 0
    let end = -1
    for (const { at, to } of cells) {
      if (end >= 0 && !follows(end, at)) {
        this.disk.writeAt(this.fds[1], bytes.subarray(0, filled), start)
        end = -1
      }
      if (end < 0) {
        start = at
        filled = 0
      } else bytes.fill(0, filled, at - start)
      filled = at - start + LINK_BYTES
      bytes.writeUIntLE(to + 1, at - start, LINK_BYTES)
      end = at
    }
    if (end >= 0) this.disk.writeAt(this.fds[1], bytes.subarray(0, filled), start)
  }

  /** Makes a piece of the tables that the events behind the first `count` will need; see `index-ahead.ts`. */
  makeAhead(folder: string, count: number): void {
    makeAhead(this.disk, join(folder, 'keys'), this.keys.bytesAhead(count))
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

/** True where two cells touch; the two bytes behind the last lane of a row are always 0. */
function follows(before: number, at: number): boolean {
  const isLastLane = before % LINK_ROW === (LANES - 1) * LINK_BYTES
  return at === before + LINK_BYTES + (isLastLane ? LINK_ROW - LANES * LINK_BYTES : 0)
}

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
