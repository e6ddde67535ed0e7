/**
 * The log on flat files: `LogEngine` of `domain/ports.ts`, put together from the follower (what is there), the
 * appender (what is added) and the files of events themselves.
 */
import type { AppError } from '../../domain/app-error.ts'
import {
  chainHash,
  EMPTY_HASH,
  type EventHash,
  type Position,
  parseStoredEvent,
  type StoredEvent,
} from '../../domain/event.ts'
import type {
  AppendOutcome,
  AppendRequest,
  LogEngine,
  LogHead,
  Progress,
  ReadDirection,
  SequenceEvent,
  SequenceHead,
  VerifyReport,
} from '../../domain/ports.ts'
import type { SequenceKey } from '../../domain/sequence.ts'
import { Appender } from './appender.ts'
import type { Entry } from './entry.ts'
import type { ImportCount, ImportedEvent } from './importer.ts'
import type { Lock } from './lock.ts'
import { LogFollower, type LogOptions } from './log-follower.ts'
import { readLine } from './log-line.ts'
import { Suspicion } from './suspicion.ts'

/** Most bytes of events that one run or page holds, unless a single event is larger. */
const RUN_BYTES = 4 << 20
const BACKWARDS_EVENTS = 512

export class FileLog implements LogEngine {
  private readonly follower: LogFollower
  private readonly appender: Appender
  private readonly suspicion: Suspicion
  private readonly lock: Lock

  constructor(options: LogOptions, lock: Lock) {
    this.lock = lock
    this.follower = new LogFollower(options)
    this.suspicion = new Suspicion(options.disk, options.layout)
    this.appender = new Appender(
      this.follower,
      lock,
      (stream, eventId, end) => this.readById(stream, eventId, end),
      this.suspicion,
    )
  }

  async head(): Promise<LogHead> {
    const count = await this.follower.snapshot()
    return { count, hash: this.hashBefore(count) }
  }

  append(request: AppendRequest): Promise<AppendOutcome> {
    return this.appender.append(request)
  }

  async read(position: Position): Promise<StoredEvent | undefined> {
    const end = await this.follower.snapshot()
    return position >= 0 && position < end ? this.readEvent(position) : undefined
  }

  async findHash(hash: EventHash): Promise<Position | undefined> {
    const end = await this.follower.snapshot()
    return this.follower.index.findHash(hash, end)
  }

  async findEventId(stream: string, eventId: string): Promise<Position | undefined> {
    const end = await this.follower.snapshot()
    return (await this.readById(stream, eventId, end))?.position
  }

  async sequenceHead(sequence: SequenceKey): Promise<SequenceHead | undefined> {
    const end = await this.follower.snapshot()
    return this.follower.index.sequenceHead(sequence, end)
  }

  async readSequence(
    sequence: SequenceKey,
    from: number,
    direction: ReadDirection,
    limit: number,
  ): Promise<readonly SequenceEvent[]> {
    const end = await this.follower.snapshot()
    const members = this.follower.index.members(sequence, from, direction, limit, end)
    const events: SequenceEvent[] = []
    let bytes = 0
    for (const { number, position } of members) {
      bytes += this.follower.index.entry(position).length
      if (events.length > 0 && bytes > RUN_BYTES) break
      events.push({ number, event: await this.readEvent(position) })
    }
    return events
  }

  readLog(
    from: Position,
    to: Position,
    direction: ReadDirection,
  ): AsyncIterable<readonly StoredEvent[]> {
    return direction === 'forwards' ? this.forwards(from, to) : this.backwards(from, to)
  }

  /** Also takes the mark of a failed sync away where the log is found whole. */
  async verify(progress?: Progress): Promise<VerifyReport> {
    const { verifyLog } = await import('./verify-log.ts')
    const report = await verifyLog(this.follower.options, progress)
    if (!report.findings.some(({ kind }) => kind === 'damage')) this.suspicion.clear()
    return report
  }

