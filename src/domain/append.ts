/**
 * The rule of an append, the same for every engine: given what the log looks like inside the engine's
 * critical section, is the batch stored, was it stored before, or is it refused?
 */
import { isSameJson, parseExactJson } from '../kit/json-equal.ts'
import { AppError } from './app-error.ts'
import {
  bodyMembers,
  type EventDraft,
  type EventId,
  type ParsedEvent,
  parseStoredEvent,
  type StoredEvent,
} from './event.ts'
import type { AppendRequest, LogHead, RetryRule, StreamState } from './ports.ts'
import type { ProducerId } from './producer.ts'
import type { StreamName } from './stream-name.ts'

/** The log as an engine sees it while nobody else can append. Versions count from 0; -1: no events. */
export type LogView = {
  readonly head: LogHead
  lastVersion(stream: StreamName): number | Promise<number>
  streamState(stream: StreamName): StreamState | Promise<StreamState>
  find(
    stream: StreamName,
    eventId: EventId,
  ): StoredEvent | undefined | Promise<StoredEvent | undefined>
}

export type AppendDecision =
  | { readonly kind: 'append'; readonly firstVersion: number }
  | { readonly kind: 'already-there'; readonly events: readonly StoredEvent[] }

/**
 * A stream that was ended, or belongs to somebody else, refuses everything. Then a retry wins over a stale
 * expectation: known ids with the same content answer with the stored events.
 * @throws AppError `stream-deleted`, `stream-locked`, `event-id-conflict`, `head-mismatch`, `wrong-expected-version`
 */
export async function decideAppend(view: LogView, request: AppendRequest): Promise<AppendDecision> {
  refuseClosed(await view.streamState(request.stream), request)
  const known = await findRetry(view, request)
  if (known) return { kind: 'already-there', events: known }
  if (request.expectedHead !== undefined && request.expectedHead !== view.head.hash) {
    throw new AppError('head-mismatch', 'The head of the log is another than the one expected', {
      expected: request.expectedHead,
      head: view.head.hash,
    })
  }
  const last = await view.lastVersion(request.stream)
  if (!meetsExpectation(last, request)) {
    throw new AppError('wrong-expected-version', 'The stream is not at the expected version', {
      current: last,
    })
  }
  return { kind: 'append', firstVersion: last + 1 }
}

function refuseClosed({ owner, isDeleted }: StreamState, { producer }: AppendRequest): void {
  if (isDeleted) throw new AppError('stream-deleted', 'The stream was deleted for ever')
  if (owner !== undefined && owner !== producer) {
    throw new AppError('stream-locked', 'The stream belongs to another producer')
  }
}

/** What the events of an append say about whom their stream belongs to. */
export function claimedBy({ producer, claims }: AppendRequest): { readonly producer?: ProducerId } {
  return claims && producer !== undefined ? { producer } : {}
}

/** A retry is a whole batch that was stored before, in its order; a part of one is a conflict. */
async function findRetry(
  view: LogView,
  request: AppendRequest,
): Promise<readonly StoredEvent[] | undefined> {
  const found: StoredEvent[] = []
  let firstKnown: EventId | undefined
  for (const draft of request.events) {
    const stored = await view.find(request.stream, draft.eventId)
    if (!stored) continue
    if (!isSameEvent(stored, draft, request.retryRule)) throw conflict(draft.eventId)
    firstKnown ??= draft.eventId
    found.push(stored)
  }
  if (firstKnown === undefined) {
    refuseEqualIds(request.events)
    return undefined
  }
  if (found.length < request.events.length || !isAscending(found)) throw conflict(firstKnown)
  return found
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
  const event = parseExact(Buffer.from(stored.json).toString('utf8'))
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
