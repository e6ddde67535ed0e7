/**
 * Which events lose their bodies for good: those that no reader of their stream can see any more, because the
 * stream was deleted or its metadata (`$tb`, `$maxCount`, `$maxAge`) leaves them out. How they are removed is
 * the engine's part.
 */
import { BoundedMap } from '../kit/bounded-map.ts'
import { TOMBSTONE_TYPE } from './event.ts'
import type { Clock, DropRule, LogEngine, Progress, ScavengeReport } from './ports.ts'
import type { Scavenge } from './scavenge-runs.ts'
import { streamSequence } from './sequence.ts'
import { firstNumberAt } from './sequence-range.ts'
import { readStreamInfo, type StreamInfo } from './stream-info.ts'
import { describedStream } from './stream-metadata.ts'
import type { StreamName } from './stream-name.ts'

/** Streams whose state is kept in memory. */
const MOST_STREAMS = 10_000

/** Removes the bodies of all events that cannot be seen in their streams. */
export function scavenge(
  log: LogEngine,
  clock: Clock,
  progress?: Progress,
): Promise<ScavengeReport> {
  return log.scavenge(invisibleEvents(log, clock), progress)
}

/** The same for a run that can be stopped. */
export function stoppableScavenge(log: LogEngine, clock: Clock): Scavenge {
  return async (progress, signal) => {
    const { bytesFreed } = await scavenge(log, clock, (done, total) => {
      progress(done, total)
      // Between two steps everything is as whole as at the end.
      signal.throwIfAborted()
    })
    return { reclaimedBytes: Math.max(0, bytesFreed) }
  }
}

/**
 * A tombstone stays as it is: it is what tells that the stream was deleted. So does the last metadata of a
 * deleted stream: it says who may see what is left.
 */
function invisibleEvents(log: LogEngine, clock: Clock): DropRule {
  const streams = new BoundedMap<StreamName, StreamInfo>(MOST_STREAMS)
  const infoOf = async (stream: StreamName): Promise<StreamInfo> => {
    const known = streams.get(stream) ?? (await readStreamInfo(log, clock, stream))
    streams.set(stream, known)
    return known
  }
  return async (event, position) => {
    if (event.eventType === TOMBSTONE_TYPE) return false
    const { state, firstVisible } = await infoOf(event.stream)
    if (state === 'hard-deleted' && describedStream(event.stream) === undefined) return true
    if (firstVisible === 0) return false
    const { version } = event as { readonly version?: number }
    const number = version ?? (await firstNumberAt(log, streamSequence(event.stream), position))
    return number < firstVisible
  }
}
