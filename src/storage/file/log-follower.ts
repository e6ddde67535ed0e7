/**
 * Follows a log to its end: adopts what the index knows, reads the lines behind that, feeds the index, and
 * makes durable what is not known to be.
 *
 * Invariants
 *  1. `index.count === point.count`: every event that was read is in the index, in files or in memory.
 *  2. Events below `durable` are on disk; only they exist for readers.
 *  3. What is written into index files is durable in the log before.
 *  4. Every change happens inside `exclusive`, except the sync itself.
 *
 * Appending is `appender.ts`, answering questions is `file-log.ts`.
 */

import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import type { Clock, Progress } from '../../domain/ports.ts'
import { Bell } from '../../kit/bell.ts'
import { monotonicMs } from '../../kit/monotonic.ts'
import { isAnchored } from './anchor.ts'
import { GENESIS, type IndexHead, mostOf } from './head-file.ts'
import { IndexKeeper, type IndexOptions } from './index-keeper.ts'
import { segmentName } from './layout.ts'
import { lineEvents } from './line-events.ts'
import type { LogIndex } from './log-index.ts'
import { type LineEvent, type LogPoint, readLine } from './log-line.ts'
import { Segment } from './segment.ts'
import { SegmentShelf } from './segment-shelf.ts'
import type { Suspicion } from './suspicion.ts'

export type LogOptions = IndexOptions & {
  readonly clock: Clock
  readonly segmentBytes: number
  readonly lockTimeoutMs: number
  /** False: nothing is synced, a loss of power loses acknowledged events. */
  readonly sync: boolean
  /** Longest time in ms that one call may spend on an index that is behind. */
  readonly catchUpMs: number
  /** What it is called where it is damaged, if it is not the log of the events. */
  readonly name?: string
}

/** Events in memory at which the index is written while a log is read. */
const FLUSH_EVENTS = 4096
/** Events in memory beyond which a process that may not write an index gives up. */
const MOST_PENDING = 65_536
/** Events found behind the index from which on a reader writes the index, too. */
const READER_FLUSH_EVENTS = 64

export class LogFollower {
  readonly options: LogOptions
  point: LogPoint = GENESIS
  /** Events known to be on disk. */
  durable = 0
  /** What is wrong with the log, once that is known. */
  damage: AppError | undefined
  /** Where the log goes on, once it has ended for ever. */
  movedTo: number | undefined
  /** Void bytes seen behind the point. */
  voidBytes = 0
  readonly suspicion: Suspicion
  private keeper: IndexKeeper
  private readonly shelf: SegmentShelf
  private current: Segment | undefined
  private isReadOnly = false
  private scannedSize = -1
  /** Where an index ended that was taken over from a head, until the log was compared with it. */
  private anchor: LogPoint | undefined
  /** Events that a head spoke of; -1: no head was seen. */
  private headCount = -1
  private queue: Promise<unknown> = Promise.resolve()

  constructor(options: LogOptions, suspicion: Suspicion) {
    this.options = options
    this.suspicion = suspicion
    this.keeper = new IndexKeeper(options)
    this.shelf = new SegmentShelf(options.disk, options.layout)
  }

  get index(): LogIndex {
    return this.keeper.index
  }

  /** Runs `work` while no other work on this follower runs. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.queue.then(work)
    this.queue = done.catch(() => {})
    return done
  }

  /**
   * Brings a reader up to date and returns how many events it may see.
   * @throws AppError `index-behind` where that takes longer than one request may
   */
  async snapshot(): Promise<number> {
    const known = this.unchanged()
    if (known !== undefined) return known
    return this.exclusive(async () => {
      await this.catchUp()
      try {
        await this.makeDurable()
      } catch {
        // After a failed sync there is what was known to be on disk before, and nothing else.
        if (this.headCount < 0 || this.durable < this.headCount) this.suspicion.refuse()
        return this.durable
      }
      if (this.index.pendingCount >= READER_FLUSH_EVENTS) await this.writeIndex()
      return this.durable
    })
  }

  /** How many events a reader may see, where nothing has to be read or waited for to tell. */
  unchanged(): number | undefined {
    if (this.durable !== this.point.count && !this.isAppending) return undefined
    return this.isUnchanged() ? this.durable : undefined
  }

  /** Rung after each commit of this process. */
  readonly appended = new Bell()

  /** Set while an append of this process is between its write and its acknowledgement. */
  isAppending = false

  /** The file that the log ends in; `undefined` before the first one was made. */
  get segment(): Segment | undefined {
    return this.current
  }

  /** Bytes in that file when it was last looked at. */
  get size(): number {
    return this.scannedSize
  }

  /** Reads what others have written since. Only inside `exclusive`. */
  async catchUp(progress?: Progress): Promise<void> {
    if (this.isUnchanged()) return
    const deadline = progress ? Number.POSITIVE_INFINITY : monotonicMs() + this.options.catchUpMs
    const head = this.keeper.readHead()
    this.adopt(head)
    while (await this.readSegment(deadline, progress)) {
      // One more file of the log begins.
    }
    this.checkCount(head)
  }

