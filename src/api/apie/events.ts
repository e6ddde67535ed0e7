/** The event log over HTTP: append, read one, read a range, verify. */
import { type EventHash, findEventHash, type StoredEvent } from '../../domain/event.ts'
import { type EventLog, eventNotFound } from '../../domain/event-log.ts'
import { eventTextWithHash } from '../../domain/event-text.ts'
import type { AppendRequest } from '../../domain/ports.ts'
import { readableEvents } from '../../domain/readable-events.ts'
import type { StreamRights } from '../../domain/stream-rights.ts'
import { readJson } from '../../http/body.ts'
import { isKnownToClient, quoteTag } from '../../http/conditional.ts'
import type { Handler } from '../../http/handler.ts'
import { preferredMediaType } from '../../http/media-type.ts'
import type { HttpHeaders, HttpRequest, HttpResponse } from '../../http/message.ts'
import { producerOf } from '../../http/producer.ts'
import { IMMUTABLE, JSON_TYPE } from '../../http/response.ts'
import type { JsonLimits } from '../../kit/json-text.ts'
import { expectedHeadOf } from './append-condition.ts'
import { parseEventDraft } from './event-draft.ts'
import { eventListBody, JSON_LIST, NDJSON_LIST, textListBody } from './event-list.ts'
import { eventTag, listTag, rightsMark } from './event-tags.ts'
import { parseRangeQuery } from './range-query.ts'
import { verifyResponse } from './verify.ts'

export type EventLimits = {
  /** Bytes of the body of an append. */
  readonly bodyBytes: number
  /** Largest `limit` of a range. */
  readonly pageEvents: number
  readonly json: JsonLimits
}

const NDJSON_TYPE = 'application/x-ndjson'

/** The log, and who may read and write what in it. */
export type EventAccess = { readonly events: EventLog; readonly rights: StreamRights }

export function appendEvent({ events, rights }: EventAccess, limits: EventLimits): Handler {
  return async (request, { principal }) => {
    const { stream, draft, expectedVersion } = parseEventDraft(
      await readJson(request, limits.bodyBytes, limits.json),
    )
    const known = await rights.requireWrite(principal, stream)
    const expectedHead = await expectedHeadOf(request, events)
    const wanted: AppendRequest = {
      stream,
      expectedVersion,
      ...(expectedHead !== undefined && { expectedHead }),
      retryRule: 'equal-content',
      createdBy: principal.name,
      ...producerOf(request),
      events: [draft],
    }
    const outcome = await events.append(wanted, known)
    const [event] = outcome.events
    if (!event) throw new Error('An append came back without its event')
    return eventResponse(event, {})
  }
}

export function readEvent({ events, rights }: EventAccess): Handler {
  return async (request, { parameters, principal }) => {
    const text = parameters['hash'] ?? ''
    const hash = findEventHash(text)
    const event = hash === undefined ? undefined : await events.find(hash)
    const isReadable = readableEvents(rights, principal)
    if (!event || (isReadable && !(await isReadable(event)))) throw eventNotFound(text)
    const caching = { 'cache-control': IMMUTABLE }
    if (isKnownToClient(request.headers['if-none-match'], eventTag(event))) {
      return notModified(tagHeaders(eventTag(event), event.hash), caching)
    }
    return eventResponse(event, caching)
  }
}

export function readEvents({ events, rights }: EventAccess, limits: EventLimits): Handler {
  return async (request, { query, principal }) => {
    const asked = parseRangeQuery(query, limits.pageEvents)
    const isReadable = readableEvents(rights, principal)
    // Of one stream nothing is left out: it is shown or not.
    const mayOmit = isReadable !== undefined && asked.stream === undefined
    const mark = mayOmit ? rightsMark(principal, await events.head()) : undefined
    const range = await events.range(asked, isReadable)
    const isLines = (await listMediaType(request)) === NDJSON_TYPE
    const negotiated = { vary: 'Accept' }
    const listed = listTag(range, mark, isLines)
    const tagged = listed ? tagHeaders(listed.tag, listed.hash) : {}
    if (listed && isKnownToClient(request.headers['if-none-match'], ...listed.known)) {
      return notModified(tagged, negotiated)
    }
    const headers = {
      'content-type': isLines ? NDJSON_TYPE : JSON_TYPE,
      ...negotiated,
      ...tagged,
    }
    if (request.method === 'HEAD') return { status: 200, headers }
    const form = isLines ? NDJSON_LIST : JSON_LIST
    const { runs, texts } = range
    const body = await (texts ? textListBody(texts, form) : eventListBody(runs, form))
    return { status: 200, headers, body, ...(isLines && { endsInErrorLine: true }) }
  }
}

export function verifyEvents(events: EventLog): Handler {
  return async () => verifyResponse(await events.verify())
}

/** Who accepts neither gets JSON: the original never looked at `Accept`. */
function listMediaType(request: HttpRequest): Promise<string | undefined> {
  return preferredMediaType(request, ['application/json', NDJSON_TYPE])
}

function eventResponse(event: StoredEvent, headers: HttpHeaders): HttpResponse {
  return {
    status: 200,
    headers: {
      'content-type': JSON_TYPE,
      ...tagHeaders(eventTag(event), event.hash),
      ...headers,
    },
    body: eventTextWithHash(event),
  }
}

function notModified(tagged: HttpHeaders, headers: HttpHeaders): HttpResponse {
  return { status: 304, headers: { ...tagged, ...headers } }
}

function tagHeaders(tag: string, hash: EventHash): HttpHeaders {
  return { etag: quoteTag(tag), 'x-apie-hash': hash }
}
