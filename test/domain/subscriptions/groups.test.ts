import { describe, expect, it } from 'vitest'
import type { StreamName } from '../../../src/domain/stream-name.ts'
import { parkedStreamOf, parseGroupId } from '../../../src/domain/subscription-group.ts'
import { DEFAULT_GROUP_SETTINGS } from '../../../src/domain/subscription-settings.ts'
import { checkpointOf } from '../../../src/domain/subscription-state.ts'
import { GROUP, ids, parkedLinks, recordOf, testGroups } from '../../support/groups.ts'
import { codeOf } from '../../support/test-accounts.ts'

describe('a fetch', () => {
  it('hands out the oldest events, and each of them once', async () => {
    const groups = await testGroups()
    await groups.append(0, 1, 2, 3, 4)
    expect(await groups.fetch(2)).toEqual([0, 1])
    expect(await groups.fetch(2)).toEqual([2, 3])
    expect(await groups.fetch(2)).toEqual([4])
    expect(await groups.fetch(2)).toEqual([])
    await groups.append(5)
    expect(await groups.fetch(2)).toEqual([5])
  })

  it('without anything to hand out writes nothing', async () => {
    const groups = await testGroups()
    const before = await groups.records.read('group', 'orders/shipping')
    expect(await groups.fetch(10)).toEqual([])
    expect(await groups.records.read('group', 'orders/shipping')).toEqual(before)
  })

  it('hands out again what was held too long, counted, and before new events', async () => {
    const groups = await testGroups({ messageTimeoutMilliseconds: 1000 })
    await groups.append(0, 1, 2)
    expect(await groups.fetch(2)).toEqual([0, 1])
    groups.clock.nowMs += 999
    expect(await groups.fetch(1)).toEqual([2])
    groups.clock.nowMs += 1
    await groups.append(3)
    expect(await groups.subscriptions.fetch(GROUP, 10, 'ann')).toMatchObject([
      { number: 0, retryCount: 1 },
      { number: 1, retryCount: 1 },
      { number: 3, retryCount: 0 },
    ])
  })

  it('hands out again what would be held longer than the time-out, where a clock went back', async () => {
    const groups = await testGroups({ messageTimeoutMilliseconds: 1000 })
    await groups.append(0)
    expect(await groups.fetch(1)).toEqual([0])
    groups.clock.nowMs -= 3_600_000
    expect(await groups.fetch(1)).toEqual([0])
    expect(await groups.fetch(1)).toEqual([])
  })

  it('lets consumers hold messages for ever where the time-out is 0', async () => {
    const groups = await testGroups({ messageTimeoutMilliseconds: 0 })
    await groups.append(0)
    expect(await groups.fetch(1)).toEqual([0])
    groups.clock.nowMs += 1e12
    expect(await groups.fetch(1)).toEqual([])
    await groups.subscriptions.giveBack(GROUP, ids(0), 'retry', 'ann')
    expect(await groups.fetch(1)).toEqual([0])
  })

  it('stops at as many messages as the group may have out', async () => {
    const small = await testGroups({ bufferSize: 3, readBatchSize: 1 })
    await small.append(0, 1, 2, 3, 4)
    expect(await small.fetch(100)).toEqual([0, 1, 2])
    expect(await small.fetch(100)).toEqual([])
    await small.subscriptions.acknowledge(GROUP, ids(1))
    expect(await small.fetch(100)).toEqual([3])
    const limited = await testGroups({}, 2)
    await limited.append(0, 1, 2)
    expect(await limited.fetch(100)).toEqual([0, 1])
  })
})

describe('acknowledging', () => {
  it('is the end of a message, also when it comes late or twice', async () => {
    const groups = await testGroups({ messageTimeoutMilliseconds: 1000 })
    await groups.append(0, 1)
    await groups.fetch(2)
    await groups.subscriptions.acknowledge(GROUP, ids(1))
    groups.clock.nowMs += 5000
    await groups.subscriptions.acknowledge(GROUP, ids(0, 0, 1, 77))
    expect(await groups.fetch(2)).toEqual([])
    expect(await recordOf(groups)).toMatchObject({ next: 2, messages: [], processed: 2 })
  })

  it('does not touch a message that nobody holds', async () => {
    const groups = await testGroups()
    await groups.append(0)
    await groups.subscriptions.acknowledge(GROUP, ids(0))
    await groups.fetch(1)
    await groups.subscriptions.giveBack(GROUP, ids(0), 'retry', 'ann')
    await groups.subscriptions.acknowledge(GROUP, ids(0))
    expect(await groups.fetch(1)).toEqual([0])
  })

  it('out of order leaves the check point at the lowest that is not done', async () => {
    const groups = await testGroups()
    await groups.append(0, 1, 2, 3)
    await groups.fetch(3)
    await groups.subscriptions.acknowledge(GROUP, ids(0, 2))
    const group = await groups.subscriptions.find(GROUP)
    expect(group && checkpointOf(group.state)).toBe(1)
  })
})

