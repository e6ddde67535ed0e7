/**
 * An event of the broker's stream as the broker sees it. Its id is its version in the stream and one, so that
 * 0 can mean "none" and "from the start"; its external UUID is its event id.
 */
import { AppError } from '../app-error.ts'
import { type EventId, parseStoredEvent } from '../event.ts'
import type { SequenceEvent } from '../ports.ts'
import { type Payload, parsePayload } from './event-classes.ts'

/** From 1 on; 0 is no event. */
export type BrokerEventId = number

export type BrokerEvent = {
  readonly id: BrokerEventId
  readonly uuid: EventId
  /** The event type, whatever it is. */
  readonly className: string
  /** RFC 3339. */
  readonly createdAt: string
  /** Id of the event that caused it, 0 where none did; a UUID where another program wrote one. */
  readonly causation: BrokerEventId | EventId
  /** The run of a processor that wrote it; absent where something else did. */
  readonly processor?: string
  readonly body: unknown
  /** What the body says; `undefined` where it is not of the broker, for the reason `problem`. */
  readonly payload: Payload | undefined
  readonly problem?: string
}

export const CAUSATION = '$causationId'
export const PROCESSOR = 'processor'

const uuidText = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export function brokerEventOf({ number, event }: SequenceEvent): BrokerEvent {
  const { eventId, eventType, createdAt, body, metadata, mediaType } = parseStoredEvent(event)
  const about = (metadata ?? {}) as Readonly<Record<string, unknown>>
  const processor = about[PROCESSOR]
  return {
    id: number + 1,
    uuid: eventId.toLowerCase() as EventId,
    className: eventType,
    createdAt,
    causation: causationOf(about[CAUSATION]),
    ...(typeof processor === 'string' ? { processor } : {}),
    body,
    ...payloadOf(eventType, mediaType === undefined ? body : undefined),
  }
}

function payloadOf(className: string, body: unknown): Pick<BrokerEvent, 'payload' | 'problem'> {
  try {
    return { payload: parsePayload(className, body) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { payload: undefined, problem: error.message }
  }
}

function causationOf(value: unknown): BrokerEventId | EventId {
  if (typeof value === 'string' && uuidText.test(value)) return value.toLowerCase() as EventId
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : 0
}
