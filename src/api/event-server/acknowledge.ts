/**
 * Acknowledging: a consumer is done with the event that comes next for it, and its offset moves on by one.
 *
 * The offset is moved by compare-and-set, so of many equal requests at once one moves it. All of them are
 * answered the same: whoever lost the answer may ask again.
 */
import { requireConsumer } from '../../domain/access.ts'
import { AppError } from '../../domain/app-error.ts'
import { type EventId, parseStoredEvent } from '../../domain/event.ts'
import type { Offsets } from '../../domain/offsets.ts'
import type { LogEngine } from '../../domain/ports.ts'
import { streamTypeSequence } from '../../domain/sequence.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import { parseJson, readText } from '../../http/body.ts'
import type { Handler } from '../../http/handler.ts'
import type { HttpRequest } from '../../http/message.ts'
import { jsonResponse } from '../../http/response.ts'
import { parseForm } from '../../http/url-encoded.ts'
import type { Counted, HandedOut } from './handed-out.ts'
import { consumerOf, FORM_BODY, JSON_BODY, requireBodyType } from './headers.ts'
import { eventIdOf, streamOf } from './parameters.ts'
import type { Streams } from './streams.ts'

type Parts = {
  readonly log: LogEngine
  readonly streams: Streams
  readonly offsets: Offsets
  readonly handedOut: HandedOut
}

/** Bytes of the body: `action=ACK` and no more. */
const MAX_BODY = 4096
const JSON_LIMITS = { depth: 8, values: 1000, keys: 100 }

export function acknowledge({ log, streams, offsets, handedOut }: Parts): Handler {
  return async (request, { principal, parameters }) => {
    requireConsumer(principal)
    const type = requireBodyType(request, [FORM_BODY, JSON_BODY])
    const consumer = consumerOf(request)
    const stream = streamOf(parameters)
    const eventId = eventIdOf(parameters)
    await requireAck(request, type)
    const found = await streams.require(principal, stream)
    const counted = handedOut.find(stream, eventId) ?? (await find(log, stream, eventId))
    const { eventType, number } = counted
    const sequence = streamTypeSequence(stream, eventType)
    await offsets.move({ stream, consumer, eventType }, async (offset) =>
      offsetBehind(await found.firstVisible(sequence, offset), number),
    )
    return jsonResponse(200, 'OK')
  }
}

/** @throws AppError `bad-field` where the body does not say `ACK` */
async function requireAck(
  request: HttpRequest,
  type: typeof FORM_BODY | typeof JSON_BODY,
): Promise<void> {
  const text = await readText(request, MAX_BODY)
  const actions = type === FORM_BODY ? parseForm(text).getAll('action') : [inJson(text)]
  if (actions.length === 1 && actions[0] === 'ACK') return
  throw new AppError('bad-field', 'The body must be action=ACK', { field: 'action' })
}

function inJson(text: string): unknown {
  const action = parseJson(text, JSON_LIMITS).members?.get('action')
  return action && JSON.parse(action)
}

async function find(log: LogEngine, stream: StreamName, eventId: EventId): Promise<Counted> {
  const event = await log.findEventId(stream, eventId)
  if (!event) throw new AppError('event-not-found', 'The stream has no such event', { eventId })
  const { eventType } = parseStoredEvent(event)
  const sequence = streamTypeSequence(stream, eventType)
  return { eventType, number: await log.sequenceNumber(sequence, event.position) }
}

/**
 * Where the offset goes when the event with `number` is acknowledged and `first` comes next; `undefined` where it
 * was before.
 * @throws AppError `bad-request` where another event comes first
 */
function offsetBehind(first: number, number: number): number | undefined {
  if (number <= first) return number === first ? first + 1 : undefined
  const [expected, given] = [first + 1, number + 1]
  const message = `The event has the sequence ${given}, but ${expected} is to be acknowledged next`
  throw new AppError('bad-request', message, { expected, given })
}
