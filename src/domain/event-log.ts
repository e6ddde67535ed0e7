/**
 * The event log as the APIs see it: append, find by hash, read ranges, verify.
 *
 * A range is settled before its first event is handed out: which events are in it, and which is the highest.
 * Where some are hidden from the reader `readable-range.ts` does that. How events sort into sequences is
 * `sequence.ts`, the rule of an append `append.ts`.
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
import type { EventFilter } from './readable-events.ts'
import { type Bounds, type Members, type ReadableRange, readableRange } from './readable-range.ts'
import { appendReopening, type KnownMetadata } from './reopening.ts'
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
  /** The event of that hash lost its body, as in `StoredEvent`. */
  readonly isScavenged?: true
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
  /**
   * @param isReadable what it does not let through is not there: not counted by `limit`, and no bound
   * @throws AppError `event-not-found` where a bound names no event
   */
  range(query: RangeQuery, isReadable?: EventFilter): Promise<EventRange>
  /** As `appendReopening`. */
  append(request: AppendRequest, known?: KnownMetadata): Promise<AppendOutcome>
  verify(progress?: Progress): Promise<VerifyReport>
}

export function createEventLog(engine: LogEngine): EventLog {
  return {
    head: () => engine.head(),
    find: async (hash) => {
      const position = await engine.findHash(hash)
      return position === undefined ? undefined : engine.read(position)
    },
    range: (query, isReadable) => openRange(engine, query, isReadable),
    append: (request, known) => appendReopening(engine, request, known),
    verify: (progress) => engine.verify(progress),
  }
}

const EMPTY: EventRange = { tag: undefined, runs: noRuns() }

async function* noRuns(): AsyncGenerator<readonly StoredEvent[]> {}

async function openRange(
  engine: LogEngine,
  query: RangeQuery,
  isReadable: EventFilter | undefined,
): Promise<EventRange> {
  const positions = await positionBounds(engine, query, isReadable)
  if (positions.low >= positions.high) return EMPTY
  const sequence = sequenceOf(query)
  return sequence === undefined
    ? logRange(engine, query, positions, isReadable)
    : sequenceRange(engine, query, sequence, positions, isReadable)
}

/** The head is read last, so that it is never behind an event that a bound names. */
async function positionBounds(
  engine: LogEngine,
  query: RangeQuery,
  isReadable: EventFilter | undefined,
): Promise<Bounds> {
  const from = await positionOf(engine, query.from, isReadable)
  const after = await positionOf(engine, query.after, isReadable)
  const to = await positionOf(engine, query.to, isReadable)
  const before = await positionOf(engine, query.before, isReadable)
  const { count } = await engine.head()
  return {
    low: Math.max(from ?? 0, after === undefined ? 0 : after + 1),
    high: Math.min(to === undefined ? count : to + 1, before ?? count),
  }
}

/** Of an event that may not be read nobody is told that it is there. */
async function positionOf(
  engine: LogEngine,
  hash: EventHash | undefined,
  isReadable: EventFilter | undefined,
): Promise<Position | undefined> {
  if (hash === undefined) return undefined
  const position = await engine.findHash(hash)
  if (position === undefined) throw eventNotFound(hash)
  if (!isReadable) return position
  const event = await engine.read(position)
  if (!event || !(await isReadable(event))) throw eventNotFound(hash)
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
  isReadable: EventFilter | undefined,
): Promise<EventRange> {
  if (isReadable) {
    const members: Members = {
      read: (...all) => engine.readLog(...all),
      numberAt: (position) => position,
    }
    const wanted = { bounds: positions, direction, limit }
    return shownRange(await readableRange(members, wanted, isReadable))
  }
  const { low, high } = limited(positions, direction, limit)
  const highest = await engine.read(high - 1)
  if (!highest) throw new AppError('log-damaged', 'An event of the log cannot be read')
  const range = { ...tagOf(highest), runs: engine.readLog(low, high, direction) }
  const { readTexts } = engine
  if (!readTexts || direction !== 'forwards' || high - low < MANY) return range
  return { ...range, texts: (separator) => readTexts.call(engine, low, high, separator) }
}

async function sequenceRange(
  engine: LogEngine,
  { limit, direction, stream }: RangeQuery,
  sequence: SequenceKey,
  positions: Bounds,
  isReadable: EventFilter | undefined,
): Promise<EventRange> {
  const all = {
    low: await firstNumberAt(engine, sequence, positions.low),
    high: await firstNumberAt(engine, sequence, positions.high),
  }
  if (all.low >= all.high) return EMPTY
  const { low, high } = limited(all, direction, limit)
  const [highest] = await engine.readSequence(sequence, high - 1, 'forwards', 1)
  if (!highest) throw new AppError('log-damaged', 'An event of a sequence cannot be read')
  const members: Members = {
    read: (...part) => readSequenceRange(engine, sequence, ...part),
    numberAt: (position) => engine.sequenceNumber(sequence, position),
  }
  if (isReadable && stream === undefined) {
    const wanted = { bounds: all, direction, limit }
    return shownRange(await readableRange(members, wanted, isReadable))
  }
  // Of one stream all events may be read, or none.
  if (isReadable && !(await isReadable(highest.event))) return EMPTY
  return { ...tagOf(highest.event), runs: members.read(low, high, direction) }
}

function shownRange(shown: ReadableRange | undefined): EventRange {
  return shown ? { ...tagOf(shown.highest), runs: shown.runs } : EMPTY
}

function tagOf({ hash, isScavenged }: StoredEvent): Pick<EventRange, 'tag' | 'isScavenged'> {
  return { tag: hash, ...(isScavenged && { isScavenged }) }
}

/** The `limit` members of a range that come first in reading order. */
function limited({ low, high }: Bounds, direction: ReadDirection, limit = high - low): Bounds {
  return direction === 'forwards'
    ? { low, high: Math.min(high, low + limit) }
    : { low: Math.max(low, high - limit), high }
}
