/**
 * The log on flat files: `LogEngine` of `domain/ports.ts`, put together from the follower (what is there), the
 * appender (what is added) and the reader (what the events say).
 */
import {
  type EventHash,
  type Position,
  parseStoredEvent,
  type StoredEvent,
} from '../../domain/event.ts'
import type {
  AppendOutcome,
  AppendRequest,
  DropRule,
  ImportCount,
  LinkedEvent,
  LogEngine,
  LogHead,
  Progress,
  ReadDirection,
  ScavengeReport,
  SequenceEvent,
  SequenceHead,
  StreamState,
  VerifyReport,
} from '../../domain/ports.ts'
import type { ProducerId } from '../../domain/producer.ts'
import { type SequenceKey, streamSequence } from '../../domain/sequence.ts'
import { BoundedMap } from '../../kit/bounded-map.ts'
import { Appender } from './appender.ts'
import { EventReader, RUN_BYTES } from './event-reader.ts'
import type { Lock } from './lock.ts'
import { LogFollower } from './log-follower.ts'
import type { StreamDraft } from './log-move.ts'
import type { LogOptions } from './log-options.ts'
import { Suspicion } from './suspicion.ts'

/** Owners of streams kept in memory. */
const MOST_OWNERS = 4096
/** How soon another process's appends are looked for at first, and at the latest, ms. */
const FIRST_LOOK_MS = 5
const LAST_LOOK_MS = 100

export class FileLog implements LogEngine {
  private readonly follower: LogFollower
  private readonly reader: EventReader
  private readonly appender: Appender
  private readonly suspicion: Suspicion
  private readonly lock: Lock
  /** An owner stays for ever. */
  private readonly owners = new BoundedMap<string, ProducerId>(MOST_OWNERS)

  constructor(options: LogOptions, lock: Lock) {
    this.lock = lock
    this.suspicion = new Suspicion(options.disk, options.layout)
    this.follower = new LogFollower(options, this.suspicion)
    this.reader = new EventReader(this.follower)
    this.appender = new Appender(
      this.follower,
      lock,
      {
        byId: (stream, eventId, end) => this.reader.readById(stream, eventId, end),
        state: (stream, end) => this.stateBelow(stream, end),
      },
      this.suspicion,
    )
  }

  async head(): Promise<LogHead> {
    const count = await this.follower.snapshot()
    return { count, hash: this.reader.hashBefore(count) }
  }

  /** The number of events: what a reader finds of them stays as it is. */
  readonly stamp = (): number | undefined => this.follower.unchanged()

  append(request: AppendRequest): Promise<AppendOutcome> {
    return this.appender.append(request)
  }

  async ensureWritable(): Promise<void> {
    this.suspicion.refuse()
  }

  async read(position: Position): Promise<StoredEvent | undefined> {
    const end = await this.follower.snapshot()
    return position >= 0 && position < end ? this.reader.readEvent(position) : undefined
  }

  async findHash(hash: EventHash): Promise<Position | undefined> {
    const end = await this.follower.snapshot()
    return this.follower.index.findHash(hash, end)
  }

  async findEventId(stream: string, eventId: string): Promise<StoredEvent | undefined> {
    const end = await this.follower.snapshot()
    return this.reader.readById(stream, eventId, end)
  }

  async findEventIdAnywhere(eventId: string): Promise<Position | undefined> {
    const end = await this.follower.snapshot()
    for (const position of this.follower.index.findEventIdAnywhere(eventId, end)) {
      const event = parseStoredEvent(await this.reader.readEvent(position))
      if (event.eventId.toLowerCase() === eventId) return position
    }
    return undefined
  }

  async sequenceHead(sequence: SequenceKey): Promise<SequenceHead | undefined> {
    const end = await this.follower.snapshot()
    return this.follower.index.sequenceHead(sequence, end)
  }

  /** Of what was found in this log before: nobody has to look whether there is more by now. */
  async sequenceNumber(sequence: SequenceKey, position: Position): Promise<number> {
    return this.follower.index.numberAt(sequence, position)
  }

  async streamState(stream: string): Promise<StreamState> {
    return this.stateBelow(stream, await this.follower.snapshot())
  }

