/**
 * Follows a log to its end: adopts what the index knows, has the lines behind that read (`log-end.ts`), feeds
 * the index, and makes durable what is not known to be.
 *
 * Invariants
 *  1. `index.count === point.count`: every event that was read is in the index, in files or in memory.
 *  2. Events below `durable` are on disk; only they exist for readers.
 *  3. What is written into index files is durable in the log before.
 *  4. Every change that an answer shows happens inside `exclusive`, except the sync itself.
 *
 * Appending is `appender.ts`, answering questions is `file-log.ts`.
 */
import { AppError } from '../../domain/app-error.ts'
import type { Progress } from '../../domain/ports.ts'
import { Bell } from '../../kit/bell.ts'
import { monotonicMs } from '../../kit/monotonic.ts'
import { Turns } from '../../kit/turns.ts'
import { isAnchored } from './anchor.ts'
import { type IndexHead, mostOf } from './head-file.ts'
import { IndexKeeper } from './index-keeper.ts'
import { LogEnd, type Taker } from './log-end.ts'
import type { LogIndex } from './log-index.ts'
import type { LogPoint } from './log-line.ts'
import type { LogOptions } from './log-options.ts'
import { passOver } from './pass-over.ts'
import type { Segment } from './segment.ts'
import { SegmentShelf } from './segment-shelf.ts'
import { SegmentSyncs } from './segment-syncs.ts'
import type { Suspicion } from './suspicion.ts'

/** Events in memory at which the index is written while a log is read. */
const FLUSH_EVENTS = 4096
/** Events in memory beyond which a process that may not write an index gives up. */
const MOST_PENDING = 65_536
/** Events found behind the index from which on a reader writes the index, too. */
const READER_FLUSH_EVENTS = 64

export class LogFollower {
  readonly options: LogOptions
  /** Events known to be on disk. */
  durable = 0
  /** Rung after each commit of this process. */
  readonly appended = new Bell()
  /** Set while an append of this process is between its write and its acknowledgement. */
  isAppending = false
  readonly suspicion: Suspicion
  readonly syncs: SegmentSyncs
  /** What was read of the log itself. */
  end: LogEnd
  private keeper: IndexKeeper
  private readonly shelf: SegmentShelf
  /** Where an index ended that was taken over from a head, until the log was compared with it. */
  private anchor: LogPoint | undefined
  /** Events that a head spoke of; -1: no head was seen. */
  private headCount = -1
  private readonly changes = new Turns()
  private readonly durability = new Turns()

  constructor(options: LogOptions, suspicion: Suspicion) {
    this.options = options
    this.suspicion = suspicion
    this.keeper = new IndexKeeper(options)
    this.shelf = new SegmentShelf(options.disk, options.layout)
    this.end = new LogEnd(options)
    this.syncs = new SegmentSyncs(options, suspicion)
  }

  /** Behind the last event that was read. */
  get point(): LogPoint {
    return this.end.point
  }

  /** What is wrong with the log, once that is known. */
  get damage(): AppError | undefined {
    return this.end.damage
  }

  /** The file that the log ends in; `undefined` before the first one was made. */
  get segment(): Segment | undefined {
    return this.end.segment
  }

  get index(): LogIndex {
    return this.keeper.index
  }

  /** Runs `work` while no other work on this follower runs. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.changes.take(work)
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
      const isBehind = this.index.pendingCount >= READER_FLUSH_EVENTS
      if (isBehind && this.indexWriting === undefined) await this.writeIndex()
      return this.durable
    })
  }

  /** How many events a reader may see, where nothing has to be read or waited for to tell. */
  unchanged(): number | undefined {
    const isOwn = this.isAppending && this.durable >= this.end.readTo
    if (this.durable !== this.point.count && !isOwn) return undefined
    return this.end.isUnchanged ? this.durable : undefined
  }

  /** Reads what others have written since. Only inside `exclusive`. */
  async catchUp(): Promise<void> {
    if (this.end.isUnchanged) return
    const deadline = monotonicMs() + this.options.catchUpMs
    const head = this.keeper.readHead()
    this.adopt(head)
    await this.readFiles(deadline)
    this.checkCount(head)
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
    else this.end.refute('The end of the log is not what the index says', { segment })
  }

