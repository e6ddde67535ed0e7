/**
 * The logs that the records are kept in, one after the other: generation 0 is `records/log`, generation n is
 * `records/n/log`.
 *
 * When a log consists of old revisions mostly, its writers copy the records into the next one, a slice with
 * each write (`record-copy.ts`), and end the old log by a line that names the next. That line is appended as
 * every line is, so no writer gets behind it, however long it was paused. Whoever meets it sees to it that the
 * copy is complete, marks the next generation as begun, and goes on there. A generation that is marked never
 * loses the mark; the latest marked one is where a process begins.
 *
 *     copying     records/n/ without `begun`; nobody reads records from it
 *     moved       the line in generation n - 1; a crash leaves the rest to whoever comes next
 *     begun       records/n/begun; generations before it are removed, the last of them after a while
 */
import { AppError } from '../../domain/app-error.ts'
import type { Clock, Progress, VerifyReport } from '../../domain/ports.ts'
import type { Disk } from './disk.ts'
import type { FileLog } from './file-log.ts'
import { type Layout, type LogLayout, recordLayout } from './layout.ts'
import { passOver } from './pass-over.ts'
import { copiedEvents } from './record-body.ts'
import { RecordFolders } from './record-folders.ts'

export type GenerationOptions = {
  readonly disk: Disk
  readonly layout: Layout
  readonly clock: Clock
  /** Old revisions from which on a log is left, if they are more than its records; see `LEAVE_AT`. */
  readonly leaveAt?: number
  readonly openLog: (layout: LogLayout) => FileLog
}

/** Old revisions that a log may hold before it is left for a new one. */
const LEAVE_AT = 8192
/** How many times what it began with, and the above, a log may be before it is left, whatever is in it. */
const MOST_GROWTH = 4
/** Time that one write spends on copying, ms. */
const SLICE_MS = 60
/** Age at which a generation that was left is removed, ms: whoever has it open is done by then. */
const GRACE_MS = 60_000
/** More than one generation ever holds. */
const MOST_EVENTS = 2 ** 36
/** How often one call may find that the records have moved on meanwhile. */
const MOST_MOVES = 20

type Generation = {
  readonly number: number
  readonly log: FileLog
  users: number
  isLeft: boolean
  /** Events that it had when it was begun, once that was asked for. */
  begunWith?: number
}

export class RecordGenerations {
  private readonly options: GenerationOptions
  private readonly leaveAt: number
  private readonly folders: RecordFolders
  private current: Generation | undefined
  private copying: Promise<void> | undefined
  /** Whether there may be something to remove. */
  private hasOld = true

  constructor(options: GenerationOptions) {
    this.options = options
    this.leaveAt = options.leaveAt ?? LEAVE_AT
    this.folders = new RecordFolders(options.disk, options.layout)
  }

  /** Runs `work` on the log in use; again where the records turn out to have moved on. */
  async read<T>(work: (log: FileLog) => Promise<T>): Promise<T> {
    return this.run(work, true)
  }

  /** Like `read`, for work that appends at its end; then does its share of the copying. */
  async write<T>(work: (log: FileLog) => Promise<T>): Promise<T> {
    const result = await this.run(work, false)
    await this.care()
    return result
  }

  /** As `RecordEngine` has it: the records are as they were while the same log has as many events. */
  stamp(): number | undefined {
    const { current } = this
    if (!current || current.log.movedTo !== undefined) return undefined
    // An empty log is one that was removed, or that nothing was written to yet.
    const count = current.log.stamp()
    return count ? current.number * MOST_EVENTS + count : undefined
  }

