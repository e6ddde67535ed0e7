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
import { AppError } from '../../domain/app-error.ts'
import { type EventHash, parseStoredEvent } from '../../domain/event.ts'
import type { Clock, Progress } from '../../domain/ports.ts'
import { monotonicMs } from '../../kit/monotonic.ts'
import { GENESIS, type IndexHead } from './head-file.ts'
import { IndexKeeper, type IndexOptions } from './index-keeper.ts'
import type { LogIndex } from './log-index.ts'
import { type LineEvent, type LogPoint, readLine } from './log-line.ts'
import { Segment } from './segment.ts'
import { SegmentShelf } from './segment-shelf.ts'

export type LogOptions = IndexOptions & {
  readonly clock: Clock
  readonly segmentBytes: number
  readonly lockTimeoutMs: number
  /** False: nothing is synced, a loss of power loses acknowledged events. */
  readonly sync: boolean
  /** Longest time in ms that one call may spend on an index that is behind. */
  readonly catchUpMs: number
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
  /** Void bytes seen behind the point. */
  voidBytes = 0
  private readonly keeper: IndexKeeper
  private readonly shelf: SegmentShelf
  private current: Segment | undefined
  private isReadOnly = false
  private scannedSize = -1
  private queue: Promise<unknown> = Promise.resolve()

  constructor(options: LogOptions) {
    this.options = options
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
    if (this.isUnchanged() && this.durable === this.point.count) return this.durable
    if (this.isUnchanged() && this.isAppending) return this.durable
    return this.exclusive(async () => {
      await this.catchUp()
      await this.makeDurable()
      if (this.index.pendingCount >= READER_FLUSH_EVENTS) await this.writeIndex()
      return this.durable
    })
  }

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
    this.adopt(this.keeper.readHead())
    while (await this.readSegment(deadline, progress)) {
      // One more file of the log begins.
    }
  }

  /** Opens the end of the log anew where it could only be opened for reading; the cause may be gone. */
  wantAppend(): void {
    if (this.isReadOnly) this.leaveSegment()
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

  /** Syncs the log up to the point. @throws AppError `outcome-unknown` where the device refuses */
  async makeDurable(): Promise<void> {
    const { count } = this.point
    if (this.durable >= count) return
    if (this.options.sync && this.current) await this.options.disk.syncData(this.current.fd)
    this.durable = Math.max(this.durable, count)
  }

  /** Writes pending events into the index files and the head. Only inside `exclusive`, when durable. */
  async writeIndex(): Promise<void> {
    if (this.index.pendingCount === 0 || this.durable < this.point.count) return
    try {
      this.flush()
    } catch (error) {
      // The events are in the log; without space or right to write, the index stays behind it.
      if (error instanceof AppError && error.code !== 'log-damaged') return
      throw error
    }
    if (!this.keeper.isSyncDue) return
    this.keeper.startSync()
    if (this.options.boot === '') await this.keeper.settle()
  }

  /** An older or the current file for reading. */
  openSegment(number: number): Segment {
    if (number === this.current?.number) return this.current
    const segment = this.shelf.take(number)
    if (!segment) throw this.damaged(`File ${number} of the log is missing`)
    return segment
  }

  damaged(message: string, facts: Readonly<Record<string, number>> = {}): AppError {
    return new AppError('log-damaged', message, facts)
  }

  /** Reads the whole log anew into a new generation of the index. Only inside `exclusive`. */
  async rebuild(progress: Progress): Promise<void> {
    this.keeper.restart()
    this.leaveSegment()
    this.point = GENESIS
    while (await this.readSegment(Number.POSITIVE_INFINITY, progress)) {
      // One more file of the log begins.
    }
    await this.makeDurable()
    if (this.index.pendingCount > 0) this.flush()
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

  private isUnchanged(): boolean {
    return this.current !== undefined && this.current.size() === this.scannedSize
  }

  /** Takes over what a head says where it reaches further than this process does. */
  private adopt(head: IndexHead | undefined): void {
    if (!head) return
    const trusted = this.keeper.adopt(head, this.point.count)
    if (trusted) {
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
    return false
  }

  private async keepPace(deadline: number): Promise<void> {
    if (this.index.pendingCount < FLUSH_EVENTS) return
    await this.makeDurable()
    await this.writeIndex()
    if (monotonicMs() < deadline && this.index.pendingCount < MOST_PENDING) return
    throw new AppError('index-behind', 'The index of the log is being built; try again soon', {
      indexed: this.index.count,
    })
  }

  private take(events: readonly LineEvent[], lineOffset: number, end: number): void {
    const segment = this.point.segment
    let { count, createdAtMs } = this.point
    let hash: EventHash = this.point.hash
    for (const { json, hash: own, start } of events) {
      const event = parseStoredEvent({ position: count, hash: own, json })
      createdAtMs = Math.max(createdAtMs, Date.parse(event.createdAt) || 0)
      this.index.add({
        segment,
        offset: lineOffset + start,
        length: json.length,
        lineOffset,
        createdAtMs,
        hash: own,
        stream: event.stream,
        eventType: event.eventType,
        eventId: event.eventId,
      })
      hash = own
      count++
    }
    this.point = { count, hash, segment, offset: end, createdAtMs }
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