  async waitForMore(count: number, signal: AbortSignal): Promise<void> {
    let pause = FIRST_LOOK_MS
    while (!signal.aborted && (await this.follower.snapshot()) <= count) {
      await this.follower.appended.wait(pause, signal)
      pause = Math.min(pause * 2, LAST_LOOK_MS)
    }
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
      events.push({ number, event: await this.reader.readEvent(position) })
    }
    return events
  }

  readLog(
    from: Position,
    to: Position,
    direction: ReadDirection,
  ): AsyncIterable<readonly StoredEvent[]> {
    return direction === 'forwards'
      ? this.reader.forwards(from, to)
      : this.reader.backwards(from, to)
  }

  readTexts(from: Position, to: Position, separator: number): AsyncIterable<Uint8Array> {
    return this.reader.texts(from, to, separator)
  }

  /** Also takes the mark of a failed sync away where the log is found whole. */
  async verify(progress?: Progress): Promise<VerifyReport> {
    await this.appender.settle()
    const { verifyLog } = await import('./verify-log.ts')
    const report = await verifyLog(this.follower.options, progress)
    if (!report.findings.some(({ kind }) => kind === 'damage')) this.suspicion.clear()
    return report
  }

  /** Takes in a history that has its texts and hashes already; see `importer.ts`. */
  async importEvents(
    events: AsyncIterable<LinkedEvent>,
    progress?: Progress,
  ): Promise<ImportCount> {
    const { importEvents } = await import('./importer.ts')
    return importEvents(this.follower, this.lock, events, progress)
  }

  /** Builds the index anew from the log, beside the one in use, and puts it in its place. */
  async reindex(progress: Progress): Promise<void> {
    await this.follower.exclusive(() => this.follower.rebuild(progress))
  }

  async scavenge(drop: DropRule, progress?: Progress): Promise<ScavengeReport> {
    const { scavengeLog } = await import('./log-scavenge.ts')
    return scavengeLog(this.follower, this.lock, drop, progress)
  }

  /** Where the log goes on, once this one was seen to have ended for ever. */
  get movedTo(): number | undefined {
    return this.follower.end.movedTo
  }

  /**
   * Events and sequences known to this process, and whether it has the file open that the log ends in; without
   * a look at the disk.
   */
  get known(): {
    readonly events: number
    readonly sequences: number
    readonly hasEnd: boolean
  } {
    const { index, segment } = this.follower
    return {
      events: index.count,
      sequences: index.sequenceCount,
      hasEnd: segment !== undefined,
    }
  }

  /** Appends events of several streams as one commit behind `head`; see `log-move.ts`. */
  async appendTogether(head: LogHead, events: readonly StreamDraft[]): Promise<boolean> {
    const { appendTogether } = await import('./log-move.ts')
    return appendTogether(this.follower, this.lock, head, events)
  }

  /** Ends the log for ever behind what `finish` returns as its head; see `log-move.ts`. */
  async moveOn(generation: number, finish: () => Promise<LogHead | undefined>): Promise<boolean> {
    const { moveOn } = await import('./log-move.ts')
    return moveOn(this.follower, this.lock, generation, finish)
  }

  async close(): Promise<void> {
    await this.appender.close()
    await this.follower.close()
  }

  /** Nothing of it is read from events while nobody owns the stream. */
  private stateBelow(stream: string, end: number): StreamState | Promise<StreamState> {
    const { ownedFrom, isDeleted } = this.follower.index.streamMarks(stream, end)
    return ownedFrom < 0 ? { isDeleted } : this.ownedState(stream, ownedFrom, isDeleted, end)
  }

  private async ownedState(
    stream: string,
    ownedFrom: number,
    isDeleted: boolean,
    end: number,
  ): Promise<StreamState> {
    const known = this.owners.get(stream)
    if (known) return { owner: known, isDeleted }
    const { index } = this.follower
    const [first] = index.members(streamSequence(stream), ownedFrom, 'forwards', 1, end)
    if (!first) throw this.reader.damagedAt(end - 1)
    const { producer } = parseStoredEvent(await this.reader.readEvent(first.position))
    if (producer === undefined) throw this.reader.damagedAt(first.position)
    this.owners.set(stream, producer)
    return { owner: producer, isDeleted }
  }
}
