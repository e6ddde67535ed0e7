/** Subscription groups on a store. */

import { type EventId, parseStoredEvent } from '../../src/domain/event.ts'
import { createMessageSource } from '../../src/domain/message-source.ts'
import type { LogEngine, RecordEngine } from '../../src/domain/ports.ts'
import { streamSequence } from '../../src/domain/sequence.ts'
import { createStreams } from '../../src/domain/streams.ts'
import { parkedStreamOf, parseGroupId } from '../../src/domain/subscription-group.ts'
import {
  DEFAULT_GROUP_SETTINGS,
  type GroupSettings,
} from '../../src/domain/subscription-settings.ts'
import { createSubscriptions, type Subscriptions } from '../../src/domain/subscriptions.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { appendTo, draft, uuid } from './drafts.ts'
import { type HandClock, handClock } from './store.ts'

/** The group of most tests. */
export const GROUP = parseGroupId('orders', 'shipping')

export type TestGroups = {
  readonly log: LogEngine
  readonly records: RecordEngine
  readonly clock: HandClock
  readonly subscriptions: Subscriptions
  /** As another process sees the same store. */
  another(): Subscriptions
  /** Appends events to the stream of the group; their ids are `uuid(n)`. */
  append(...numbers: readonly number[]): Promise<void>
  /** Numbers that a fetch hands out. */
  fetch(count: number): Promise<readonly number[]>
}

export async function testGroups(
  settings: Partial<GroupSettings> | undefined = {},
  maxMessages = 1000,
): Promise<TestGroups> {
  const clock = handClock()
  const { log, records } = createMemoryStore({ clock })
  const streams = createStreams({ log, clock })
  const source = createMessageSource({ log, streams })
  const another = () => createSubscriptions({ records, streams, source, clock, maxMessages })
  const subscriptions = another()
  await subscriptions.create(GROUP, { ...DEFAULT_GROUP_SETTINGS, ...settings })
  return {
    log,
    records,
    clock,
    subscriptions,
    another,
    append: async (...numbers) => {
      await log.append(
        appendTo(
          GROUP.stream,
          numbers.map((n) => draft(n)),
        ),
      )
    },
    fetch: async (count) =>
      (await subscriptions.fetch(GROUP, count, 'ann')).map(({ number }) => number),
  }
}

/** The ids of events by their numbers. */
export const ids = (...numbers: readonly number[]) => numbers.map((n) => uuid(n) as EventId)

/** The members of the record, whatever they are. */
export async function recordOf({ records }: TestGroups) {
  return (await records.read('group', 'orders/shipping'))?.value as Record<string, unknown>
}

/** What the links of the stream of parked messages say. */
export async function parkedLinks({ log }: TestGroups): Promise<readonly unknown[]> {
  const stream = streamSequence(parkedStreamOf(GROUP))
  const page = await log.readSequence(stream, 0, 'forwards', 100)
  return page.map(({ event }) => parseStoredEvent(event).body)
}
