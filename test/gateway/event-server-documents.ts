/** Documents that the event server refuses. */
import { document, P1 } from './event-server-request.ts'

const without = (member: string): unknown =>
  JSON.parse(JSON.stringify(document(), (key, value) => (key === member ? undefined : value)))

/** That of a valid document. */
export const { system: SYSTEM } = document() as { system: Record<string, unknown> }

type Bad = readonly [document: unknown, said: RegExp]

const event = (members: Record<string, unknown>): unknown => document('x', { event: members })
const system = (members: Record<string, unknown>): unknown =>
  document('x', { system: { ...SYSTEM, ...members } })

/** What is wrong with a document, and the words in which that is said. */
export const BAD_DOCUMENTS: readonly Bad[] = [
  [without('event'), /^Bad Request - event is missing$/],
  [event({ version: 1 }), /^Bad Request - event\.name is missing$/],
  [event({ name: 'x', version: 0 }), /^Bad Request - event\.version must be a whole number/],
  [event({ name: 'x', version: '1' }), /^Bad Request - event\.version must be a whole number/],
  [event({ name: 'x', version: 1, id: P1 }), /^Bad Request - event\.id must not be given/],
  [document('x', { payload: [] }), /^Bad Request - payload must be an object$/],
  [document('x', { payload: null }), /^Bad Request - payload must be an object$/],
  [system({ timezone: 'Mars/Base' }), /^Bad Request - system\.timezone must be/],
  [system({ time: '2017-13-40 00:00:00' }), /^Bad Request - system\.time must be/],
  ['{"event":', /^Bad Request - .* at character 10$/],
]

/** The same, less different from each other. */
export const MORE_BAD_DOCUMENTS: readonly Bad[] = [
  [without('system'), /- system is missing$/],
  [without('trigger'), /- trigger is missing$/],
  [without('payload'), /- payload is missing$/],
  [document('x', { event: 'x' }), /- event must be an object$/],
  [document('x', { eventId: P1 }), /- eventId must not be given/],
  [event({ name: 'x', version: 1, eventId: P1 }), /- event\.eventId must not be given/],
  [document(''), /- event\.name must not be empty$/],
  [document('a/b'), /- event\.name must not contain "\/"$/],
  [document('a\nb'), /- event\.name must not contain control characters$/],
  [document('n'.repeat(256)), /- event\.name must have at most 255 characters$/],
  [document('$streamDeleted'), /- event\.name \$streamDeleted is what deleting a stream writes$/],
  [event({ name: 'x' }), /- event\.version must be a whole number/],
  [event({ name: 'x', version: 1.5 }), /- event\.version must be a whole number/],
  [document('x', { trigger: { type: 'manual', name: '' } }), /- trigger\.name must not be empty$/],
  [system({ id: 5 }), /- system\.id must be a string$/],
  [system({ name: 'n'.repeat(256) }), /- system\.name must have at most 255 characters$/],
  [system({ timezone: '+01:00' }), /- system\.timezone must be/],
  [system({ time: '2017-02-29 00:00:00' }), /- system\.time must be/],
  [system({ time: '2017-02-28 24:00:00' }), /- system\.time must be/],
  [system({ time: '2017-04-31 00:00:00' }), /- system\.time must be/],
  [system({ time: '2017-02-28T00:00:00Z' }), /- system\.time must be/],
  [`${JSON.stringify(document())} {}`, /- Text after the JSON value/],
  ['{"event":{},"event":{}}', /- Key "event" stands twice/],
  ['[]', /- The body must be a JSON object$/],
  ['', /^Bad Request - /],
]