  /** Lets go of an older file of the log, where another may stand in its place. */
  forgetSegment(number: number): void {
    this.shelf.forget(number)
  }

  /** Syncs the log up to the point. @throws AppError where the device refuses, now or before */
  makeDurable(): Promise<void> {
    const { count } = this.point
    return this.durability.take(() => this.makeDurableTo(count))
  }

  /** What was written while another sync ran is synced along. */
  private async makeDurableTo(count: number): Promise<void> {
    if (this.durable >= count) return
    const { count: reached } = this.point
    if (this.segment) await this.syncs.sync(this.segment)
    this.durable = Math.max(this.durable, reached)
  }

  /** Writes pending events into index files and head, or begins to. Only inside `exclusive`, when durable. */
  async writeIndex(when: 'now' | 'beside' = 'now'): Promise<void> {
    if (when === 'beside' && this.keeper.writing !== undefined) return
    await this.keeper.writing
    if (this.index.pendingCount === 0 || this.durable < this.point.count || this.damage) return
    // The events are in the log; without space or right to write, the index stays behind it.
    try {
      if (this.keeper.isLost) await this.renew()
      await this.keeper.write(this.point, when)
    } catch (error) {
      passOver(error)
    }
  }

  /** What is being written of the index beside other work. */
  get indexWriting(): Promise<void> | undefined {
    return this.keeper.writing
  }

  /** An older or the current file for reading. */
  openSegment(number: number): Segment {
    if (number === this.segment?.number) return this.segment
    const segment = this.shelf.take(number)
    if (!segment) throw this.end.missing(number)
    return segment
  }

  /**
   * Reads the whole log anew into a new generation of the index, beside the one in use, and puts it in its
   * place. Only inside `exclusive`.
   * @throws AppError `log-damaged` where the log is shorter than its head says: the head stays, to tell it
   */
  async rebuild(progress: Progress): Promise<void> {
    await this.keeper.writing
    const fresh = new LogFollower(this.options, this.suspicion)
    try {
      fresh.keeper.hide()
      const head = fresh.keeper.readHead()
      await fresh.readFiles(Number.POSITIVE_INFINITY, progress)
      fresh.checkCount(head)
      if (fresh.damage) throw fresh.damage
      await fresh.makeDurable()
      if (fresh.index.pendingCount > 0) fresh.keeper.flush(fresh.point)
      fresh.keeper.show()
    } catch (error) {
      await fresh.close()
      throw error
    }
    this.becomeAs(fresh)
    this.keeper.startSync()
    await this.keeper.settle()
    this.keeper.sweep()
  }

  async close(): Promise<void> {
    await this.changes.over()
    await this.keeper.settle()
    this.index.close()
    this.end.leave()
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
    this.end.leave()
    this.keeper = fresh.keeper
    this.end = fresh.end
    this.headCount = fresh.headCount
    this.anchor = fresh.anchor
    this.durable = Math.max(this.durable, fresh.durable)
  }

  /** Takes over what a head says where it reaches further than this process does. */
  private adopt(head: IndexHead | undefined): void {
    if (!head) return
    const trusted = this.keeper.adopt(head, this.point.count)
    if (trusted) {
      this.anchor = trusted
      this.end.jumpTo(trusted)
      this.durable = Math.max(this.durable, trusted.count)
    }
    // A head is written after the log was synced: a shorter log has lost acknowledged events.
    this.end.mustReach(head.point)
  }

  /** Every event that a head speaks of was read from the log, or something is missing. */
  private checkCount(head: IndexHead | undefined): void {
    if (!head) return
    const known = mostOf(head)
    this.headCount = Math.max(this.headCount, known)
    this.end.mustHave(known)
  }

  private async readFiles(deadline: number, progress?: Progress): Promise<void> {
    while (await this.end.readFile(this.taker(deadline, progress))) {
      // One more file of the log begins.
    }
  }

  private taker(deadline: number, progress?: Progress): Taker {
    // Another end of the log has another index: whatever comes meanwhile, the two are never mixed.
    const { index } = this
    return {
      add: (events) => index.add(events),
      makeDurable: () => this.makeDurable(),
      pause: async (seen, size) => {
        await this.keepPace(deadline)
        progress?.(seen, size)
      },
    }
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
}
