/** The streams of a log, in the order in which they came to be. Those of the system, `$…`, are left out. */
import { parseStoredEvent } from './event.ts'
import type { LogEngine } from './ports.ts'
import type { ProducerId } from './producer.ts'
import { streamSequence, streamsSequence } from './sequence.ts'
import type { StreamName } from './stream-name.ts'

export type ListedStream = {
  readonly stream: StreamName
  /** Events in it. */
  readonly count: number
  readonly owner: ProducerId | undefined
}

export type StreamList = {
  readonly streams: readonly ListedStream[]
  /** Whether there are more than were looked at. */
  readonly isCut: boolean
}

const PAGE = 500

/** The first streams; deleted ones are not among them. @param most streams that are looked at */
export async function listStreams(log: LogEngine, most: number): Promise<StreamList> {
  const streams: ListedStream[] = []
  for (let from = 0; from < most; ) {
    const page = await log.readSequence(
      streamsSequence,
      from,
      'forwards',
      Math.min(PAGE, most - from),
    )
    if (page.length === 0) break
    for (const { event } of page) {
      const { stream } = parseStoredEvent(event)
      const listed = stream.startsWith('$') ? undefined : await look(log, stream)
      if (listed) streams.push(listed)
    }
    from += page.length
  }
  const last = await log.sequenceHead(streamsSequence)
  return { streams, isCut: (last?.number ?? -1) >= most }
}

async function look(log: LogEngine, stream: StreamName): Promise<ListedStream | undefined> {
  const head = await log.sequenceHead(streamSequence(stream))
  const { owner, isDeleted } = await log.streamState(stream)
  return isDeleted ? undefined : { stream, count: (head?.number ?? -1) + 1, owner }
}
