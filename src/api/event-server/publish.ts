/** Publishing: one event document onto a stream, which becomes the producer's with its first event. */
import { AppError } from '../../domain/app-error.ts'
import { type EventId, parseEventId, TOMBSTONE_TYPE } from '../../domain/event.ts'
import type { AppendRequest, LogEngine } from '../../domain/ports.ts'
import { type ProducerId, parseProducerId } from '../../domain/producer.ts'
import { appendReopening } from '../../domain/reopening.ts'
import { parseWritableStream, type StreamName } from '../../domain/stream-name.ts'
import type { StreamRights } from '../../domain/stream-rights.ts'
import { readJson } from '../../http/body.ts'
import type { Handler } from '../../http/handler.ts'
import type { HttpRequest } from '../../http/message.ts'
import { jsonResponse } from '../../http/response.ts'
import type { JsonLimits } from '../../kit/json-text.ts'
import { nameUuid, randomUuid } from '../../kit/uuid.ts'
import { parseEventDocument } from './event-document.ts'
import { JSON_BODY, requireBodyType } from './headers.ts'
import { streamOf } from './parameters.ts'

type Parts = { readonly log: LogEngine; readonly rights: StreamRights }

export type BodyLimits = { readonly maxBytes: number; readonly json: JsonLimits }

/** Answers with the id of the event, which is its address, too. */
export function publish({ log, rights }: Parts, limits: BodyLimits): Handler {
  return async (request, { principal, parameters, baseUrl }) => {
    requireBodyType(request, [JSON_BODY])
    const producer = parseProducerId(request.headers['x-producer-id']?.trim() ?? '')
    const stream = parseWritableStream(streamOf(parameters))
    const eventId = eventIdOf(request, producer, stream)
    const { eventType, text } = parseEventDocument(
      await readJson(request, limits.maxBytes, limits.json),
    )
    if (eventType === TOMBSTONE_TYPE) throw tombstoneRefused()
    const known = await rights.requireWrite(principal, stream)
    const document: AppendRequest = {
      stream,
      expectedVersion: { kind: 'any' },
      retryRule: 'equal-content',
      createdBy: principal.name,
      producer,
      claims: true,
      events: [{ eventId, eventType, body: { kind: 'json', text } }],
    }
    await appendReopening(log, document, known)
    // Not Location: under CGI that would turn the status 200 into a redirect.
    const link = `<${baseUrl}/api/v1/events/${eventId}/payload>; rel="item"`
    return jsonResponse(200, eventId, { link })
  }
}

function tombstoneRefused(): AppError {
  const message = `event.name ${TOMBSTONE_TYPE} is what deleting a stream writes`
  return new AppError('bad-field', message, { field: 'event.name' })
}

/** A new id; or, with an idempotency key, the one that stands for it, so that a retry is the same event. */
function eventIdOf(request: HttpRequest, producer: ProducerId, stream: StreamName): EventId {
  const key = request.headers['idempotency-key']?.trim()
  if (key === undefined) return parseEventId(randomUuid())
  if (!/^[!-~]{1,255}$/.test(key)) {
    throw new AppError('bad-header', 'Idempotency-Key must be 1 to 255 visible ASCII characters', {
      header: 'Idempotency-Key',
    })
  }
  return parseEventId(nameUuid(producer, `${stream}/${key}`))
}
