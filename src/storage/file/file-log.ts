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
import type { MaybeLater } from '../../kit/maybe-later.ts'
import { Appender } from './appender.ts'
import type { Entry } from './entry.ts'
import type { Lock } from './lock.ts'
import { LogFollower, type LogOptions } from './log-follower.ts'
import { type LineEvent, NOWHERE, readLine } from './log-line.ts'
import type { StreamDraft } from './log-move.ts'
import { Suspicion } from './suspicion.ts'

/** Most bytes of events that one run or page holds, unless a single event is larger. */
const RUN_BYTES = 4 << 20
const BACKWARDS_EVENTS = 512
/** Most bytes that are read while everything else waits. */
const SMALL_BYTES = 65_536
/** Owners of streams kept in memory. */
const MOST_OWNERS = 4096
/** How soon another process's appends are looked for at first, and at the latest, ms. */
const FIRST_LOOK_MS = 5
const LAST_LOOK_MS = 100
/** Bytes between two events from which on they are read apart. */
const GAP_BYTES = 4096

export class FileLog implements LogEngine {
  private readonly follower: LogFollower
  private readonly appender: Appender
  private readonly suspicion: Suspicion
  private readonly lock: Lock
  /** An owner stays for ever. */
  private readonly owners = new BoundedMap<string, ProducerId>(MOST_OWNERS)

  constructor(options: LogOptions, lock: Lock) {
    this.lock = lock
    this.suspicion = new Suspicion(options.disk, options.layout)
    this.follower = new LogFollower(options, this.suspicion)
    this.appender = new Appender(
      this.follower,
      lock,
      {
        byId: (stream, eventId, end) => this.readById(stream, eventId, end),
        state: (stream, end) => this.stateBelow(stream, end),
      },
      this.suspicion,
    )
  }

  async head(): Promise<LogHead> {
    const count = await this.follower.snapshot()
    return { count, hash: this.hashBefore(count) }
  }

  /** The number of events: what a reader finds of them stays as it is. */
  readonly stamp = (): number | undefined => this.follower.unchanged()

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

  async findEventIdAnywhere(eventId: string): Promise<Position | undefined> {
    const end = await this.follower.snapshot()
    for (const position of this.follower.index.findEventIdAnywhere(eventId, end)) {
      const event = parseStoredEvent(await this.readEvent(position))
      if (event.eventId.toLowerCase() === eventId) return position
    }
    return undefined
  }

  async sequenceHead(sequence: SequenceKey): Promise<SequenceHead | undefined> {
    const end = await this.follower.snapshot()
    return this.follower.index.sequenceHead(sequence, end)
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
    return this.follower.movedTo
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
    if (!first) throw this.damagedAt(end - 1)
    const { producer } = parseStoredEvent(await this.readEvent(first.position))
    if (producer === undefined) throw this.damagedAt(first.position)
    this.owners.set(stream, producer)
    return { owner: producer, isDeleted }
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
      const point = { count: start, hash: this.hashBefore(start) }
      for await (const run of segment.lines(entry.lineOffset, segment.size())) {
        const events: StoredEvent[] = []
        for (const { line, offset } of run) {
          const meaning = readLine(line, offset, point)
          if (meaning.kind === 'seal' || meaning.kind === 'moved') break
          if (meaning.kind === 'damage') throw this.damagedAt(point.count)
          if (meaning.kind === 'void') continue
          for (const event of meaning.events) {
            if (point.count >= at && point.count < end) {
              events.push(storedEvent(point.count, event))
            }
            point.count++
            point.hash = event.hash
          }
          if (point.count >= end) break
        }
        // The lines follow from each other; that they are those of this log, the last one proves.
        if (this.hashBefore(point.count) !== point.hash) throw this.damagedAt(point.count - 1)
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
      const events = await this.readBlock(Math.max(from, high - BACKWARDS_EVENTS), high)
      yield events.reverse()
      high -= events.length
    }
  }

  /**
   * The last events below `high`, down to `low` or as many as fit a run, in the order of the log; events that
   * stand close together are read in one go.
   */
  private async readBlock(low: number, high: number): Promise<StoredEvent[]> {
    const first = Math.max(0, low - 1)
    const entries = this.follower.index.entriesBetween(first, high)
    let start = entries.length - 1
    let bytes = entries[start]?.length ?? 0
    while (start > low - first) {
      bytes += entries[start - 1]?.length ?? 0
      if (bytes > RUN_BYTES) break
      start--
    }
    const events: StoredEvent[] = []
    while (start < entries.length) {
      const end = endOfGroup(entries, start)
      const previous = entries[start - 1]?.hash ?? this.hashBefore(first + start)
      events.push(...(await this.readGroup(entries.slice(start, end), first + start, previous)))
      start = end
    }
    return events
  }

  /** Events of one file that stand close together, checked like single ones, and read as such where they fail. */
  private async readGroup(
    entries: readonly Entry[],
    position: Position,
    previous: EventHash,
  ): Promise<StoredEvent[]> {
    const [first] = entries
    const last = entries.at(-1)
    if (!first || !last) return []
    if (!this.follower.openSegment(first.segment).isScavenged) {
      const bytes = Buffer.allocUnsafe(Math.max(0, last.offset + last.length - first.offset))
      const filled = await this.readBytes(first.segment, bytes, first.offset)
      const found = checkedGroup(entries, bytes.subarray(0, filled), position, previous)
      if (found) return found
    }
    const single: StoredEvent[] = []
    for (let at = 0; at < entries.length; at++) single.push(await this.readEvent(position + at))
    return single
  }