  /** Opens the end of the log anew where it could only be opened for reading; the cause may be gone. */
  wantAppend(): void {
    if (this.isReadOnly) this.leaveSegment()
  }

  /**
   * Compares the end of an index that was taken over with the log: the last line has to stand there as it was
   * written. Asked before anything is appended behind it.
   */
  async checkAnchor(): Promise<void> {
    const { anchor } = this
    if (!anchor || anchor.count === 0 || this.damage) return
    const entry = this.index.entry(anchor.count - 1)
    const { segment } = entry
    const opened = this.openSegment(segment)
    if (await isAnchored(this.options.disk, anchor, entry, opened)) this.anchor = undefined
    else this.damage = this.damaged('The end of the log is not what the index says', { segment })
  }

  /** Lets go of an older file of the log, where another may stand in its place. */
  forgetSegment(number: number): void {
    this.shelf.forget(number)
  }

  /** Notes a commit that this process has written at the end of the current file. */
  noteOwn(point: LogPoint, size: number): void {
    this.point = point
    this.scannedSize = size
  }

  /** Forgets the current file after a seal; the next look opens the one that follows. */
  noteSeal(): void {
    this.leaveSegment()
  }

  /** Syncs the log up to the point. @throws AppError where the device refuses, now or before */
  async makeDurable(): Promise<void> {
    const { count } = this.point
    if (this.durable >= count) return
    if (this.current) await this.sync(this.current)
    this.durable = Math.max(this.durable, count)
  }

  /** Syncs a file of the log. A sync that failed is final, whoever asked for it. */
  async sync(segment: Segment): Promise<void> {
    if (!this.options.sync) return
    this.suspicion.refuse()
    try {
      await segment.using(() => this.options.disk.syncData(segment.fd))
    } catch (error) {
      throw this.suspicion.raise(error)
    }
  }

  /** Writes pending events into the index files and the head. Only inside `exclusive`, when durable. */
  async writeIndex(): Promise<void> {
    if (this.index.pendingCount === 0 || this.durable < this.point.count || this.damage) return
    // The events are in the log; without space or right to write, the index stays behind it.
    await tryTo(async () => {
      if (this.keeper.isLost) await this.renew()
      this.flush()
      if (!this.keeper.isSyncDue) return
      this.keeper.startSync()
      if (this.options.boot === '') await this.keeper.settle()
    })
  }

  /** An older or the current file for reading. */
  openSegment(number: number): Segment {
    if (number === this.current?.number) return this.current
    const segment = this.shelf.take(number)
    if (!segment) throw this.damaged(`File ${number} of the log is missing`)
    return segment
  }

  damaged(message: string, facts: Readonly<Record<string, number>> = {}): AppError {
    const { name } = this.options
    const told = name === undefined ? message : `${name} are damaged: ${message}`
    return new AppError('log-damaged', told, facts)
  }

  /**
   * Reads the whole log anew into a new generation of the index, beside the one in use, and puts it in its
   * place. Only inside `exclusive`.
   * @throws AppError `log-damaged` where the log is shorter than its head says: the head stays, to tell it
   */
  async rebuild(progress: Progress): Promise<void> {
    const fresh = new LogFollower(this.options, this.suspicion)
    try {
      fresh.keeper.hide()
      const head = fresh.keeper.readHead()
      while (await fresh.readSegment(Number.POSITIVE_INFINITY, progress)) {
        // One more file of the log begins.
      }
      fresh.checkCount(head)
      if (fresh.damage) throw fresh.damage
      await fresh.makeDurable()
      if (fresh.index.pendingCount > 0) fresh.flush()
      fresh.keeper.show()
    } catch (error) {
      await fresh.close()
      throw error
    }
    this.becomeAs(fresh)
    this.keeper.startSync()
    await this.keeper.settle()
    this.keeper.sweep(this.options.clock.now())
  }

  async close(): Promise<void> {
    await this.queue
    await this.keeper.settle()
    this.index.close()
    this.leaveSegment()
    this.shelf.close()
  }

  /** Takes up the index that is in use now, or begins one, where somebody took this one's files away. */
  private async renew(): Promise<void> {
    const fresh = new LogFollower(this.options, this.suspicion)
    try {
      await fresh.catchUp()
      await fresh.makeDurable()
    } catch (error) {
      await fresh.close()
      throw error
    }
    this.becomeAs(fresh)
  }

  /** Takes over all that another follower knows, at once: readers see the one or the other. */
  private becomeAs(fresh: LogFollower): void {
    this.keeper.retire()
    this.leaveSegment()
    this.keeper = fresh.keeper
    this.current = fresh.current
    this.isReadOnly = fresh.isReadOnly
    this.point = fresh.point
    this.scannedSize = fresh.scannedSize
    this.voidBytes = fresh.voidBytes
    this.headCount = fresh.headCount
    this.anchor = fresh.anchor
    this.damage = fresh.damage
    this.movedTo = fresh.movedTo
    this.durable = Math.max(this.durable, fresh.durable)
  }

