/**
 * The events that consumers were given last: they acknowledge them next. What has to be known of an event for that
 * stays as it is for ever, so that it need not be looked for again where the same process gave it.
 */
import type { EventId, EventType } from '../../domain/event.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import { BoundedMap } from '../../kit/bounded-map.ts'

/** `number` among the events of its type in its stream, from 0 on. */
export type Counted = { readonly eventType: EventType; readonly number: number }

/** Pages of a few dozen consumers. */
const MOST_KNOWN = 8192

export class HandedOut {
  private readonly known = new BoundedMap<string, Counted>(MOST_KNOWN)

  note(stream: StreamName, eventId: EventId, counted: Counted): void {
    this.known.set(keyOf(stream, eventId), counted)
  }

  find(stream: StreamName, eventId: EventId): Counted | undefined {
    return this.known.get(keyOf(stream, eventId))
  }
}

/** No name of a stream holds a `/`. */
const keyOf = (stream: StreamName, eventId: EventId): string => `${stream}/${eventId}`
