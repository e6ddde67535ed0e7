/**
 * Keeps the files of an index: which generation is in use, what its head says, writing it on, syncing it now
 * and then, starting a new one. What is in the files is `log-index.ts` and `index-files.ts`.
 */
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import type { SequenceRule } from '../../domain/sequence.ts'
import { randomHex } from '../../kit/random.ts'
import type { Disk } from './disk.ts'
import {
  epochOf,
  GENESIS,
  HeadFile,
  type IndexHead,
  type IndexPoint,
  trustedPoint,
} from './head-file.ts'
import { IndexFiles } from './index-files.ts'
import type { LogLayout } from './layout.ts'
import { LogIndex } from './log-index.ts'
import type { LogPoint } from './log-line.ts'
import { passOver } from './pass-over.ts'

export type IndexOptions = {
  readonly disk: Disk
  readonly layout: LogLayout
  readonly storeId: string
  /** Which start of the machine this is; empty where unknown. */
  readonly boot: string
  readonly sequenceRule: SequenceRule
  /** Whether the process goes on: then it keeps the lock for a moment, and writes its index a little later. */
  readonly isLongLived?: boolean
}

/**
 * Events after which the index files are synced: as many are indexed anew behind a loss of power. Of a large log
 * every event is on pages of its own, and each of them is written as a whole: the more events between two syncs,
 * the more of them share a page, and the less the syncs of the log wait for the device.
 */
const SYNC_EVENTS = 65_536
/** Time in ms between two files in a process that goes on: appends do not wait for all of them in a row. */
const SYNC_PAUSE_MS = 20
/**
 * Time in ms for which a generation that no head names must not have been written to before it is removed: it may be
 * one that another process is building, which writes to it every 4,096 events.
 */
const ABANDONED_MS = 600_000

export class IndexKeeper {
  index: LogIndex
  /** What was begun to be written beside other work. */
  writing: Promise<void> | undefined
  private readonly options: IndexOptions
  private readonly headFile: HeadFile
  /** Empty until one is taken over or begun. */
  private generation = ''
  /** A generation that a head names but whose files are not all there, or that is to be replaced. */
  private unusable: string | undefined
  private synced: IndexPoint = GENESIS
  /** Whether the index files could only be opened for reading; asked anew with every write. */
  private isReadOnly = false
  private running: Promise<void> | undefined
  private epoch = 0
  /** While it is built beside another, no head names it. */
  private isHidden = false
  private isReplaced = false
  /** A sync that failed is final: nobody knows any more which part of the files is on disk. */
  private hasSyncFailed = false

  constructor(options: IndexOptions) {
    this.options = options
    this.headFile = new HeadFile(options.disk, options.layout.index, options.storeId)
    this.index = this.emptyIndex()
  }

  readHead(): IndexHead | undefined {
    return this.headFile.read()
  }

  /**
   * Takes over the index that a head speaks of where it reaches further than `count`, or belongs to another
   * generation that reaches as far as the one in use.
   * @returns the point that it reaches to, where it was taken over
   */
  adopt(head: IndexHead, count: number): IndexPoint | undefined {
    const { boot, storeId, sequenceRule } = this.options
    const trusted = trustedPoint(head, boot)
    const isOther = head.generation !== this.generation
    if (!isOther && head.synced.count > this.synced.count) this.synced = head.synced
    // Never one that reaches less far: somebody may be reading what only this one knows.
    if (isOther ? trusted.count < count : trusted.count <= count) return undefined
    const files = trusted.count > 0 ? this.open(head.generation) : undefined
    if (!files) {
      this.unusable = head.generation
      this.epoch = epochOf(head)
      return undefined
    }
    this.index.close()
    this.generation = head.generation
    this.epoch = epochOf(head)
    this.synced = head.synced
    this.index = new LogIndex(storeId, sequenceRule, trusted, files)
    return trusted
  }

  /** Begins a new generation that no head names before `show`. Only in a keeper that was not used before. */
  hide(): void {
    const head = this.headFile.read()
    this.epoch = head ? epochOf(head) + 1 : 0
    this.isHidden = true
  }

  /** Puts a generation that is complete in the place of whatever a head names. */
  show(): void {
    this.isHidden = false
    // Of an empty log there are no files that a head could name.
    if (this.index.persisted.count > 0) this.writeHead(this.index.persisted)
  }

  /** Lets go of everything; what is still under way leaves the head alone. */
  retire(): void {
    this.isHidden = true
    this.index.close()
  }

  /** True where the files in use were removed or replaced: what is written to them is lost. */
  get isLost(): boolean {
    if (this.isReplaced) return true
    if (!this.index.openedFiles) return false
    return !IndexFiles.areThere(this.options.disk, this.folder)
  }

