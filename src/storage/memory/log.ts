/** The log of the memory engine: one array of events, and the maps that an index of any engine must equal. */
import { claimedBy, decideAppend } from '../../domain/append.ts'
import {
  chainHash,
  EMPTY_HASH,
  type EventDraft,
  type EventHash,
  type EventId,
  eventText,
  type Position,
  parseStoredEvent,
  type StoredEvent,
  scavengedText,
} from '../../domain/event.ts'
import { checkLinkedEvent, refusedImport } from '../../domain/linked-event.ts'
import type {
  AppendOutcome,
  AppendRequest,
  Clock,
  DropRule,
  Finding,
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
import type { SequenceKey, SequenceRule } from '../../domain/sequence.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import { Bell } from '../../kit/bell.ts'
import { MemoryIndex } from './log-index.ts'

/** Longest time in ms that one wait may last; whoever waits looks and waits again. */
const MOST_MS = 60_000
/** Events handed out at once by `readLog`. */
const RUN_LENGTH = 100

export class MemoryLog implements LogEngine {
  private readonly events: StoredEvent[] = []
  private readonly index: MemoryIndex
  private readonly clock: Clock
  private readonly sequenceRule: SequenceRule
  private lastCreatedAtMs = 0
  private readonly appended = new Bell()
  /** Settles when the appends before have; `decideAppend` waits, so they would otherwise mix. */
  private queue: Promise<unknown> = Promise.resolve()

  constructor(clock: Clock, sequenceRule: SequenceRule) {
    this.clock = clock
    this.sequenceRule = sequenceRule
    this.index = new MemoryIndex(sequenceRule)
  }

  async head(): Promise<LogHead> {
    return this.currentHead()
  }

  readonly stamp = (): number => this.currentHead().count

  append(request: AppendRequest): Promise<AppendOutcome> {
    const turn = this.queue.then(() => this.appendNow(request))
    this.queue = turn.catch(() => undefined)
    return turn
  }

  async read(position: Position): Promise<StoredEvent | undefined> {
    return this.events[position]
  }

  async findHash(hash: EventHash): Promise<Position | undefined> {
    return this.index.hashes.get(hash)
  }

  async findEventId(stream: StreamName, eventId: EventId): Promise<StoredEvent | undefined> {
    return this.events[this.index.eventId(stream, eventId) ?? -1]
  }

  async findEventIdAnywhere(eventId: EventId): Promise<Position | undefined> {
    return this.index.eventIdAnywhere(eventId)
  }

  async sequenceHead(sequence: SequenceKey): Promise<SequenceHead | undefined> {
    const positions = this.index.sequence(sequence)
    const position = positions.at(-1)
    return position === undefined ? undefined : { number: positions.length - 1, position }
  }

  async sequenceNumber(sequence: SequenceKey, position: Position): Promise<number> {
    return this.index.sequence(sequence).indexOf(position)
  }

  async streamState(stream: StreamName): Promise<StreamState> {
    return this.index.streamState(stream)
  }

  async waitForMore(count: number, signal: AbortSignal): Promise<void> {
    if (this.events.length > count) return
    await this.appended.wait(MOST_MS, signal)
  }

  async readSequence(
    sequence: SequenceKey,
    from: number,
    direction: ReadDirection,
    limit: number,
  ): Promise<readonly SequenceEvent[]> {
    const positions = this.index.sequence(sequence)
    const forwards = direction === 'forwards'
    const start = forwards ? Math.max(from, 0) : Math.min(from, positions.length - 1)
    const found: SequenceEvent[] = []
    for (let number = start; found.length < limit; number += forwards ? 1 : -1) {
      const event = this.events[positions[number] ?? -1]
      if (!event) break
      found.push({ number, event })
    }
    return found
  }

  async *readLog(
    from: Position,
    to: Position,
    direction: ReadDirection,
  ): AsyncGenerator<readonly StoredEvent[]> {
    const selected = this.events.slice(from, Math.max(from, to))
    if (direction === 'backwards') selected.reverse()
    for (let at = 0; at < selected.length; at += RUN_LENGTH) {
      yield selected.slice(at, at + RUN_LENGTH)
    }
  }

  async verify(progress?: Progress): Promise<VerifyReport> {
    const findings: Finding[] = []
    const index = new MemoryIndex(this.sequenceRule)
    let previous = EMPTY_HASH
    let scavenged = 0
    for (const [position, event] of this.events.entries()) {
      const hash = event.isScavenged ? event.hash : chainHash(previous, event.json)
      if (event.isScavenged) scavenged++
      if (hash !== event.hash || position !== event.position) {
        findings.push({ kind: 'damage', message: 'The event does not chain', position, hash })
      }
      index.add(event, parseStoredEvent(event))
      previous = event.hash
      progress?.(position + 1, this.events.length)
    }
    if (!index.equals(this.index)) {
      findings.push({ kind: 'damage', message: 'The index differs from the log' })
    }
    return { counts: { events: this.events.length, ...(scavenged > 0 && { scavenged }) }, findings }
  }

  async scavenge(drop: DropRule, progress?: Progress): Promise<ScavengeReport> {
    const report = { events: 0, removed: 0, bytesFreed: 0 }
    for (const [position, event] of this.events.entries()) {
      progress?.(position + 1, this.events.length)
      if (event.isScavenged) continue
      report.events++
      if (!(await drop(parseStoredEvent(event), position))) continue
      const json = Buffer.from(scavengedText(event), 'utf8')
      this.events[position] = { ...event, json, isScavenged: true }
      report.removed++
      report.bytesFreed += event.json.length - json.length
    }
    return report
  }

  async importEvents(
    events: AsyncIterable<LinkedEvent>,
    progress: Progress = () => {},
  ): Promise<ImportCount> {
    const there = this.events.length
    let position = 0
    for await (const linked of events) {
      const facts = checkLinkedEvent(linked, position)
      const known = this.events[position]
      if (known && known.hash !== linked.hash) throw refusedImport(position, 'is another')
      if (!known) {
        const { count, hash: previous } = this.currentHead()
        if (count !== position || previous !== linked.previous) {
          throw refusedImport(position, 'does not follow the end of the log')
        }
        const { hash, isScavenged } = linked
        const json = Buffer.from(linked.json)
        const event: StoredEvent = { position, hash, json, ...(isScavenged && { isScavenged }) }
        this.events.push(event)
        this.index.add(event, { ...facts, eventId: facts.eventId.toLowerCase() as EventId })
        this.lastCreatedAtMs = Math.max(this.lastCreatedAtMs, Date.parse(facts.createdAt) || 0)
        this.appended.ring()
      }
      position++
      progress(position, position)
    }
    return { imported: Math.max(0, position - there), alreadyThere: Math.min(position, there) }
  }

  async close(): Promise<void> {
    await this.queue
  }

  private currentHead(): LogHead {
    return { count: this.events.length, hash: this.events.at(-1)?.hash ?? EMPTY_HASH }
  }

  private async appendNow(request: AppendRequest): Promise<AppendOutcome> {
    const decision = await decideAppend(
      {
        head: this.currentHead(),
        lastVersion: (stream) => this.index.lastVersion(stream),
        streamState: (stream) => this.index.streamState(stream),
        find: (stream, eventId) => this.events[this.index.eventId(stream, eventId) ?? -1],
      },
      request,
    )
    if (decision.kind === 'already-there') return decision
    this.lastCreatedAtMs = Math.max(this.lastCreatedAtMs, this.clock.now())
    const events = request.events.map((draft, offset) =>
      this.add(draft, request, decision.firstVersion + offset),
    )
    this.appended.ring()
    return { kind: 'appended', events }
  }

  private add(draft: EventDraft, request: AppendRequest, version: number): StoredEvent {
    const { count: position, hash: previous } = this.currentHead()
    const { stream, createdBy } = request
    const producer = claimedBy(request)
    const createdAtMs = this.lastCreatedAtMs
    const place = { stream, version, position, createdBy, createdAtMs, ...producer }
    const json = Buffer.from(eventText(draft, place), 'utf8')
    const event = { position, hash: chainHash(previous, json), json }
    this.events.push(event)
    this.index.add(event, { ...draft, stream, ...producer })
    return event
  }
}
