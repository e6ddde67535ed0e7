/**
 * The event log as the APIs see it: append, find by hash, read ranges, verify.
 *
 * A range is settled before its first event is read: which events are in it, and which is the highest. How
 * events sort into sequences is `sequence.ts`, the rule of an append `append.ts`.
 */
import { AppError } from './app-error.ts'
import type { EventHash, EventType, Position, StoredEvent } from './event.ts'
import type {
  AppendOutcome,
  AppendRequest,
  LogEngine,
  LogHead,
  Progress,
  ReadDirection,
  VerifyReport,
} from './ports.ts'
import { type SequenceKey, streamSequence, streamTypeSequence, typeSequence } from './sequence.ts'
import { firstNumberAt, readSequenceRange } from './sequence-range.ts'
import type { StreamName } from './stream-name.ts'

/** Which events: bounds by hash, then filters, then at most `limit` of them in reading order. */
export type RangeQuery = {
  /** Inclusive. */
  readonly from?: EventHash
  /** Inclusive. */
  readonly to?: EventHash
  /** Exclusive. */
  readonly after?: EventHash
  /** Exclusive. */
  readonly before?: EventHash
  readonly limit?: number
  readonly direction: ReadDirection
  readonly stream?: StreamName
  readonly type?: EventType
}

export type EventRange = {
  /** Hash of the highest event in the range, whatever the direction; `undefined` where it is empty. */
  readonly tag: EventHash | undefined
  /** The events in runs of bounded size; a run is only valid until the next one is asked for. */
  readonly runs: AsyncIterable<readonly StoredEvent[]>
  /** The same as `LogEngine.readTexts` has it, where there are many and that is faster. */
  readonly texts?: (separator: number) => AsyncIterable<Uint8Array>
}

/** Events of a range from which on their texts are offered. */
const MANY = 1000

export type EventLog = {
  head(): Promise<LogHead>
  /** The event with a hash, or `undefined`. */
  find(hash: EventHash): Promise<StoredEvent | undefined>
  /** @throws AppError `event-not-found` where a bound names no event */
  range(query: RangeQuery): Promise<EventRange>
  /** @throws AppError as `LogEngine.append` */
  append(request: AppendRequest): Promise<AppendOutcome>
  verify(progress?: Progress): Promise<VerifyReport>
}

export function createEventLog(engine: LogEngine): EventLog {
  return {
    head: () => engine.head(),
    find: async (hash) => {
      const position = await engine.findHash(hash)
      return position === undefined ? undefined : engine.read(position)
    },
    range: (query) => openRange(engine, query),
    append: (request) => engine.append(request),
    verify: (progress) => engine.verify(progress),
  }
}

/** `low` inclusive, `high` exclusive. */
type Bounds = { readonly low: number; readonly high: number }

const EMPTY: EventRange = { tag: undefined, runs: noRuns() }

async function* noRuns(): AsyncGenerator<readonly StoredEvent[]> {}

async function openRange(engine: LogEngine, query: RangeQuery): Promise<EventRange> {
  const positions = await positionBounds(engine, query)
  if (positions.low >= positions.high) return EMPTY
  const sequence = sequenceOf(query)
  return sequence === undefined
    ? logRange(engine, query, positions)
    : sequenceRange(engine, query, sequence, positions)
}

/** The head is read last, so that it is never behind an event that a bound names. */
async function positionBounds(engine: LogEngine, query: RangeQuery): Promise<Bounds> {
  const from = await positionOf(engine, query.from)
  const after = await positionOf(engine, query.after)
  const to = await positionOf(engine, query.to)
  const before = await positionOf(engine, query.before)
  const { count } = await engine.head()
  return {
    low: Math.max(from ?? 0, after === undefined ? 0 : after + 1),
    high: Math.min(to === undefined ? count : to + 1, before ?? count),
  }
}

async function positionOf(
  engine: LogEngine,
  hash: EventHash | undefined,
): Promise<Position | undefined> {
  if (hash === undefined) return undefined
  const position = await engine.findHash(hash)
  if (position === undefined) throw eventNotFound(hash)
  return position
}

/** What is thrown where no event has `hash`. */
export function eventNotFound(hash: string): AppError {
  return new AppError('event-not-found', 'No event has this hash', { hash })
}

function sequenceOf({ stream, type }: RangeQuery): SequenceKey | undefined {
  if (stream === undefined) return type === undefined ? undefined : typeSequence(type)
  return type === undefined ? streamSequence(stream) : streamTypeSequence(stream, type)
}

async function logRange(
  engine: LogEngine,
  { limit, direction }: RangeQuery,
  positions: Bounds,
): Promise<EventRange> {
  const { low, high } = limited(positions, direction, limit)
  const highest = await engine.read(high - 1)
  if (!highest) throw new AppError('log-damaged', 'An event of the log cannot be read')
  const range = { tag: highest.hash, runs: engine.readLog(low, high, direction) }
  const { readTexts } = engine
  if (!readTexts || direction !== 'forwards' || high - low < MANY) return range
  return { ...range, texts: (separator) => readTexts.call(engine, low, high, separator) }
}

async function sequenceRange(
  engine: LogEngine,
  { limit, direction }: RangeQuery,
  sequence: SequenceKey,
  positions: Bounds,
): Promise<EventRange> {
  const all = {
    low: await firstNumberAt(engine, sequence, positions.low),
    high: await firstNumberAt(engine, sequence, positions.high),
  }
  if (all.low >= all.high) return EMPTY
  const { low, high } = limited(all, direction, limit)
  const [highest] = await engine.readSequence(sequence, high - 1, 'forwards', 1)
  if (!highest) throw new AppError('log-damaged', 'An event of a sequence cannot be read')
  return {
    tag: highest.event.hash,
    runs: readSequenceRange(engine, sequence, low, high, direction),
  }
}

/** The `limit` members of a range that come first in reading order. */
function limited({ low, high }: Bounds, direction: ReadDirection, limit = high - low): Bounds {
  return direction === 'forwards'
    ? { low, high: Math.min(high, low + limit) }
    : { low: Math.max(low, high - limit), high }
}
