/** Who consumes a stream, and how far behind each consumer is. */
import type { Offset, Offsets } from '../../domain/offsets.ts'
import type { LogEngine } from '../../domain/ports.ts'
import { streamTypeSequence } from '../../domain/sequence.ts'
import { sequenceEnd } from '../../domain/sequence-range.ts'
import type { Handler } from '../../http/handler.ts'
import { jsonResponse } from '../../http/response.ts'
import { streamOf } from './parameters.ts'
import type { Streams } from './streams.ts'

type Parts = {
  readonly log: LogEngine
  readonly streams: Streams
  readonly offsets: Offsets
}

export function readConsumers({ log, streams, offsets }: Parts): Handler {
  return async (_request, { principal, parameters }) => {
    const stream = streamOf(parameters)
    const all = (await streams.find(principal, stream)) ? await offsets.list(stream) : []
    const rows = await Promise.all(all.map((offset) => consumerRow(log, offset)))
    return jsonResponse(200, rows.flat())
  }
}

/** None for a name that has no events. */
async function consumerRow(log: LogEngine, entry: Offset): Promise<readonly unknown[]> {
  const { stream, consumer, eventType, movedAt } = entry
  const count = await sequenceEnd(log, streamTypeSequence(stream, eventType))
  if (count === 0) return []
  // As the consumer's next request will find it, where the log was put back from an earlier moment.
  const offset = Math.min(entry.offset, count)
  return [
    {
      consumerId: consumer,
      offset,
      movedAt,
      eventName: eventType,
      consumedPercentage: Math.round((offset * 10_000) / count) / 100,
      behind: count - offset,
    },
  ]
}
