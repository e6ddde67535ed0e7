/** Short ways to say events and appends in tests. */
import {
  type EventBody,
  type EventDraft,
  parseEventId,
  parseEventType,
  type StoredEvent,
} from '../../src/domain/event.ts'
import type { AppendRequest } from '../../src/domain/ports.ts'
import { parseStreamName } from '../../src/domain/stream-name.ts'
import type { JsonText } from '../../src/kit/json-text.ts'

/** A UUID that shows its number. */
export const uuid = (n: number): string =>
  `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

export const jsonBody = (text: string): EventBody => ({ kind: 'json', text: text as JsonText })

export const bytesBody = (mediaType: string, bytes: Uint8Array): EventBody => ({
  kind: 'bytes',
  mediaType,
  bytes,
})

/** An event of type `x` with the body `{"n":<n>}`, unless told otherwise. */
export function draft(
  n: number,
  given: {
    readonly type?: string
    readonly body?: EventBody
    readonly metadata?: string
  } = {},
): EventDraft {
  const { type = 'x', body = jsonBody(`{"n":${n}}`), metadata } = given
  return {
    eventId: parseEventId(uuid(n)),
    eventType: parseEventType(type),
    body,
    ...(metadata === undefined ? {} : { metadata: metadata as JsonText }),
  }
}

/** An append by `ann@example.org` that expects nothing, unless told otherwise. */
export function appendTo(
  stream: string,
  events: readonly EventDraft[],
  given: Partial<AppendRequest> = {},
): AppendRequest {
  return {
    stream: parseStreamName(stream),
    expectedVersion: { kind: 'any' },
    retryRule: 'equal-content',
    createdBy: 'ann@example.org',
    events,
    ...given,
  }
}

export const textOf = (event: StoredEvent | undefined): string | undefined =>
  event && Buffer.from(event.json).toString('utf8')

/** The stored members by name. */
export const membersOf = (event: StoredEvent | undefined): Record<string, unknown> =>
  JSON.parse(textOf(event) ?? '{}')