  private sharesLine(position: number, entry: Entry): boolean {
    const other = this.follower.index.entry(position)
    return other.segment === entry.segment && other.lineOffset === entry.lineOffset
  }

  private hashBefore(count: number): EventHash {
    return count === 0 ? EMPTY_HASH : this.follower.index.entry(count - 1).hash
  }

  private readById(
    stream: string,
    eventId: string,
    end: number,
  ): MaybeLater<StoredEvent | undefined> {
    const positions = this.follower.index.findEventId(stream, eventId, end)
    return positions.length === 0 ? undefined : this.readNamed(stream, eventId, positions)
  }

  private async readNamed(
    stream: string,
    eventId: string,
    positions: readonly Position[],
  ): Promise<StoredEvent | undefined> {
    for (const position of positions) {
      const stored = await this.readEvent(position)
      const event = parseStoredEvent(stored)
      if (event.stream === stream && event.eventId.toLowerCase() === eventId) return stored
    }
    return undefined
  }

  /** @throws AppError `log-damaged` where the bytes do not have the hash that the chain gave them */
  private async readEvent(position: Position, isAgain = false): Promise<StoredEvent> {
    const entry = this.follower.index.entry(position)
    if (this.follower.openSegment(entry.segment).isScavenged) return this.readMoved(position, entry)
    const json = Buffer.allocUnsafe(entry.length)
    const count = await this.readBytes(entry.segment, json, entry.offset)
    const { hash } = entry
    if (count < json.length || chainHash(this.hashBefore(position), json) !== hash) {
      const left = await this.findLeft(position, entry)
      if (left) return left
      if (isAgain) throw this.damagedAt(position)
      // The file may have been scavenged, and the index built anew from what is there now.
      this.follower.forgetSegment(entry.segment)
      return this.readEvent(position, true)
    }
    return { position, hash, json }
  }

  /** From a file that was scavenged, by its line: within it, events no longer stand where they stood. */
  private async readMoved(position: Position, entry: Entry): Promise<StoredEvent> {
    const { segment, lineOffset, hash } = entry
    const line = await this.follower.openSegment(segment).lineAt(lineOffset)
    const meaning = readLine(line ?? Buffer.alloc(0), lineOffset, NOWHERE)
    if (meaning.kind !== 'damage') throw this.damagedAt(position)
    const found = meaning.events[position - meaning.position]
    if (found?.hash !== hash) throw this.damagedAt(position)
    return storedEvent(position, found)
  }

  /** What was taken over of an event that had lost its body: it stands alone in its line, which proves it. */
  private async findLeft(position: Position, entry: Entry): Promise<StoredEvent | undefined> {
    const { segment, lineOffset, offset, length, hash } = entry
    const line = Buffer.alloc(offset + length - lineOffset)
    const filled = await this.readBytes(segment, line, lineOffset)
    const point = { count: position, hash: this.hashBefore(position) }
    const meaning = readLine(line.subarray(0, filled), lineOffset, point)
    const found = meaning.kind === 'commit' ? meaning.events[0] : undefined
    return found?.isScavenged && found.hash === hash ? storedEvent(position, found) : undefined
  }

  private readBytes(segment: number, into: Buffer, offset: number): number | Promise<number> {
    const opened = this.follower.openSegment(segment)
    const { disk } = this.follower.options
    return into.length > SMALL_BYTES
      ? opened.using(() => disk.readMuch(opened.fd, into, offset))
      : disk.readAt(opened.fd, into, offset)
  }

  private damagedAt(position: number): AppError {
    const what = this.follower.options.name === undefined ? 'event' : 'entry'
    return this.follower.damaged(`The ${what} at position ${position} is damaged`, { position })
  }
}

function storedEvent(position: Position, { json, hash, isScavenged }: LineEvent): StoredEvent {
  return isScavenged ? { position, hash, json, isScavenged } : { position, hash, json }
}

/**
 * The events of a group from the bytes between the first and the last of them; `undefined` where one of them
 * does not have the hash that the chain gave it.
 */
function checkedGroup(
  entries: readonly Entry[],
  bytes: Buffer,
  position: Position,
  previous: EventHash,
): StoredEvent[] | undefined {
  const events: StoredEvent[] = []
  let before = previous
  for (const { offset, length, hash } of entries) {
    const start = offset - (entries[0]?.offset ?? 0)
    const json = bytes.subarray(start, start + length)
    if (json.length < length || chainHash(before, json) !== hash) return undefined
    events.push({ position: position + events.length, hash, json })
    before = hash
  }
  return events
}

/** Where the run of entries that begins at `start` ends: at another file, or behind a gap. */
function endOfGroup(entries: readonly Entry[], start: number): number {
  let end = start + 1
  for (; end < entries.length; end++) {
    const [before, next] = [entries[end - 1], entries[end]]
    if (!before || next?.segment !== before.segment) break
    if (next.offset - (before.offset + before.length) > GAP_BYTES) break
  }
  return end
}
