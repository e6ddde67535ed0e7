/**
 * How far a log was read, and what was found there: its lines one after the other, from file to file, up to the
 * last one that counts. What is made of them, and when there is no time for more, is `log-follower.ts`.
 *
 * Only inside `exclusive` of the follower.
 */
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import type { Disk } from './disk.ts'
import { FreeSpace } from './free-space.ts'
import { GENESIS } from './head-file.ts'
import { type LogLayout, segmentName } from './layout.ts'
import { lineEvents } from './line-events.ts'
import { type LineMeaning, type LogPoint, readLine } from './log-line.ts'
import type { IndexedEvent } from './pending-events.ts'
import { Segment } from './segment.ts'

export type EndOptions = {
  readonly disk: Disk
  readonly layout: LogLayout
  readonly storeId: string
  /** What it is called where it is damaged, if it is not the log of the events. */
  readonly name?: string
}

/** What is done with the lines. */
export type Taker = {
  /** Takes in events that count. Where it throws, the log was read up to before them. */
  readonly add: (events: readonly IndexedEvent[]) => void
  /** Called before a line is believed that ends a file: what was before it must not be lost when it is not. */
  readonly makeDurable: () => Promise<void>
  /** Called after each run of lines, with the offset behind it and the size of the file. */
  readonly pause: (seen: number, size: number) => Promise<void>
}

/** A line behind which nothing counts in its file. */
type Ending = Extract<LineMeaning, { readonly kind: 'damage' | 'moved' | 'seal' }>

export class LogEnd {
  /** Behind the last line that counts. */
  point: LogPoint = GENESIS
  /** What is wrong with the log, once that is known. */
  damage: AppError | undefined
  /** Where the log goes on, once it has ended for ever. */
  movedTo: number | undefined
  /** Events below it were read from the log: others may have been told that they are on disk. */
  readTo = 0
  /** Void bytes seen behind the point. */
  voidBytes = 0
  /** Where it is written on. */
  readonly space: FreeSpace
  private readonly options: EndOptions
  private current: Segment | undefined
  private isReadOnly = false
  private readSize = -1

  constructor(options: EndOptions) {
    this.options = options
    this.space = new FreeSpace(options.disk, options.layout.segments)
  }

  /** The file that the log ends in; `undefined` before the first one was made. */
  get segment(): Segment | undefined {
    return this.current
  }

  /** Bytes in that file when it was last looked at. */
  get size(): number {
    return this.readSize
  }

  get isUnchanged(): boolean {
    return this.current !== undefined && this.current.size() === this.readSize
  }

  /** Goes on at a point that is known to be one, instead of reading up to it. */
  jumpTo(point: LogPoint): void {
    if (point.segment !== this.current?.number) this.leave()
    this.point = point
    this.readSize = -1
  }

  /** Notes lines that this process has written at the end of the current file. */
  noteOwn(point: LogPoint, size: number): void {
    this.point = point
    this.readSize = size
  }

  /** Forgets the current file; the next look opens the one that the point is in. */
  leave(): void {
    const { current } = this
    this.current = undefined
    this.readSize = -1
    // Where even this fails, nobody must use it any more.
    current?.close()
  }

  /** Opens the file anew where it could only be opened for reading; the cause may be gone. */
  wantAppend(): void {
    if (this.isReadOnly) this.leave()
  }

  /** Reads the file that the point is in. True where the next file begins behind it. */
  async readFile(taker: Taker): Promise<boolean> {
    const segment = this.enter()
    if (!segment) return false
    const size = segment.size()
    let seen = this.point.offset
    for await (const run of segment.lines(this.point.offset, size)) {
      for (const { line, offset } of run) {
        const meaning = readLine(line, offset, this.point)
        seen = offset + line.length + 1
        if (meaning.kind === 'commit') {
          const { indexed, point } = lineEvents(meaning.events, this.point, offset, seen)
          taker.add(indexed)
          this.point = point
          this.readTo = point.count
        } else if (meaning.kind !== 'void') {
          return this.endAt(meaning, offset, size, taker)
        }
      }
      await taker.pause(seen, size)
    }
    this.voidBytes = size - this.point.offset
    this.readSize = size
    if (this.lacksSeal(segment, size)) {
      const { number } = segment
      this.refute(`The end of file ${segmentName(number)} of the log is missing`, {
        segment: number,
      })
    }
    return false
  }

  /** The file that a point is in is as long as the point says, or it has lost its end. */
  mustReach({ segment, offset }: LogPoint): void {
    if (segment !== this.point.segment || offset === 0) return
    const size = (this.current ?? this.open(segment))?.size() ?? 0
    if (size < offset)
      this.refute(`File ${segmentName(segment)} of the log has lost its end`, { segment })
  }

  /** There are as many events, or some are missing. */
  mustHave(known: number): void {
    const { count } = this.point
    if (this.damage || known <= count) return
    this.refute(`The log ends after ${count} events, but ${known} were acknowledged`, {
      position: count,
    })
  }

  /** Notes what is wrong with the log. */
  refute(message: string, facts: Readonly<Record<string, number>> = {}): void {
    this.damage = this.damaged(message, facts)
  }

  /** A file of the log is not there. */
  missing(number: number): AppError {
    return this.damaged(`File ${segmentName(number)} of the log is missing`, { segment: number })
  }

  damaged(message: string, facts: Readonly<Record<string, number>> = {}): AppError {
    const { name } = this.options
    const told = name === undefined ? message : `${name} are damaged: ${message}`
    return new AppError('log-damaged', told, facts)
  }

  /** Opens the file that the point is in, and sets the point behind its head line. */
  private enter(): Segment | undefined {
    const number = Math.max(this.point.segment, 1)
    const segment = this.current ?? this.open(number)
    if (!segment) {
      if (this.point.offset > 0) this.damage = this.missing(number)
      return undefined
    }
    if (this.point.offset === 0) {
      const { count, hash, createdAtMs } = this.point
      const offset = segment.checkHead(count, hash, this.options.storeId)
      this.point = { count, hash, segment: number, offset, createdAtMs }
    }
    return segment
  }

  /** True where the next file begins behind the line at `offset`. */
  private async endAt(
    ending: Ending,
    offset: number,
    size: number,
    taker: Taker,
  ): Promise<boolean> {
    const { segment } = this.point
    if (ending.kind === 'damage') {
      const message = `The log was changed before byte ${offset} of file ${segmentName(segment)}`
      this.refute(message, { segment, offset })
      this.readSize = size
      return false
    }
    await taker.makeDurable()
    if (ending.kind === 'moved') {
      this.movedTo = ending.generation
      this.readSize = size
      return false
    }
    this.point = { ...this.point, segment: segment + 1, offset: 0 }
    this.leave()
    return true
  }

  /** True where a file follows the one that has no seal, and had none when the other was made. */
  private lacksSeal(segment: Segment, size: number): boolean {
    const { disk, layout } = this.options
    const next = disk.status(join(layout.segments, segmentName(segment.number + 1)))
    return next !== undefined && segment.size() === size
  }

  private open(number: number): Segment | undefined {
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
}
