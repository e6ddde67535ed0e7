/** `POST` of one event or of a batch to a stream. */
import { AppError } from '../../domain/app-error.ts'
import type { EventDraft } from '../../domain/event.ts'
import { describedStream, METADATA_TYPE } from '../../domain/stream-metadata.ts'
import { parseStreamName, type StreamName } from '../../domain/stream-name.ts'
import { isMadeByStore } from '../../domain/stream-view.ts'
import type { Handler, RequestContext } from '../../http/handler.ts'
import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { randomUuid } from '../../kit/uuid.ts'
import { publicBase } from './base-url.ts'
import { readBatch } from './batch.ts'
import { bodyCodec } from './body-codec.ts'
import { streamUrl } from './feed.ts'
import { WRITE_CODECS } from './media-types.ts'
import { negotiate } from './negotiation.ts'
import type { AtomParts } from './parts.ts'
import { checkRequireLeader, expectedVersionOf, headerOf, producerOf } from './request-headers.ts'
import { checkEventType, parseGuid, singleEvent } from './single-event.ts'
import { emptyResponse } from './style.ts'

/** Anything that may be posted to a stream. */
export function postEvents(parts: AtomParts): Handler {
  return async (request, context) => {
    negotiate(request, context.query, WRITE_CODECS)
    const codec = bodyCodec(request)
    const stream = postedStream(context)
    await requireWritable(parts, context, stream)
    if (codec.kind === 'batch') {
      const expectedVersion = writeHeaders(request)
      const events = await readBatch(request, codec.form, parts.settings)
      return write(parts, request, context, { stream, expectedVersion, events })
    }
    const eventType = eventTypeOf(request)
    const id = headerOf(request, 'EventId')
    if (id === undefined) return redirectToIncoming(parts, request, stream)
    const eventId = parseGuid(id, 'ES-EventId header')
    const expectedVersion = writeHeaders(request)
    const event = await singleEvent(request, codec, { eventId, eventType }, parts.settings)
    return write(parts, request, context, { stream, expectedVersion, events: [event] })
  }
}

/** One event whose id is in the path, so that posting again changes nothing. */
export function postIncoming(parts: AtomParts): Handler {
  return async (request, context) => {
    negotiate(request, context.query, WRITE_CODECS)
    const codec = bodyCodec(request)
    if (codec.kind === 'batch') throw new AppError('media-type-unsupported', 'One event only')
    const stream = postedStream(context)
    await requireWritable(parts, context, stream)
    const eventType = eventTypeOf(request)
    const eventId = parseGuid(context.parameters['id'] ?? '', 'Event id')
    const expectedVersion = writeHeaders(request)
    const event = await singleEvent(request, codec, { eventId, eventType }, parts.settings)
    return write(parts, request, context, { stream, expectedVersion, events: [event] })
  }
}

function postedStream({ parameters }: RequestContext): StreamName {
  const stream = parameters['stream'] ?? ''
  if (stream === '') {
    throw new AppError('bad-name', 'Invalid request. Stream must be non-empty string')
  }
  return parseStreamName(stream)
}

export async function requireWritable(
  { streams }: AtomParts,
  { principal }: RequestContext,
  stream: StreamName,
): Promise<void> {
  await streams.rights.require(principal, 'write', stream)
  if (isMadeByStore(stream)) {
    throw new AppError('access-denied', 'Only the store itself fills this stream')
  }
}

function eventTypeOf(request: HttpRequest): EventDraft['eventType'] {
  const type = headerOf(request, 'EventType')
  if (type !== undefined) return checkEventType(type)
  throw new AppError(
    'bad-header',
    'Must include an event type with the request either in body or as ES-EventType header.',
    { header: 'ES-EventType' },
  )
}

/** The checks on headers that come after type and id. */
export function writeHeaders(request: HttpRequest) {
  const expectedVersion = expectedVersionOf(request)
  checkRequireLeader(request)
  return expectedVersion
}

function redirectToIncoming(
  parts: AtomParts,
  request: HttpRequest,
  stream: StreamName,
): HttpResponse {
  const self = streamUrl(publicBase(request, parts.settings.baseUrl), stream)
  return {
    status: 307,
    reason: 'Temporary Redirect',
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      location: `${self}/incoming/${randomUuid()}`,
    },
    body: 'Forwarding to idempotent URI',
  }
}

type Write = {
  readonly stream: StreamName
  readonly expectedVersion: ReturnType<typeof expectedVersionOf>
  readonly events: readonly EventDraft[]
}

export async function write(
  parts: AtomParts,
  request: HttpRequest,
  context: RequestContext,
  posted: Write,
): Promise<HttpResponse> {
  if (describedStream(posted.stream)) checkMetadata(posted.events)
  const first = await parts.streams.writer.append({
    ...posted,
    createdBy: context.principal.name,
    ...producerOf(request),
  })
  const self = streamUrl(publicBase(request, parts.settings.baseUrl), posted.stream)
  return emptyResponse(201, 'Created', { location: `${self}/${first}` })
}

function checkMetadata(events: readonly EventDraft[]): void {
  if (events.every(({ eventType }) => eventType === METADATA_TYPE)) return
  const message = `Write request body invalid. Metadata is of type ${METADATA_TYPE}`
  throw new AppError('bad-field', message, { field: 'eventType' })
}
