/**
 * The stream that the broker keeps its events in: insert, look up, read. Every reader gets the events
 * in their order, and from an exclusive start on.
 */
import type { JsonText } from '../../kit/json-text.ts'
import { randomUuid } from '../../kit/uuid.ts'
import { AppError } from '../app-error.ts'
import { type EventId, type EventType, storedText } from '../event.ts'
import type { LogEngine } from '../ports.ts'
import { appendReopening } from '../reopening.ts'
import { streamSequence } from '../sequence.ts'
import type { StreamName } from '../stream-name.ts'
import { type BrokerEvent, type BrokerEventId, brokerEventOf, CAUSATION } from './broker-event.ts'
import { type Payload, payloadText } from './event-classes.ts'

export type NewEvent = {
  readonly payload: Payload
  readonly causation: BrokerEventId
  /** Its external UUID; a random one where it is absent. */
  readonly uuid?: EventId | undefined
  /** Further members of its metadata. */
  readonly about?: Readonly<Record<string, string>>
}

export type BrokerStream = {
  readonly name: StreamName
  readonly log: LogEngine
  /** Id of the last event, 0 where there is none. */
  head(): Promise<BrokerEventId>
  /**
   * Stores an event; where its UUID is known, the event that is there already is the answer.
   * @throws AppError as `LogEngine.append`
   */
  offer(event: NewEvent): Promise<{ readonly id: BrokerEventId; readonly isNew: boolean }>
  /** @throws AppError `event-id-conflict` where the UUID is known; as `LogEngine.append` */
  insert(event: NewEvent): Promise<BrokerEvent>
  /** Id of the event with a UUID. */
  find(uuid: EventId): Promise<BrokerEventId | undefined>
  read(id: BrokerEventId): Promise<BrokerEvent | undefined>
  /** The events behind `after`, up to the end as it is when it is reached. */
  load(after: BrokerEventId): AsyncIterable<BrokerEvent>
}

/** Events read at once. */
const PAGE = 256

const CREATED_BY = 'broker'

export function createBrokerStream(log: LogEngine, name: StreamName): BrokerStream {
  const sequence = streamSequence(name)
  const page = async (after: BrokerEventId, limit: number) =>
    (await log.readSequence(sequence, after, 'forwards', limit)).map(brokerEventOf)
  const read = async (id: BrokerEventId) => (id < 1 ? undefined : (await page(id - 1, 1))[0])
  const offer: BrokerStream['offer'] = async (event) => {
    const outcome = await appendReopening(log, appendOf(name, event))
    const [stored] = outcome.events
    if (!stored) throw new AppError('log-damaged', 'An append answered without its event')
    const { version } = JSON.parse(storedText(stored)) as { version: number }
    return { id: version + 1, isNew: outcome.kind === 'appended' }
  }
  async function* load(after: BrokerEventId): AsyncGenerator<BrokerEvent> {
    for (let from = after; ; ) {
      const events = await page(from, PAGE)
      if (events.length === 0) return
      yield* events
      from += events.length
    }
  }
  return {
    name,
    log,
    head: async () => ((await log.sequenceHead(sequence))?.number ?? -1) + 1,
    offer,
    async insert(event) {
      const { id, isNew } = await offer(event)
      const stored = isNew ? await read(id) : undefined
      if (stored) return stored
      throw new AppError('event-id-conflict', 'There is an event with this UUID already', { id })
    },
    async find(uuid) {
      const stored = await log.findEventId(name, uuid)
      if (!stored) return undefined
      const text = storedText(stored)
      return (JSON.parse(text) as { version: number }).version + 1
    },
    read,
    load,
  }
}

function appendOf(stream: StreamName, { payload, causation, uuid, about }: NewEvent) {
  const metadata = { ...(causation > 0 ? { [CAUSATION]: causation } : {}), ...about }
  return {
    stream,
    expectedVersion: { kind: 'any' },
    retryRule: 'equal-id',
    createdBy: CREATED_BY,
    events: [
      {
        eventId: (uuid ?? randomUuid()) as EventId,
        eventType: payload.class as EventType,
        body: { kind: 'json', text: payloadText(payload) as JsonText },
        metadata: JSON.stringify(metadata) as JsonText,
      },
    ],
  } as const
}

/** Id of the event that caused another, 0 where none did or none is known. */
export async function causeOf(
  stream: Pick<BrokerStream, 'find'>,
  { causation }: BrokerEvent,
): Promise<BrokerEventId> {
  return typeof causation === 'string' ? ((await stream.find(causation)) ?? 0) : causation
}

/**
 * The start that a reader asked for.
 * @throws AppError `event-not-found` where there is no such event
 */
export async function checkedStart(stream: BrokerStream, after: BrokerEventId): Promise<number> {
  if (after === 0 || after <= (await stream.head())) return after
  throw new AppError('event-not-found', `There is no event ${after}`, { id: after })
}