describe('giving back', () => {
  it('to retry offers the message at once and counts', async () => {
    const groups = await testGroups()
    await groups.append(0, 1, 2)
    await groups.fetch(2)
    await groups.subscriptions.giveBack(GROUP, ids(1, 0), 'retry', 'ann')
    expect(await groups.subscriptions.fetch(GROUP, 10, 'ann')).toMatchObject([
      { number: 0, retryCount: 1 },
      { number: 1, retryCount: 1 },
      { number: 2, retryCount: 0 },
    ])
  })

  it('more often than allowed parks the message', async () => {
    const groups = await testGroups({ maxRetryCount: 2 })
    await groups.append(0)
    for (let delivery = 1; delivery <= 3; delivery++) {
      expect(await groups.fetch(1)).toEqual([0])
      await groups.subscriptions.giveBack(GROUP, ids(0), 'retry', 'ann')
    }
    expect(await groups.fetch(1)).toEqual([])
    expect(await parkedLinks(groups)).toEqual(['0@orders'])
  })

  it('too late, as often as allowed, parks it with the next fetch', async () => {
    const groups = await testGroups({ maxRetryCount: 0, messageTimeoutMilliseconds: 1 })
    await groups.append(0, 1)
    await groups.fetch(1)
    groups.clock.nowMs += 1
    expect(await groups.fetch(1)).toEqual([1])
    expect(await parkedLinks(groups)).toEqual(['0@orders'])
  })

  it('to park puts a link into the stream of parked messages', async () => {
    const groups = await testGroups()
    await groups.append(0, 1, 2)
    await groups.fetch(3)
    await groups.subscriptions.giveBack(GROUP, ids(2), 'park', 'ann')
    await groups.subscriptions.giveBack(GROUP, ids(0), 'park', 'ann')
    expect(await parkedLinks(groups)).toEqual(['2@orders', '0@orders'])
    expect(await recordOf(groups)).toMatchObject({
      parking: [],
      messages: [[1, 1, 0, expect.any(Number)]],
    })
    const group = await groups.subscriptions.find(GROUP)
    expect(group && (await groups.subscriptions.parkedCount(group))).toBe(2)
  })

  it('to skip is the end of the message', async () => {
    const groups = await testGroups()
    await groups.append(0)
    await groups.fetch(1)
    await groups.subscriptions.giveBack(GROUP, ids(0), 'skip', 'ann')
    expect(await groups.fetch(1)).toEqual([])
    expect(await parkedLinks(groups)).toEqual([])
  })

  it('to stop hands out nothing until the group is changed', async () => {
    const groups = await testGroups()
    await groups.append(0, 1)
    await groups.fetch(1)
    await groups.subscriptions.giveBack(GROUP, ids(0), 'stop', 'ann')
    expect(await groups.fetch(10)).toEqual([])
    await groups.subscriptions.update(GROUP, DEFAULT_GROUP_SETTINGS)
    expect(await groups.fetch(10)).toEqual([0, 1])
    await groups.subscriptions.giveBack(GROUP, ids(0), 'stop', 'ann')
    await groups.subscriptions.restart()
    expect(await groups.fetch(10)).toEqual([0, 1])
  })
})

