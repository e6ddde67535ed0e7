/** Records that were put back from a later moment than the log: whoever they speak of gets what is new all the same. */
import { expect, it } from 'vitest'
import type { ConsumerId } from '../../src/domain/consumer.ts'
import type { EventType } from '../../src/domain/event.ts'
import { createOffsets } from '../../src/domain/offsets.ts'
import { findPositionsAhead, setBackPositionsAhead } from '../../src/domain/positions-ahead.ts'
import { DEFAULT_GROUP_SETTINGS } from '../../src/domain/subscription-settings.ts'
import { appendTo, draft, uuid } from '../support/drafts.ts'
import { GROUP, recordOf, type TestGroups, testGroups } from '../support/groups.ts'
import { collect } from '../support/store.ts'

const KEY = { stream: GROUP.stream, consumer: uuid(7) as ConsumerId, eventType: 't' as EventType }
const OFFSET = `${KEY.stream}/${KEY.consumer}/${KEY.eventType}`

/** A consumer and a group that are done with 7 events of a stream that has 4. */
async function restored(): Promise<TestGroups> {
  const groups = await testGroups()
  await groups.log.append(
    appendTo(
      GROUP.stream,
      [0, 1, 2, 3].map((n) => draft(n, { type: 't' })),
    ),
  )
  await groups.records.write('offset', OFFSET, { offset: 7, movedAt: '' }, 'absent')
  await setGroup(groups, { next: 7, messages: [[2, 4, 0, 0]], replay: [3, 5], processed: 2 })
  return groups
}

async function setGroup(groups: TestGroups, members: Record<string, unknown>): Promise<void> {
  const record = await groups.records.read('group', 'orders/shipping')
  const value = { ...(record?.value as object), ...members }
  await groups.records.write('group', 'orders/shipping', value, record?.revision ?? 'absent')
}

const messagesOf = async (groups: TestGroups) =>
  (await collect(findPositionsAhead(groups))).map(({ kind, message }) => `${kind}: ${message}`)

it('are found, each with what helps', async () => {
  expect(await messagesOf(await restored())).toEqual([
    `repairable: The consumer ${KEY.consumer} has acknowledged 7 events "t" of the stream "orders", which has 4; events that come now would not be delivered to it; "apie reindex" sets it back to the end`,
    'repairable: The subscription group "shipping" of the stream "orders" is ahead of it: the stream has 4 events, of which 7 were handed out; events that come now would not be delivered to it; "apie reindex" sets it back to the end',
  ])
})

it('are set back to the end of the log, and then not found any more', async () => {
  const groups = await restored()
  expect(await setBackPositionsAhead(groups)).toBe(2)
  expect(await messagesOf(groups)).toEqual([])
  expect((await groups.records.read('offset', OFFSET))?.value).toMatchObject({ offset: 4 })
  expect(await recordOf(groups)).toMatchObject({
    next: 4,
    messages: [[2, 2, 0, 0]],
    replay: [0, 0],
    processed: 2,
  })
  expect(await setBackPositionsAhead(groups)).toBe(0)
})

it('a group that waits for the event that it starts from is none of them', async () => {
  const groups = await testGroups()
  await groups.subscriptions.update(GROUP, { ...DEFAULT_GROUP_SETTINGS, startFrom: 7 })
  const before = await groups.records.read('group', 'orders/shipping')
  expect(await messagesOf(groups)).toEqual([])
  expect(await setBackPositionsAhead(groups)).toBe(0)
  expect(await groups.fetch(1)).toEqual([])
  expect(await groups.records.read('group', 'orders/shipping')).toEqual(before)
})

it('a group is set back by a fetch, for good', async () => {
  const groups = await restored()
  await setGroup(groups, { messages: [], replay: [0, 0] })
  expect(await groups.fetch(5)).toEqual([])
  await groups.append(4, 5)
  expect(await groups.fetch(5)).toEqual([4, 5])
})

it('an offset is set back by reading it, for good', async () => {
  const groups = await restored()
  const offsets = createOffsets(groups)
  expect(await offsets.read(KEY)).toBe(4)
  await groups.log.append(appendTo(GROUP.stream, [draft(4, { type: 't' })]))
  expect(await offsets.read(KEY)).toBe(4)
})

it('an offset is moved from the end of the log, and set back where it is left', async () => {
  const groups = await restored()
  const offsets = createOffsets(groups)
  await offsets.move(KEY, (now) => {
    expect(now).toBe(4)
    return undefined
  })
  expect((await groups.records.read('offset', OFFSET))?.value).toMatchObject({ offset: 4 })
})
