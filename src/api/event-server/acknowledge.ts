/**
 * Acknowledging: a consumer is done with the event that comes next for it, and its offset moves on by one.
 *
 * The offset is moved by compare-and-set, so of many equal requests at once one moves it. All of them are
 * answered the same: whoever lost the answer may ask again.
 */
import { requireConsumer } from '../../domain/access.ts'
import { AppError } from '../../domain/app-error.ts'
import type { ConsumerId } from '../../domain/consumer.ts'
import { type EventId, type Position, parseStoredEvent } from '../../domain/event.ts'
import type { OffsetKey, Offsets } from '../../domain/offsets.ts'
import type { LogEngine } from '../../domain/ports.ts'
import { type SequenceKey, streamTypeSequence } from '../../domain/sequence.ts'
import { firstNumberAt } from '../../domain/sequence-range.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import { readText } from '../../http/body.ts'
import type { Handler } from '../../http/handler.ts'
import type { HttpRequest } from '../../http/message.ts'
import { jsonResponse } from '../../http/response.ts'
import { consumerOf, FORM_BODY, JSON_BODY, requireBodyType } from './headers.ts'
import { eventIdOf, streamOf } from './parameters.ts'
import type { ReadableStream, Streams } from './streams.ts'

type Parts = {
  readonly log: LogEngine
  readonly streams: Streams
  readonly offsets: Offsets
}

/** Bytes of the body: `action=ACK` and no more. */
const MAX_BODY = 4096

export function acknowledge({ log, streams, offsets }: Parts): Handler {
  return async (request, { principal, parameters }) => {
    requireConsumer(principal)
    const type = requireBodyType(request, [FORM_BODY, JSON_BODY])
    const consumer = consumerOf(request)
    const stream = streamOf(parameters)
    const eventId = eventIdOf(parameters)
    await requireAck(request, type)
    const found = await streams.require(principal, stream)
    const { position, key } = await find(log, stream, eventId, consumer)
    await offsets.move(key, (now) => offsetBehind(log, found, key, now, position))
    return jsonResponse(200, 'OK')
  }
}

/** @throws AppError `bad-field` where the body does not say `ACK` */
async function requireAck(
  request: HttpRequest,
  type: typeof FORM_BODY | typeof JSON_BODY,
): Promise<void> {
  const text = await readText(request, MAX_BODY)
  const actions = type === FORM_BODY ? new URLSearchParams(text).getAll('action') : [inJson(text)]
  if (actions.length === 1 && actions[0] === 'ACK') return
  throw new AppError('bad-field', 'The body must be action=ACK', { field: 'action' })
}

function inJson(text: string): unknown {
  try {
    return (JSON.parse(text) as { action?: unknown } | null)?.action
  } catch (error) {
    throw new AppError('bad-json', 'The body is no JSON', {}, error)
  }
}

async function find(
  log: LogEngine,
  stream: StreamName,
  eventId: EventId,
  consumer: ConsumerId,
): Promise<{ readonly position: Position; readonly key: OffsetKey }> {
  const position = await log.findEventId(stream, eventId)
  const event = position === undefined ? undefined : await log.read(position)
  if (!event) throw new AppError('event-not-found', 'The stream has no such event', { eventId })
  const { eventType } = parseStoredEvent(event)
  return { position: event.position, key: { stream, consumer, eventType } }
}

/**
 * Where the offset goes when the event at `position` is acknowledged; `undefined` where it was before.
 * @throws AppError `bad-request` where another event comes first
 */
async function offsetBehind(
  log: LogEngine,
  found: ReadableStream,
  { stream, eventType }: OffsetKey,
  offset: number,
  position: Position,
): Promise<number | undefined> {
  const sequence = streamTypeSequence(stream, eventType)
  const first = await found.firstVisible(sequence, offset)
  const [next] = await log.readSequence(sequence, first, 'forwards', 1)
  if (next?.event.position === position) return first + 1
  if (next === undefined || position < next.event.position) return undefined
  throw await outOfOrder(log, sequence, first + 1, position)
}

async function outOfOrder(
  log: LogEngine,
  sequence: SequenceKey,
  expected: number,
  position: Position,
): Promise<AppError> {
  const given = (await firstNumberAt(log, sequence, position)) + 1
  const message = `The event has the sequence ${given}, but ${expected} is to be acknowledged next`
  return new AppError('bad-request', message, { expected, given })
}
