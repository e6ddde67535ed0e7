/** The events that are measured with: about 300 bytes of stored text each, the same in every run. */
import { type EventDraft, parseEventId, parseEventType } from '../src/domain/event.ts'
import type { AppendRequest } from '../src/domain/ports.ts'
import { parseStreamName } from '../src/domain/stream-name.ts'
import type { JsonText } from '../src/kit/json-text.ts'

const STREAMS = 1000
const TYPES = 5

const streamOf = (n: number): string => `order-${n % STREAMS}`
const typeOf = (n: number): string => `order-changed-${n % TYPES}`
const bodyOf = (n: number): string =>
  `{"order":${n},"customer":"customer ${n % 9973}","lines":2,"total":"${n % 997}.50"}`
const idOf = (n: number, series: number): string =>
  `${series.toString(16).padStart(8, '0')}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

/** @param series appends of different series have different ids */
export function appendOf(n: number, series = 0): AppendRequest {
  const draft: EventDraft = {
    eventId: parseEventId(idOf(n, series)),
    eventType: parseEventType(typeOf(n)),
    body: { kind: 'json', text: bodyOf(n) as JsonText },
  }
  return {
    stream: parseStreamName(streamOf(n)),
    expectedVersion: { kind: 'any' },
    retryRule: 'equal-content',
    createdBy: 'bench',
    events: [draft],
  }
}

/** The same as body of a request; the server gives the id. */
export function requestBodyOf(n: number): string {
  return `{"eventType":"${typeOf(n)}","stream":"${streamOf(n)}","body":${bodyOf(n)}}`
}
