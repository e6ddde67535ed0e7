/** Setting an offset by hand, forwards or back: to read events again, or to leave some out. */
import { requireConsumer } from '../../domain/access.ts'
import { AppError } from '../../domain/app-error.ts'
import { findConsumerId } from '../../domain/consumer.ts'
import type { Offsets } from '../../domain/offsets.ts'
import type { LogEngine } from '../../domain/ports.ts'
import { streamTypeSequence } from '../../domain/sequence.ts'
import { sequenceEnd } from '../../domain/sequence-range.ts'
import type { Handler } from '../../http/handler.ts'
import { jsonResponse } from '../../http/response.ts'
import { eventNameOf, streamOf } from './parameters.ts'
import type { Streams } from './streams.ts'

type Parts = {
  readonly log: LogEngine
  readonly streams: Streams
  readonly offsets: Offsets
}

/** Makes the offset where there is none; whoever comes last wins. */
export function changeOffset({ log, streams, offsets }: Parts): Handler {
  return async (_request, { principal, parameters }) => {
    requireConsumer(principal)
    const stream = streamOf(parameters)
    const consumer = findConsumerId(parameters['consumer'] ?? '')
    if (consumer === undefined) throw bad('consumerId', 'must be a UUID')
    const eventType = eventNameOf(parameters['eventName'] ?? '')
    const text = parameters['offset'] ?? ''
    if (!/^[0-9]{1,15}$/.test(text)) throw bad('offset', 'must be a whole number from 0 on')
    const offset = Number(text)
    await streams.require(principal, stream)
    const highest = await sequenceEnd(log, streamTypeSequence(stream, eventType))
    if (offset > highest) throw bad('offset', `must be at most ${highest}, the highest sequence`)
    await offsets.move({ stream, consumer, eventType }, () => offset)
    return jsonResponse(200, `The offset is ${offset}`)
  }
}

function bad(field: string, problem: string): AppError {
  return new AppError('bad-field', `${field} ${problem}`, { field })
}
