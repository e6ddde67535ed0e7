/**
 * The ids of the events that processors write. They follow from the request and the attempt, so that an
 * attempt is started once, ends once and is answered once, however many processors want to say so: a second
 * append of an id is a retry, which adds nothing. A failure and a timeout share one id, because an attempt
 * ends in one of them.
 */
import { nameUuid } from '../../kit/uuid.ts'
import type { EventId } from '../event.ts'
import type { AttemptPayload } from './event-classes.ts'

const NAMES = {
  'api-request': 'request',
  'api-response': 'response',
  'api-failure': 'end',
  'api-timeout': 'end',
} as const

/** UUID, version 5, of `request N`, `response N` or `end N` in the namespace of the request's event id. */
export function attemptEventId(request: EventId, payload: AttemptPayload): EventId {
  return nameUuid(request, `${NAMES[payload.class]} ${payload.attempt}`) as EventId
}