  /** Writes what is pending; the log must be durable up to `point`. */
  flush(point: LogPoint): void {
    const { index } = this
    const files = this.filesToWrite()
    const reached = { ...point, sequences: index.sequenceCount }
    try {
      index.flush(files, reached, this.synced.count)
    } catch (error) {
      if (index.openedFiles !== files) files.close()
      throw error
    }
    this.noteFlushed(files, reached)
  }

  /**
   * Like `flush`, and begins a sync where one is due.
   * @param when `beside`: it is only begun, see `writing`; not while another is under way
   */
  async write(point: LogPoint, when: 'now' | 'beside'): Promise<void> {
    if (when === 'now') {
      this.flush(point)
      await this.syncInTime()
      return
    }
    this.writing = this.flushBeside(point).finally(() => {
      this.writing = undefined
    })
  }

  /** Syncs the index files, one sync at a time; what is written meanwhile waits for the next one. */
  startSync(): void {
    if (this.running || this.hasSyncFailed) return
    if (this.index.persisted.count === this.synced.count) return
    const files = IndexFiles.open(this.options.disk, this.folder, 'update')
    if (!files) return
    this.running = this.sync(files, this.index.persisted).finally(() => {
      this.running = undefined
    })
  }

  /** Waits for writes and a sync that are under way. */
  async settle(): Promise<void> {
    await this.writing
    await this.running
  }

  /**
   * Removes generations that were abandoned by a killed process, or replaced. Their age is that behind the one in use,
   * which was just built: the clock of the file system may be another one than that of this machine.
   */
  sweep(): void {
    const { disk, layout } = this.options
    const writtenMs = (folder: string) => disk.status(join(folder, 'entries'))?.modifiedMs
    const inUse = this.headFile.read()?.generation
    const limit = (writtenMs(this.folder) ?? 0) - ABANDONED_MS
    for (const name of disk.list(layout.index) ?? []) {
      const folder = join(layout.index, name)
      const isAbandoned = (writtenMs(folder) ?? limit) < limit
      if (name === inUse || name === this.generation || !isAbandoned) continue
      for (const file of disk.list(folder) ?? []) disk.unlink(join(folder, file))
      disk.removeFolder(folder)
    }
  }

  private async flushBeside(point: LogPoint): Promise<void> {
    const { index } = this
    const reached = { ...point, sequences: index.sequenceCount }
    try {
      const files = this.filesToWrite()
      try {
        if (!(await index.flushBeside(files, reached, this.synced.count))) return
      } catch (error) {
        if (index.openedFiles !== files) files.close()
        throw error
      }
      this.noteFlushed(files, reached)
      await this.syncInTime()
    } catch (error) {
      passOver(error)
    }
  }

  /** Begins a sync where a loss of power would cost too much of the index. */
  private async syncInTime(): Promise<void> {
    const isUnknown = this.options.boot === ''
    const isDue = this.index.persisted.count - this.synced.count >= SYNC_EVENTS
    if (isDue || isUnknown) this.startSync()
    if (isUnknown) await this.running
  }

  private filesToWrite(): IndexFiles {
    const { disk, layout } = this.options
    // The folder of all indexes may have been removed as a whole.
    disk.makeFolder(layout.index)
    if (this.generation === '') this.generation = randomHex(8)
    const opened = this.isReadOnly ? undefined : this.index.openedFiles
    return opened ?? IndexFiles.make(disk, this.folder)
  }

  private noteFlushed(files: IndexFiles, point: IndexPoint): void {
    this.isReadOnly = false
    this.writeHead(point)
    if (this.options.isLongLived) files.makeAhead(this.folder, point.count)
  }

  private async sync(files: IndexFiles, point: IndexPoint): Promise<void> {
    try {
      await files.sync(this.options.isLongLived ? SYNC_PAUSE_MS : 0)
      this.synced = point
      this.writeHead(this.index.persisted)
      await this.headFile.sync()
    } catch {
      this.hasSyncFailed = true
      // After a loss of power more of the index is built anew than would have been needed.
    } finally {
      files.close()
    }
  }

  private writeHead(point: IndexPoint): void {
    if (this.isHidden) return
    const { generation, epoch, synced } = this
    const { boot } = this.options
    const isCurrent = this.headFile.write({ generation, epoch, boot, point, synced }, this.unusable)
    if (!isCurrent) this.isReplaced = true
  }

  private get folder(): string {
    return join(this.options.layout.index, this.generation)
  }

  private open(generation: string): IndexFiles | undefined {
    const folder = join(this.options.layout.index, generation)
    this.isReadOnly = false
    try {
      return IndexFiles.open(this.options.disk, folder, 'update')
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'storage-read-only')) throw error
      this.isReadOnly = true
      return IndexFiles.open(this.options.disk, folder, 'read')
    }
  }

  private emptyIndex(): LogIndex {
    return new LogIndex(this.options.storeId, this.options.sequenceRule, GENESIS, undefined)
  }
}
