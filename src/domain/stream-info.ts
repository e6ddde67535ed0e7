/**
 * What is known of a stream besides its events: where it ends, its metadata, which of its events can be
 * seen, and whether it is there at all.
 */

import type { StoredEvent } from './event.ts'
import { TOMBSTONE_TYPE } from './event.ts'
import { dataText, type EventView, viewEvent } from './event-view.ts'
import type { Clock, LogEngine, SequenceEvent } from './ports.ts'
import { type SequenceKey, streamSequence } from './sequence.ts'
import {
  describedStream,
  isDeletedBefore,
  metadataStream,
  parseStreamMetadata,
  type StreamMetadata,
} from './stream-metadata.ts'
import type { StreamName } from './stream-name.ts'
import { type StreamView, viewOfStream } from './stream-view.ts'

export type StreamInfo = {
  readonly stream: StreamName
  readonly view: StreamView
  /**
   * `missing`: never written, though it may have metadata. `soft-deleted`: nothing of it is seen, and what
   * is written next goes on counting. `hard-deleted`: gone for ever.
   */
  readonly state: 'missing' | 'live' | 'soft-deleted' | 'hard-deleted'
  /** Number of the last event; -1 where there is none. */
  readonly last: number
  /** Number of the first event that can be seen; beyond `last` where none can. */
  readonly firstVisible: number
  readonly metadata: StreamMetadata
  /** Version of the metadata document in its own stream; -1 where there is none. */
  readonly metadataVersion: number
}

/** A metadata document and where it stands. */
export type StoredMetadata = { readonly version: number; readonly event: EventView }

export async function readStoredMetadata(
  log: LogEngine,
  stream: StreamName,
): Promise<StoredMetadata | undefined> {
  const holder = metadataStream(stream)
  if (holder === undefined) return undefined
  const last = await newestOf(log, streamSequence(holder))
  return last && { version: last.number, event: viewEvent(last.event, last.number) }
}

export async function readStreamInfo(
  log: LogEngine,
  clock: Clock,
  stream: StreamName,
): Promise<StreamInfo> {
  const view = viewOfStream(stream)
  const described = describedStream(stream)
  const stored = await readStoredMetadata(log, stream)
  const metadata = described ? NEWEST_ONLY : metadataOf(stored)
  const newest = await newestOf(log, view.sequence)
  const last = newest?.number ?? -1
  const ends = described ? await newestOf(log, streamSequence(described)) : newest
  const isDeleted = ends !== undefined && view.holds === 'events' && isTombstone(ends.event)
  const { truncateBefore = 0 } = metadata
  const isTruncated = last >= 0 && isDeletedBefore(truncateBefore, last)
  return {
    stream,
    view,
    state: isDeleted
      ? 'hard-deleted'
      : last < 0
        ? 'missing'
        : isTruncated
          ? 'soft-deleted'
          : 'live',
    last,
    firstVisible: await firstVisible(log, clock, view, last, metadata),
    metadata,
    metadataVersion: stored?.version ?? -1,
  }
}

/** Of a stream that holds metadata. */
const NEWEST_ONLY: StreamMetadata = { maxCount: 1 }

function metadataOf(stored: StoredMetadata | undefined): StreamMetadata {
  return stored ? parseStreamMetadata(dataText(stored.event.data)) : {}
}

async function newestOf(log: LogEngine, sequence: SequenceKey): Promise<SequenceEvent | undefined> {
  const [newest] = await log.readSequence(sequence, Number.MAX_SAFE_INTEGER, 'backwards', 1)
  return newest
}

const isTombstone = (event: StoredEvent): boolean => viewEvent(event).eventType === TOMBSTONE_TYPE

async function firstVisible(
  log: LogEngine,
  clock: Clock,
  { sequence }: StreamView,
  last: number,
  { truncateBefore = 0, maxCount, maxAgeMs }: StreamMetadata,
): Promise<number> {
  const counted = maxCount === undefined ? 0 : last - maxCount + 1
  const low = Math.min(Math.max(0, truncateBefore, counted), last + 1)
  if (maxAgeMs === undefined) return low
  const oldest = new Date(clock.now() - maxAgeMs).toISOString()
  const isTooOld = async (number: number) => {
    const [member] = await log.readSequence(sequence, number, 'forwards', 1)
    return member !== undefined && viewEvent(member.event, number).createdAt < oldest
  }
  return firstNotMatching(low, last + 1, isTooOld)
}

/** The first number from `low` on, below `high`, that `matches` does not hold for; it holds for all before. */
async function firstNotMatching(
  low: number,
  high: number,
  matches: (number: number) => Promise<boolean>,
): Promise<number> {
  let from = low
  let to = high
  while (from < to) {
    const middle = Math.floor((from + to) / 2)
    if (await matches(middle)) from = middle + 1
    else to = middle
  }
  return from
}