  /** Takes in a history that has its texts and hashes already; see `importer.ts`. */
  async importEvents(
    events: AsyncIterable<ImportedEvent>,
    progress?: Progress,
  ): Promise<ImportCount> {
    const { importEvents } = await import('./importer.ts')
    return importEvents(this.follower, this.lock, events, progress)
  }

  /** Builds the index anew from the log, beside the one in use, and puts it in its place. */
  async reindex(progress: Progress): Promise<void> {
    await this.follower.exclusive(() => this.follower.rebuild(progress))
  }

  async close(): Promise<void> {
    await this.appender.close()
    await this.follower.close()
  }

  private async *forwards(
    from: Position,
    to: Position,
  ): AsyncGenerator<readonly StoredEvent[], void> {
    const end = Math.min(to, await this.follower.snapshot())
    for (let at = from; at < end; ) {
      const entry = this.follower.index.entry(at)
      const segment = this.follower.openSegment(entry.segment)
      // The line may hold events before `at`: its own first position is told by the line.
      let start = at
      while (start > 0 && this.sharesLine(start - 1, entry)) start--
      let point = { count: start, hash: this.hashBefore(start) }
      for await (const run of segment.lines(entry.lineOffset, segment.size())) {
        const events: StoredEvent[] = []
        for (const { line, offset } of run) {
          const meaning = readLine(line, offset, point)
          if (meaning.kind === 'seal') break
          if (meaning.kind === 'damage') throw this.damagedAt(point.count)
          if (meaning.kind === 'void') continue
          for (const { json, hash } of meaning.events) {
            if (point.count >= at && point.count < end) {
              events.push({ position: point.count, hash, json })
            }
            point = { count: point.count + 1, hash }
          }
          if (point.count >= end) break
        }
        if (events.length > 0) yield events
        at = Math.max(at, point.count)
        if (at >= end) return
      }
      if (at < end && this.follower.index.entry(at).segment === entry.segment) {
        throw this.damagedAt(at)
      }
    }
  }

  private async *backwards(
    from: Position,
    to: Position,
  ): AsyncGenerator<readonly StoredEvent[], void> {
    const end = Math.min(to, await this.follower.snapshot())
    for (let high = end; high > from; ) {
      let low = high
      let bytes = 0
      while (low > from && high - low < BACKWARDS_EVENTS) {
        bytes += this.follower.index.entry(low - 1).length
        if (low < high && bytes > RUN_BYTES) break
        low--
      }
      const events: StoredEvent[] = []
      for (let position = high - 1; position >= low; position--) {
        events.push(await this.readEvent(position))
      }
      yield events
      high = low
    }
  }

  private sharesLine(position: number, entry: Entry): boolean {
    const other = this.follower.index.entry(position)
    return other.segment === entry.segment && other.lineOffset === entry.lineOffset
  }

  private hashBefore(count: number): EventHash {
    return count === 0 ? EMPTY_HASH : this.follower.index.entry(count - 1).hash
  }

  private async readById(
    stream: string,
    eventId: string,
    end: number,
  ): Promise<StoredEvent | undefined> {
    for (const position of this.follower.index.findEventId(stream, eventId, end)) {
      const stored = await this.readEvent(position)
      const event = parseStoredEvent(stored)
      if (event.stream === stream && event.eventId.toLowerCase() === eventId) return stored
    }
    return undefined
  }

  /** @throws AppError `log-damaged` where the bytes do not have the hash that the chain gave them */
  private async readEvent(position: Position): Promise<StoredEvent> {
    const entry = this.follower.index.entry(position)
    const segment = this.follower.openSegment(entry.segment)
    const json = Buffer.allocUnsafe(entry.length)
    const { disk } = this.follower.options
    const isLarge = entry.length > 65_536
    const count = isLarge
      ? await disk.readMuch(segment.fd, json, entry.offset)
      : disk.readAt(segment.fd, json, entry.offset)
    const { hash } = entry
    if (count < json.length || chainHash(this.hashBefore(position), json) !== hash) {
      throw this.damagedAt(position)
    }
    return { position, hash, json }
  }

  private damagedAt(position: number): AppError {
    return this.follower.damaged(`The event at position ${position} is damaged`, { position })
  }
}
