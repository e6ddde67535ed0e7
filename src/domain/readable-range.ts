/**
 * What somebody may read of a range in which events are hidden from him: as many as asked for, whatever
 * stands between them, and the highest of them. Where the range begins and ends is settled in `event-log.ts`.
 */
import type { Position, StoredEvent } from './event.ts'
import type { ReadDirection } from './ports.ts'
import { type EventFilter, filteredRuns } from './readable-events.ts'

/** The log, or one of its sequences: its members by their numbers in it. */
export type Members = {
  /** From number `low` (inclusive) to `high` (exclusive); the bytes of a run as in `LogEngine.readLog`. */
  read(low: number, high: number, direction: ReadDirection): AsyncIterable<readonly StoredEvent[]>
  numberAt(position: Position): number | Promise<number>
}

/** `low` inclusive, `high` exclusive. */
export type Bounds = { readonly low: number; readonly high: number }

export type Wanted = {
  readonly bounds: Bounds
  readonly direction: ReadDirection
  readonly limit?: number | undefined
}

export type ReadableRange = {
  /** Of it only the hash and the marks last: `json` is as in a run. */
  readonly highest: StoredEvent
  readonly runs: AsyncIterable<readonly StoredEvent[]>
}

/** `undefined` where nothing in it may be read. */
export function readableRange(
  members: Members,
  wanted: Wanted,
  isReadable: EventFilter,
): Promise<ReadableRange | undefined> {
  const { direction, limit } = wanted
  // Which is the last of so many is only known when they were found.
  return direction === 'forwards' && limit !== undefined
    ? readablePage(members, { ...wanted, limit }, isReadable)
    : readableToTheEnd(members, wanted, isReadable)
}

/** Bytes of a page up to which it is kept, instead of being read again while it is sent. */
const KEPT_BYTES = 1024 * 1024

async function readablePage(
  members: Members,
  { bounds, direction, limit }: Wanted & { readonly limit: number },
  isReadable: EventFilter,
): Promise<ReadableRange | undefined> {
  const kept: StoredEvent[] = []
  let bytes = 0
  let highest: StoredEvent | undefined
  for await (const run of readableRuns(members, { bounds, direction, limit }, isReadable)) {
    for (const event of run) {
      highest = event
      bytes += event.json.length
      if (bytes <= KEPT_BYTES) kept.push({ ...event, json: Buffer.from(event.json) })
    }
  }
  if (!highest) return undefined
  if (bytes <= KEPT_BYTES) return { highest, runs: once(kept) }
  const high = (await members.numberAt(highest.position)) + 1
  const again = { bounds: { low: bounds.low, high }, direction }
  return { highest, runs: readableRuns(members, again, isReadable) }
}

async function* once(run: readonly StoredEvent[]): AsyncGenerator<readonly StoredEvent[]> {
  yield run
}

/** Of a range whose highest event is the last that may be read in it: mostly one of the last there are. */
async function readableToTheEnd(
  members: Members,
  { bounds, direction, limit }: Wanted,
  isReadable: EventFilter,
): Promise<ReadableRange | undefined> {
  const last: Wanted = { bounds, direction: 'backwards', limit: 1 }
  for await (const [highest] of readableRuns(members, last, isReadable)) {
    if (!highest) continue
    const high = (await members.numberAt(highest.position)) + 1
    const shown = { bounds: { low: bounds.low, high }, direction, limit }
    return { highest, runs: readableRuns(members, shown, isReadable) }
  }
  return undefined
}

/** Of those that may be read the first `limit` in reading order. */
async function* readableRuns(
  { read }: Members,
  { bounds, direction, limit }: Wanted,
  isReadable: EventFilter,
): AsyncGenerator<readonly StoredEvent[]> {
  if (limit === undefined) {
    yield* filteredRuns(read(bounds.low, bounds.high, direction), isReadable)
    return
  }
  let left = limit
  for (const { low, high } of windows(bounds, direction, limit)) {
    for await (const run of filteredRuns(read(low, high, direction), isReadable)) {
      yield run.slice(0, left)
      left -= run.length
      if (left <= 0) return
    }
  }
}

const LARGEST_WINDOW = 4096

/**
 * A range cut into pieces in reading order. The first has `size` members: where nothing is hidden no more are
 * read. The others grow, so that a long run of hidden events takes few reads.
 */
function* windows(bounds: Bounds, direction: ReadDirection, size: number): Generator<Bounds> {
  let { low, high } = bounds
  for (let next = size; low < high; next = Math.min(next * 2, LARGEST_WINDOW)) {
    if (direction === 'forwards') {
      yield { low, high: Math.min(high, low + next) }
      low += next
    } else {
      yield { low: Math.max(low, high - next), high }
      high -= next
    }
  }
}
