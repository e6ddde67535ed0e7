/** Who consumes a stream, and how far behind each consumer is. */
import type { Offset, Offsets } from '../../domain/offsets.ts'
import type { LogEngine } from '../../domain/ports.ts'
import { streamTypeSequence } from '../../domain/sequence.ts'
import type { Handler } from '../../http/handler.ts'
import { jsonResponse } from '../../http/response.ts'
import { streamOf } from './parameters.ts'
import { isStreamThere } from './stream-there.ts'

type Parts = { readonly log: LogEngine; readonly offsets: Offsets }

export function readConsumers({ log, offsets }: Parts): Handler {
  return async (_request, { parameters }) => {
    const stream = streamOf(parameters)
    const all = (await isStreamThere(log, stream)) ? await offsets.list(stream) : []
    const rows = await Promise.all(all.map((offset) => consumerRow(log, offset)))
    return jsonResponse(200, rows.flat())
  }
}

/** None for a name that has no events. */
async function consumerRow(log: LogEngine, entry: Offset): Promise<readonly unknown[]> {
  const { stream, consumer, eventType, offset, movedAt } = entry
  const head = await log.sequenceHead(streamTypeSequence(stream, eventType))
  if (!head) return []
  const count = head.number + 1
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
