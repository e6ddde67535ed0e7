import { describe, expect, it } from 'vitest'
import { parseStoredEvent } from '../../../src/domain/event.ts'
import { streamSequence } from '../../../src/domain/sequence.ts'
import { createStreams } from '../../../src/domain/streams.ts'
import { parkedStreamOf } from '../../../src/domain/subscription-group.ts'
import { DEFAULT_GROUP_SETTINGS } from '../../../src/domain/subscription-settings.ts'
import { appendTo, bytesBody, draft, jsonBody } from '../../support/drafts.ts'
import { GROUP, ids, parkedLinks, recordOf, testGroups } from '../../support/groups.ts'

describe('parked messages', () => {
  const withParked = async (...numbers: readonly number[]) => {
    const groups = await testGroups()
    await groups.append(0, 1, 2, 3)
    await groups.fetch(4)
    for (const n of numbers) await groups.subscriptions.giveBack(GROUP, ids(n), 'park', 'ann')
    return groups
  }

  it('come back before new events when they are replayed, and not before', async () => {
    const groups = await withParked(3, 1)
    expect(await groups.fetch(10)).toEqual([])
    await groups.append(4)
    await groups.subscriptions.replayParked(GROUP)
    expect(await groups.subscriptions.fetch(GROUP, 10, 'ann')).toMatchObject([
      { number: 1, retryCount: 0 },
      { number: 3, retryCount: 0 },
      { number: 4, retryCount: 0 },
    ])
    const group = await groups.subscriptions.find(GROUP)
    expect(group && (await groups.subscriptions.parkedCount(group))).toBe(0)
  })

  it('are replayed in the order of parking, as many as are asked for', async () => {
    const groups = await withParked(3, 1, 2)
    await groups.subscriptions.replayParked(GROUP, 2)
    expect(await groups.fetch(1)).toEqual([3])
    expect(await groups.fetch(10)).toEqual([1])
    await groups.subscriptions.replayParked(GROUP, 0)
    expect(await groups.fetch(10)).toEqual([])
    await groups.subscriptions.replayParked(GROUP, 99)
    expect(await groups.fetch(10)).toEqual([2])
  })

  it('that were replayed are truncated from their stream, whatever else its metadata says', async () => {
    const groups = await withParked(3, 1)
    await groups.subscriptions.replayParked(GROUP)
    await groups.fetch(1)
    const metadata = streamSequence(`$$${parkedStreamOf(GROUP)}`)
    const written = await groups.log.readSequence(metadata, 0, 'forwards', 9)
    expect(written.map(({ event }) => parseStoredEvent(event).body)).toEqual([{ $tb: 1 }])
  })

  it('can be parked again after a replay', async () => {
    const groups = await withParked(3)
    await groups.subscriptions.replayParked(GROUP)
    expect(await groups.fetch(1)).toEqual([3])
    await groups.subscriptions.giveBack(GROUP, ids(3), 'park', 'ann')
    expect(await parkedLinks(groups)).toEqual(['3@orders', '3@orders'])
    await groups.subscriptions.replayParked(GROUP)
    expect(await groups.fetch(10)).toEqual([3])
  })

  it('of a group that was removed do not come back in a new one of its name', async () => {
    const groups = await withParked(3)
    await groups.subscriptions.remove(GROUP, 'ann')
    await groups.subscriptions.create(GROUP, { ...DEFAULT_GROUP_SETTINGS, startFrom: -1 })
    await groups.subscriptions.replayParked(GROUP)
    expect(await groups.fetch(10)).toEqual([])
  })

  it('that an operator deleted are not replayed, and what is parked later is', async () => {
    const groups = await withParked(3)
    const stream = parkedStreamOf(GROUP)
    const { writer } = createStreams(groups)
    const request = { stream, expectedVersion: { kind: 'any' }, createdBy: 'ann' } as const
    await writer.softDelete(request)
    const count = async () => {
      const group = await groups.subscriptions.find(GROUP)
      return group && groups.subscriptions.parkedCount(group)
    }
    expect(await count()).toBe(0)
    await groups.subscriptions.giveBack(GROUP, ids(1), 'park', 'ann')
    expect(await count()).toBe(1)
    await groups.subscriptions.replayParked(GROUP)
    expect(await groups.fetch(10)).toEqual([1])
    await writer.hardDelete(request)
    await groups.subscriptions.giveBack(GROUP, ids(1), 'park', 'ann')
    await groups.subscriptions.replayParked(GROUP)
    expect(await groups.fetch(10)).toEqual([])
    expect(await count()).toBe(0)
  })

  it('of events that can no longer be seen are passed over, the others offered once', async () => {
    const groups = await testGroups()
    await groups.append(0, 1, 2)
    await groups.fetch(3)
    await groups.subscriptions.giveBack(GROUP, ids(0, 1, 2), 'park', 'ann')
    const cut = { ...draft(90, { type: '$metadata' }), body: jsonBody('{"$tb":2}') }
    await groups.log.append(appendTo('$$orders', [cut]))
    await groups.subscriptions.replayParked(GROUP)
    expect(await groups.fetch(10)).toEqual([2])
    await groups.subscriptions.acknowledge(GROUP, ids(2))
    expect(await recordOf(groups)).toMatchObject({ messages: [], processed: 1 })
  })

  it('whose links somebody else wrote do no harm', async () => {
    const groups = await withParked(3)
    const link = (n: number, text: string) =>
      draft(n, { type: '$>', body: bytesBody('text/plain', Buffer.from(text)) })
    await groups.log.append(
      appendTo(parkedStreamOf(GROUP), [link(90, 'x'), link(91, '0@orders'), link(92, '77@orders')]),
    )
    await groups.subscriptions.replayParked(GROUP)
    expect(await groups.fetch(10)).toEqual([3])
    expect(await groups.fetch(10)).toEqual([])
  })
})