  async verify(progress?: Progress): Promise<VerifyReport> {
    try {
      this.folders.latest()
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'log-damaged')) throw error
      return { counts: {}, findings: [{ kind: 'damage', message: error.message, position: 0 }] }
    }
    return this.read(async (log) => {
      const report = await log.verify(progress)
      const generation = this.current?.number ?? 0
      return generation === 0 ? report : { ...report, counts: { ...report.counts, generation } }
    })
  }

  async reindex(progress: Progress): Promise<void> {
    await this.read((log) => log.reindex(progress))
  }

  async close(): Promise<void> {
    await this.copying
    await this.current?.log.close()
  }

  private async run<T>(work: (log: FileLog) => Promise<T>, isRead: boolean): Promise<T> {
    for (let moves = 0; ; moves++) {
      const generation = this.take()
      try {
        const result = await work(generation.log)
        if (!isRead || moves >= MOST_MOVES || !(await this.isLeft(generation))) return result
      } catch (error) {
        const isUnknown = error instanceof AppError && error.code === 'outcome-unknown'
        if (isUnknown || moves >= MOST_MOVES || !(await this.isLeft(generation, true))) throw error
      } finally {
        await this.letGo(generation)
      }
    }
  }

  private take(): Generation {
    this.current ??= this.open(this.folders.latest())
    this.current.users++
    return this.current
  }

  private async letGo(generation: Generation): Promise<void> {
    generation.users--
    if (generation.isLeft && generation.users === 0) await generation.log.close()
  }

  /** True where another generation is in use now, which `take` gives next. */
  private async isLeft(generation: Generation, hasFailed = false): Promise<boolean> {
    if (generation !== this.current) return true
    const { number, log } = generation
    if (log.movedTo !== undefined) {
      if (!(await this.goOn(generation, log.movedTo))) return false
    }
    // An empty log is one that was removed, or that nothing was written to yet; one without the file that it
    // goes on in may have been removed behind the end of the file before.
    else if (!hasFailed && log.known.events > 0 && log.known.hasEnd) return false
    const latest = this.folders.latest()
    if (latest === number) return false
    if (generation === this.current) this.leave(generation, latest)
    return true
  }

  private leave(generation: Generation, next: number): void {
    generation.isLeft = true
    this.current = this.open(next)
    this.hasOld = true
  }

  /**
   * Completes the next generation where that is left to do, and marks it as begun.
   * @returns false where that cannot be done: until it is, this one has all there is
   */
  private async goOn(generation: Generation, next: number): Promise<boolean> {
    try {
      if (this.folders.latest() >= next) return true
      const { copySlice, isCopied } = await import('./record-copy.ts')
      const to = await this.openCopy(generation, next)
      try {
        while (!(await isCopied(generation.log, to))) await copySlice(generation.log, to, SLICE_MS)
      } finally {
        await to.close()
      }
      await this.folders.begin(next)
      return true
    } catch (error) {
      passOver(error)
      return this.folders.latest() >= next
    }
  }

  /** The log that is being copied to; begun anew where it is the copy of something else. */
  private async openCopy(from: Generation, next: number): Promise<FileLog> {
    const { isForeign } = await import('./record-copy.ts')
    const { disk, layout } = this.options
    await this.folders.make(next)
    const to = this.open(next).log
    if (!(await isForeign(from.log, to))) return to
    // One that has begun has outlived the log that it was copied from.
    if (this.folders.hasBegun(next)) return to
    await to.close()
    const { discardGeneration } = await import('./record-sweep.ts')
    discardGeneration(disk, layout, next)
    await this.folders.make(next)
    return this.open(next).log
  }

  /** A share of the copying where it is due, and of clearing away. What fails is left to the next write. */
  private async care(): Promise<void> {
    const { current } = this
    if (!current || this.copying !== undefined) return
    const isLong = current.log.known.events >= this.leaveAt
    if (!isLong && !(this.hasOld && current.number > 0)) return
    current.users++
    this.copying = this.careFor(current)
      .catch(passOver)
      .finally(() => {
        this.copying = undefined
      })
    await this.copying
    await this.letGo(current)
  }

  private async careFor(current: Generation): Promise<void> {
    if (await this.isDue(current)) await this.copy(current)
    else if (this.hasOld && current.number > 0) await this.sweep(current)
  }

  /**
   * True where a log consists of old revisions mostly. Of those that come and go under ever new keys it cannot
   * be told: it is left at the latest when it is several times what it began with.
   */
  private async isDue(current: Generation): Promise<boolean> {
    const { events, sequences } = current.log.known
    if (events < this.leaveAt) return false
    const old = events - sequences
    if (old >= this.leaveAt && old >= sequences) return true
    current.begunWith ??= await copiedEvents(current.log)
    return events >= MOST_GROWTH * (current.begunWith + this.leaveAt)
  }

  private async copy(current: Generation): Promise<void> {
    const { copySlice } = await import('./record-copy.ts')
    const next = this.folders.numberAfter(current.number)
    const to = await this.openCopy(current, next)
    try {
      if (!(await copySlice(current.log, to, SLICE_MS))) return
      await this.folders.syncNames(next)
      const finish = () => copySlice(current.log, to, SLICE_MS)
      if (!(await current.log.moveOn(next, finish))) return
    } finally {
      await to.close()
    }
    await this.isLeft(current)
  }

  private async sweep({ number }: Generation): Promise<void> {
    const { sweepGenerations } = await import('./record-sweep.ts')
    const { disk, layout, clock } = this.options
    this.hasOld = sweepGenerations(disk, layout, number, clock.now() - GRACE_MS)
  }

  private open(number: number): Generation {
    const log = this.options.openLog(recordLayout(this.options.layout, number))
    return { number, log, users: 0, isLeft: false }
  }
}
