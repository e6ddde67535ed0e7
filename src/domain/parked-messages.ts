/** The stream of links to the messages that a subscription group has parked. */
import { isJsonObject } from '../kit/json-object.ts'
import type { JsonText } from '../kit/json-text.ts'
import { randomUuid } from '../kit/uuid.ts'
import { type EventId, type EventType, parseStoredEvent } from './event.ts'
import type { LogEngine } from './ports.ts'
import { streamSequence } from './sequence.ts'
import type { StreamName } from './stream-name.ts'
import { type GroupId, parkedStreamOf } from './subscription-group.ts'
import type { ParkingMessage } from './subscription-state.ts'

/** Type of an event that stands for another one, as `{number}@{stream}`. */
const LINK = '$>' as EventType
const METADATA = '$metadata' as EventType

export type ParkedMessages = {
  /** How many were ever parked: the number of the next one. */
  count(id: GroupId): Promise<number>
  /** Parks what is not parked yet; may be repeated. `by` is the account that caused it. */
  park(id: GroupId, messages: readonly ParkingMessage[], by: string): Promise<void>
  /** Numbers, in the stream of the group, of the messages parked under `from` to before `to`. */
  read(id: GroupId, from: number, to: number): Promise<readonly number[]>
  /** Messages parked under numbers below `from` are no longer shown. */
  truncate(id: GroupId, from: number, by: string): Promise<void>
}

export function createParkedMessages(log: LogEngine): ParkedMessages {
  return {
    async count(id) {
      const head = await log.sequenceHead(streamSequence(parkedStreamOf(id)))
      return head === undefined ? 0 : head.number + 1
    },
    async park(id, messages, by) {
      for (const { number, parkedId } of messages) {
        const link = Buffer.from(`${number}@${id.stream}`)
        await log.append({
          stream: parkedStreamOf(id),
          expectedVersion: { kind: 'any' },
          retryRule: 'equal-id',
          createdBy: by,
          events: [
            {
              eventId: parkedId,
              eventType: LINK,
              body: { kind: 'bytes', mediaType: 'text/plain', bytes: link },
            },
          ],
        })
      }
    },
    async read(id, from, to) {
      const page = await log.readSequence(
        streamSequence(parkedStreamOf(id)),
        from,
        'forwards',
        to - from,
      )
      return page.map(({ event }) => Number.parseInt(String(parseStoredEvent(event).body), 10))
    },
    async truncate(id, from, by) {
      const stream = `$$${parkedStreamOf(id)}` as StreamName
      const document = { ...(await lastDocument(log, stream)), $tb: from }
      await log.append({
        stream,
        expectedVersion: { kind: 'any' },
        retryRule: 'equal-id',
        createdBy: by,
        events: [
          {
            eventId: randomUuid() as EventId,
            eventType: METADATA,
            body: { kind: 'json', text: JSON.stringify(document) as JsonText },
          },
        ],
      })
    },
  }
}

/** What was set besides stays. */
async function lastDocument(log: LogEngine, stream: StreamName): Promise<object> {
  const head = await log.sequenceHead(streamSequence(stream))
  const stored = head && (await log.read(head.position))
  const body = stored && parseStoredEvent(stored).body
  return isJsonObject(body) ? body : {}
}