  private isUnchanged(): boolean {
    return this.current !== undefined && this.current.size() === this.scannedSize
  }

  /** Takes over what a head says where it reaches further than this process does. */
  private adopt(head: IndexHead | undefined): void {
    if (!head) return
    const trusted = this.keeper.adopt(head, this.point.count)
    if (trusted) {
      this.anchor = trusted
      if (trusted.segment !== this.current?.number) this.leaveSegment()
      this.point = trusted
      this.scannedSize = -1
      this.durable = Math.max(this.durable, trusted.count)
    }
    this.checkLength(head)
  }

  /** A head is written after the log was synced: a shorter log has lost acknowledged events. */
  private checkLength(head: IndexHead): void {
    const { segment, offset } = head.point
    if (segment !== this.point.segment || offset === 0) return
    const size = (this.current ?? this.openCurrent(segment))?.size() ?? 0
    if (size < offset) {
      this.damage = this.damaged(`File ${segment} of the log has lost its end`, { segment })
    }
  }

  /** Every event that a head speaks of was read from the log, or something is missing. */
  private checkCount(head: IndexHead | undefined): void {
    if (!head) return
    const known = mostOf(head)
    this.headCount = Math.max(this.headCount, known)
    const { count } = this.point
    if (this.damage || known <= count) return
    const message = `The log ends after ${count} events, but ${known} were acknowledged`
    this.damage = this.damaged(message, { position: count })
  }

  /** True where a file follows the one that has no seal, and had none when the other was made. */
  private lacksSeal(segment: Segment, size: number): boolean {
    const { disk, layout } = this.options
    const next = disk.status(join(layout.segments, segmentName(segment.number + 1)))
    return next !== undefined && segment.size() === size
  }

  /** Reads the file that the point is in. True where the next file begins behind it. */
  private async readSegment(deadline: number, progress?: Progress): Promise<boolean> {
    const number = Math.max(this.point.segment, 1)
    const segment = this.current ?? this.openCurrent(number)
    if (!segment) {
      if (this.point.offset > 0) this.damage = this.damaged(`File ${number} of the log is missing`)
      return false
    }
    if (this.point.offset === 0) {
      const { count, hash, createdAtMs } = this.point
      const offset = segment.checkHead(count, hash, this.options.storeId)
      this.point = { count, hash, segment: number, offset, createdAtMs }
    }
    const size = segment.size()
    let seen = this.point.offset
    for await (const run of segment.lines(this.point.offset, size)) {
      for (const { line, offset } of run) {
        const meaning = readLine(line, offset, this.point)
        seen = offset + line.length + 1
        if (meaning.kind === 'commit') this.take(meaning.events, offset, seen)
        if (meaning.kind === 'damage') {
          this.damage = this.damaged(
            `The log was changed before byte ${offset} of file ${number}`,
            { segment: number, offset },
          )
          this.scannedSize = size
          return false
        }
        if (meaning.kind === 'moved') {
          await this.makeDurable()
          this.movedTo = meaning.generation
          this.scannedSize = size
          return false
        }
        if (meaning.kind === 'seal') {
          await this.makeDurable()
          this.point = { ...this.point, segment: number + 1, offset: 0 }
          this.leaveSegment()
          return true
        }
      }
      await this.keepPace(deadline)
      progress?.(seen, size)
    }
    this.voidBytes = size - this.point.offset
    this.scannedSize = size
    if (this.lacksSeal(segment, size)) {
      this.damage = this.damaged(`The end of file ${number} of the log is missing`, {
        segment: number,
      })
    }
    return false
  }

  private async keepPace(deadline: number): Promise<void> {
    if (this.index.pendingCount < FLUSH_EVENTS) return
    await this.makeDurable()
    // In the middle of a file nothing but the index may change: another one is taken up at its end.
    if (!this.keeper.isLost) await this.writeIndex()
    if (monotonicMs() < deadline && this.index.pendingCount < MOST_PENDING) return
    throw new AppError('index-behind', 'The index of the log is being built; try again soon', {
      indexed: this.index.count,
    })
  }

  private take(events: readonly LineEvent[], lineOffset: number, end: number): void {
    const { indexed, point } = lineEvents(events, this.point, lineOffset, end)
    this.index.add(indexed)
    this.point = point
  }

  private flush(): void {
    this.keeper.flush({ ...this.point, sequences: this.index.sequenceCount })
  }

  private openCurrent(number: number): Segment | undefined {
    const { disk, layout } = this.options
    this.isReadOnly = false
    try {
      this.current = Segment.open(disk, layout, number, 'append')
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'storage-read-only')) throw error
      this.current = Segment.open(disk, layout, number, 'read')
      this.isReadOnly = true
    }
    return this.current
  }

  private leaveSegment(): void {
    this.current?.close()
    this.current = undefined
    this.scannedSize = -1
  }
}

/** Goes on where the disk, or an index that is no longer what it was, does not allow it. */
async function tryTo(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof AppError || error instanceof RangeError)) throw error
  }
}
