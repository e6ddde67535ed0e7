/**
 * From appends that wait to the rows that would store them: decides each against a state of the log and
 * those before it in the same batch. Writes nothing; that is the engine's own.
 */
import { claimedBy, decideAppend, type LogView } from '../../domain/append.ts'
import {
  chainHash,
  type EventId,
  type EventPlace,
  eventText,
  type StoredEvent,
  TOMBSTONE_TYPE,
} from '../../domain/event.ts'
import type { AppendOutcome, AppendRequest, StreamState } from '../../domain/ports.ts'
import { type SequenceKey, streamSequence, streamsSequence } from '../../domain/sequence.ts'
import { type EventSequences, sequencesFor } from './event-sequences.ts'
import type { LogPoint, LogState } from './log-state.ts'

/** An append, and whom to answer. */
export type Waiting = {
  readonly request: AppendRequest
  readonly resolve: (outcome: AppendOutcome) => void
  readonly reject: (error: unknown) => void
}

/** An event as its row will hold it. */
export type PlannedRow = {
  readonly event: StoredEvent
  readonly eventId: EventId
  readonly sequences: EventSequences
  readonly version: number
  readonly streamTypeNumber: number
  readonly typeNumber: number
  readonly categoryNumber: number | undefined
  readonly streamsNumber: number | undefined
  readonly producer: string | undefined
}

type Settled = { readonly waiting: Waiting; readonly outcome: AppendOutcome }

/** What a batch comes to; retries and refusals hold only once `rows` count. */
export type Plan = {
  readonly from: LogPoint
  readonly point: LogPoint
  readonly rows: readonly PlannedRow[]
  readonly appended: readonly Settled[]
  readonly retries: readonly Settled[]
  readonly refusals: readonly { readonly waiting: Waiting; readonly error: unknown }[]
}

/** Moves the numbers of sequences on, from those of a state of the log. */
export class Numbering {
  readonly numbers = new Map<SequenceKey, number>()
  private readonly state: LogState

  constructor(state: LogState) {
    this.state = state
  }

  last(sequence: SequenceKey): number {
    const number = this.numbers.get(sequence) ?? this.state.numbers.get(sequence)
    if (number === undefined) throw new TypeError('A sequence was not asked for')
    return number
  }

  /** The place of the next event of a stream and type. */
  next(stream: string, eventType: string) {
    const sequences = sequencesFor(stream, eventType)
    const { category } = sequences
    const version = this.step(sequences.stream)
    return {
      sequences,
      version,
      streamTypeNumber: this.step(sequences.streamType),
      typeNumber: this.step(sequences.type),
      categoryNumber: category === undefined ? undefined : this.step(category),
      streamsNumber: version === 0 ? this.step(streamsSequence) : undefined,
    }
  }

  private step(sequence: SequenceKey): number {
    const number = this.last(sequence) + 1
    this.numbers.set(sequence, number)
    return number
  }
}

/** @param state answers what the batch asks; it is left as it is */
export async function planBatch(
  state: LogState,
  batch: readonly Waiting[],
  nowMs: number,
): Promise<Plan & { readonly changes: BatchView }> {
  const view = new BatchView(state, nowMs)
  const appended: Settled[] = []
  const retries: Settled[] = []
  const refusals: { waiting: Waiting; error: unknown }[] = []
  for (const waiting of batch) {
    try {
      const decision = await decideAppend(view, waiting.request)
      if (decision.kind === 'already-there') retries.push({ waiting, outcome: decision })
      else {
        const events = view.add(waiting.request)
        appended.push({ waiting, outcome: { kind: 'appended', events } })
      }
    } catch (error) {
      refusals.push({ waiting, error })
    }
  }
  const { rows, point } = view
  return { from: state.point, point, rows, appended, retries, refusals, changes: view }
}

/** The log as it will be once the rows planned so far count. */
export class BatchView implements LogView {
  readonly rows: PlannedRow[] = []
  point: LogPoint
  readonly streams = new Map<string, StreamState>()
  readonly numbering: Numbering
  private readonly state: LogState
  private readonly events = new Map<string, StoredEvent>()

  constructor(state: LogState, nowMs: number) {
    this.state = state
    this.numbering = new Numbering(state)
    this.point = { ...state.point, createdAtMs: Math.max(state.point.createdAtMs, nowMs) }
  }

  get head() {
    return { count: this.point.count, hash: this.point.hash }
  }

  lastVersion(stream: string): number {
    return this.numbering.last(streamSequence(stream))
  }

  streamState(stream: string): StreamState {
    return this.streams.get(stream) ?? this.state.streams.get(stream) ?? { isDeleted: false }
  }

  find(stream: string, eventId: string): StoredEvent | undefined {
    const key = `${stream}/${eventId}`
    return this.events.get(key) ?? this.state.events.get(key)?.()
  }

  /** The events of an append that was decided for. */
  add(request: AppendRequest): StoredEvent[] {
    const { stream, createdBy } = request
    const claimed = claimedBy(request)
    const { createdAtMs } = this.point
    const events = request.events.map((draft) => {
      const { sequences, ...numbers } = this.numbering.next(stream, draft.eventType)
      const { count: position, hash: previous } = this.point
      const place: EventPlace = {
        stream,
        version: numbers.version,
        position,
        createdBy,
        createdAtMs,
        ...claimed,
      }
      const json = Buffer.from(eventText(draft, place), 'utf8')
      const event = { position, hash: chainHash(previous, json), json }
      this.point = { count: position + 1, hash: event.hash, createdAtMs }
      const { eventId } = draft
      this.rows.push({ event, eventId, sequences, ...numbers, producer: claimed.producer })
      this.events.set(`${stream}/${eventId}`, event)
      return event
    })
    const owner = this.streamState(stream).owner ?? claimed.producer
    const isDeleted = request.events.at(-1)?.eventType === TOMBSTONE_TYPE
    this.streams.set(stream, { ...(owner && { owner }), isDeleted })
    return events
  }
}
