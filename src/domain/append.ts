/**
 * The rule of an append, the same for every engine: given what the log looks like inside the engine's
 * critical section, is the batch stored, was it stored before, or is it refused?
 */
import { isSameJson, parseExactJson } from '../kit/json-equal.ts'
import { andThen, type MaybeLater } from '../kit/maybe-later.ts'
import { AppError } from './app-error.ts'
import {
  bodyMembers,
  type EventDraft,
  type EventId,
  type ParsedEvent,
  parseStoredEvent,
  type StoredEvent,
  storedText,
} from './event.ts'
import type { AppendRequest, LogHead, RetryRule, StreamState } from './ports.ts'
import type { ProducerId } from './producer.ts'
import type { StreamName } from './stream-name.ts'

/** The log as an engine sees it while nobody else can append. Versions count from 0; -1: no events. */
export type LogView = {
  readonly head: LogHead
  lastVersion(stream: StreamName): MaybeLater<number>
  streamState(stream: StreamName): MaybeLater<StreamState>
  find(stream: StreamName, eventId: EventId): MaybeLater<StoredEvent | undefined>
}

export type AppendDecision =
  | { readonly kind: 'append'; readonly firstVersion: number }
  | { readonly kind: 'already-there'; readonly events: readonly StoredEvent[] }

/**
 * A stream that was ended, or belongs to somebody else, refuses everything. Then a retry wins over a stale
 * expectation: known ids with the same content answer with the stored events. At once where the view answers
 * at once: an engine that decides many appends in a row does not wait for each.
 * @throws AppError `bad-name`, `stream-deleted`, `stream-locked`, `event-id-conflict`, `head-mismatch`, `wrong-expected-version`
 */
export function decideAppend(view: LogView, request: AppendRequest): MaybeLater<AppendDecision> {
  return andThen(view.streamState(request.stream), (state) => {
    refuseClosed(state, request)
    return andThen(findRetry(view, request), (known) =>
      known ? { kind: 'already-there', events: known } : decideNew(view, request),
    )
  })
}

/** Of an append that is no retry. */
function decideNew(view: LogView, request: AppendRequest): MaybeLater<AppendDecision> {
  refuseDots(request.stream)
  if (request.expectedHead !== undefined && request.expectedHead !== view.head.hash) {
    throw new AppError('head-mismatch', 'The head of the log is another than the one expected', {
      expected: request.expectedHead,
      head: view.head.hash,
    })
  }
  return andThen(view.lastVersion(request.stream), (last) => {
    if (meetsExpectation(last, request)) return { kind: 'append', firstVersion: last + 1 }
    throw new AppError('wrong-expected-version', 'The stream is not at the expected version', {
      current: last,
    })
  })
}

/**
 * Clients and servers take such a segment out of a path (RFC 3986 §5.2.4), so that the stream could be written
 * and not be asked for. One that is there already can be read.
 */
function refuseDots(stream: StreamName): void {
  if (stream !== '.' && stream !== '..') return
  throw new AppError('bad-name', 'stream must not be "." or ".."', { field: 'stream' })
}

function refuseClosed(state: StreamState, request: AppendRequest): void {
  if (state.isDeleted) throw new AppError('stream-deleted', 'The stream was deleted for ever')
  refuseForeign(state, request)
}

/** @throws AppError `stream-locked` where the stream belongs to another producer */
export function refuseForeign(
  { owner }: Pick<StreamState, 'owner'>,
  { producer }: Pick<AppendRequest, 'producer'>,
): void {
  if (owner !== undefined && owner !== producer) {
    throw new AppError('stream-locked', 'The stream belongs to another producer')
  }
}

/** What the events of an append say about whom their stream belongs to. */
export function claimedBy({ producer, claims }: AppendRequest): { readonly producer?: ProducerId } {
  return claims && producer !== undefined ? { producer } : {}
}

/** A retry is a whole batch that was stored before, in its order; a part of one is a conflict. */
function findRetry(
  view: LogView,
  request: AppendRequest,
): MaybeLater<readonly StoredEvent[] | undefined> {
  const known: Known = { events: [], first: undefined }
  return andThen(findKnown(view, request, 0, known), () => {
    const { events, first } = known
    if (first === undefined) {
      refuseEqualIds(request.events)
      return undefined
    }
    if (events.length < request.events.length || !isAscending(events)) throw conflict(first)
    return events
  })
}

/** Events of an append that are stored already, and the id of the first of them. */
type Known = { readonly events: StoredEvent[]; first: EventId | undefined }

/** Looks for the events from number `from` on, one after the other, and notes in `known` what is stored. */
function findKnown(
  view: LogView,
  request: AppendRequest,
  from: number,
  known: Known,
): MaybeLater<void> {
  for (let at = from; at < request.events.length; at++) {
    const draft = request.events[at] as EventDraft
    const stored = view.find(request.stream, draft.eventId)
    if (stored === undefined) continue
    const noted = andThen(stored, (event) => {
      if (!event) return
      if (!isSameEvent(event, draft, request.retryRule)) throw conflict(draft.eventId)
      known.first ??= draft.eventId
      known.events.push(event)
    })
    if (noted instanceof Promise) return noted.then(() => findKnown(view, request, at + 1, known))
  }
}

const isAscending = (events: readonly StoredEvent[]): boolean =>
  events.every(({ position }, at) => at === 0 || position > (events[at - 1]?.position ?? -1))

function refuseEqualIds(events: readonly EventDraft[]): void {
  if (events.length === 1) return
  const ids = new Set<string>()
  for (const { eventId } of events) {
    if (ids.has(eventId)) throw conflict(eventId)
    ids.add(eventId)
  }
}

function conflict(eventId: EventId): AppError {
  return new AppError(
    'event-id-conflict',
    'An event with this id but other content is in the stream',
    { eventId },
  )
}

function isSameEvent(stored: StoredEvent, draft: EventDraft, rule: RetryRule): boolean {
  if (rule === 'equal-id') return true
  // What it said is gone; its id and type are what can be compared.
  if (stored.isScavenged) return parseStoredEvent(stored).eventType === draft.eventType
  const event = parseExact(storedText(stored))
  const sent = parseExact(`{${bodyMembers(draft.body)},"metadata":${draft.metadata ?? 'null'}}`)
  return (
    event.eventType === draft.eventType &&
    isSameJson(event.body, sent.body) &&
    event.mediaType === sent.mediaType &&
    event.encoding === sent.encoding &&
    isSameJson(event.metadata ?? null, sent.metadata)
  )
}

const parseExact = (text: string): Partial<ParsedEvent> =>
  parseExactJson(text) as Partial<ParsedEvent>

function meetsExpectation(last: number, { expectedVersion }: AppendRequest): boolean {
  switch (expectedVersion.kind) {
    case 'any':
      return true
    case 'no-stream':
      return last === -1
    case 'stream-exists':
      return last >= 0
    case 'version':
      return last === expectedVersion.version
    default:
      return expectedVersion satisfies never
  }
}
