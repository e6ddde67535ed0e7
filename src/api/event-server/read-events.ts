/** The events of one name that a consumer has not acknowledged yet. Reading moves no offset but one beyond the last. */
import { AppError } from '../../domain/app-error.ts'
import type { EventType } from '../../domain/event.ts'
import type { Offsets } from '../../domain/offsets.ts'
import type { LogEngine } from '../../domain/ports.ts'
import { type SequenceKey, streamTypeSequence } from '../../domain/sequence.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import type { Handler } from '../../http/handler.ts'
import { JSON_TYPE } from '../../http/response.ts'
import { eventView } from './event-view.ts'
import type { HandedOut } from './handed-out.ts'
import { consumerOf } from './headers.ts'
import { jsonListBody } from './json-list.ts'
import { eventNameOf, onlyValue, streamOf } from './parameters.ts'
import type { Streams } from './streams.ts'

type Parts = {
  readonly log: LogEngine
  readonly streams: Streams
  readonly offsets: Offsets
  readonly handedOut: HandedOut
  readonly settings: { readonly maxPageEvents: number }
}

export function readEvents({ log, streams, offsets, handedOut, settings }: Parts): Handler {
  return async (request, { principal, parameters, query }) => {
    const consumer = consumerOf(request)
    const stream = streamOf(parameters)
    const eventType = eventNameOf(onlyValue(query, 'eventName'))
    const limit = limitOf(query, settings.maxPageEvents)
    const found = await streams.require(principal, stream)
    const sequence = streamTypeSequence(stream, eventType)
    // Sequences count from 1: the number of the first event behind an offset is the offset itself.
    const offset = await offsets.read({ stream, consumer, eventType })
    const first = await found.firstVisible(sequence, offset)
    const texts = views(log, handedOut, { stream, eventType, sequence, first, limit })
    return {
      status: 200,
      headers: { 'content-type': JSON_TYPE },
      body: await jsonListBody(texts),
    }
  }
}

/** More than the server gives at once is cut to that. */
function limitOf(query: URLSearchParams, most: number): number {
  const text = onlyValue(query, 'limit')
  const limit = /^[0-9]+$/.test(text) ? Number(text) : 0
  if (limit >= 1) return Math.min(limit, most)
  throw new AppError('bad-query', 'limit must be a whole number from 1 on', { parameter: 'limit' })
}

type Asked = {
  readonly stream: StreamName
  readonly eventType: EventType
  readonly sequence: SequenceKey
  readonly first: number
  readonly limit: number
}

async function* views(
  log: LogEngine,
  handedOut: HandedOut,
  { stream, eventType, sequence, first, limit }: Asked,
): AsyncGenerator<string> {
  for (let done = 0; done < limit; ) {
    const page = await log.readSequence(sequence, first + done, 'forwards', limit - done)
    if (page.length === 0) return
    for (const { number, event } of page) {
      const { text, eventId } = eventView(event, number + 1)
      handedOut.note(stream, eventId, { eventType, number })
      yield text
    }
    done += page.length
  }
}