describe('groups', () => {
  it('exist once by stream and name', async () => {
    const { subscriptions } = await testGroups()
    const creating = subscriptions.create(GROUP, DEFAULT_GROUP_SETTINGS)
    expect(await codeOf(creating)).toBe('group-exists')
    await subscriptions.create(parseGroupId('orders', 'billing'), DEFAULT_GROUP_SETTINGS)
    await subscriptions.create(parseGroupId('other', 'shipping'), DEFAULT_GROUP_SETTINGS)
    expect((await subscriptions.list()).map(({ id }) => `${id.stream} ${id.name}`)).toEqual([
      'orders shipping',
      'orders billing',
      'other shipping',
    ])
    expect((await subscriptions.list('orders' as StreamName)).map(({ id }) => id.name)).toEqual([
      'shipping',
      'billing',
    ])
    expect(await subscriptions.list('order' as StreamName)).toEqual([])
  })

  it('that are not there can neither be changed nor read', async () => {
    const { subscriptions } = await testGroups()
    const none = parseGroupId('orders', 'none')
    const codes = await Promise.all([
      codeOf(subscriptions.update(none, DEFAULT_GROUP_SETTINGS)),
      codeOf(subscriptions.remove(none, 'ann')),
      codeOf(subscriptions.fetch(none, 1, 'ann')),
      codeOf(subscriptions.acknowledge(none, [])),
      codeOf(subscriptions.giveBack(none, [], 'park', 'ann')),
      codeOf(subscriptions.replayParked(none)),
    ])
    expect(codes).toEqual(Array(6).fill('group-not-found'))
    expect(await subscriptions.find(none)).toBeUndefined()
  })

  it('begin where their settings say, and at the end as it is when they are made', async () => {
    const late = await testGroups({ startFrom: 2 })
    await late.append(0, 1, 2, 3)
    expect(await late.fetch(10)).toEqual([2, 3])
    const groups = await testGroups()
    await groups.append(0, 1)
    await groups.subscriptions.create(parseGroupId('orders', 'new'), {
      ...DEFAULT_GROUP_SETTINGS,
      startFrom: -1,
    })
    await groups.append(2)
    const fetched = await groups.subscriptions.fetch(parseGroupId('orders', 'new'), 10, 'ann')
    expect(fetched).toMatchObject([{ number: 2 }])
  })

  it('that are changed begin anew only where they have handed out nothing', async () => {
    const groups = await testGroups()
    await groups.append(0, 1, 2)
    const settings = { ...DEFAULT_GROUP_SETTINGS, startFrom: 1 }
    await groups.subscriptions.update(GROUP, settings)
    expect(await groups.fetch(1)).toEqual([1])
    await groups.subscriptions.update(GROUP, { ...settings, startFrom: 0, resolveLinktos: true })
    expect(await groups.fetch(10)).toEqual([1, 2])
    expect(await groups.subscriptions.find(GROUP)).toMatchObject({
      settings: { resolveLinktos: true, startFrom: 0 },
    })
  })

  it('that are removed while a consumer fetches hand out nothing more', async () => {
    const groups = await testGroups()
    await groups.append(0, 1)
    await groups.fetch(1)
    await groups.subscriptions.remove(GROUP, 'ann')
    expect(await codeOf(groups.subscriptions.acknowledge(GROUP, ids(0)))).toBe('group-not-found')
    await groups.subscriptions.create(GROUP, DEFAULT_GROUP_SETTINGS)
    expect(await groups.fetch(10)).toEqual([0, 1])
  })

  it.each([
    ['orders', ''],
    ['orders', 'a/b'],
    ['orders', ':a'],
    ['orders', 'a::b'],
    ['orders', 'x'.repeat(256)],
    ['x'.repeat(200), 'y'.repeat(40)],
    ['', 'a'],
    ['$all', 'a'],
  ])('of the stream %j cannot be called %j', (stream, name) => {
    expect(() => parseGroupId(stream, name)).toThrow(expect.objectContaining({ code: 'bad-name' }))
  })

  it('never share a stream of parked messages', () => {
    const names = [
      parseGroupId('a', 'b:c'),
      parseGroupId('a::b', 'c'),
      parseGroupId('a:', 'b'),
      parseGroupId('a', 'b'),
    ].map(parkedStreamOf)
    expect(new Set(names).size).toBe(4)
  })

  it('keep a short record, however many messages are out', async () => {
    const groups = await testGroups()
    await groups.append(...Array.from({ length: 101 }, (_, n) => n))
    await groups.fetch(100)
    await groups.subscriptions.acknowledge(GROUP, ids(40))
    await groups.subscriptions.giveBack(GROUP, ids(0), 'retry', 'ann')
    const dueAtMs = groups.clock.nowMs + 10_000
    expect(await recordOf(groups)).toEqual({
      stream: 'orders',
      name: 'shipping',
      settings: {},
      next: 100,
      messages: [
        [0, 1, 1, 0],
        [1, 39, 0, dueAtMs],
        [41, 59, 0, dueAtMs],
      ],
      parking: [],
      replay: [0, 0],
      processed: 1,
      isStopped: false,
    })
    expect(await groups.fetch(2)).toEqual([0, 100])
  })
})
