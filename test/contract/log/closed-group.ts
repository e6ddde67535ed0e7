import { describe, expect, test } from 'vitest'
import { TOMBSTONE_TYPE } from '../../../src/domain/event.ts'
import type { AppendRequest } from '../../../src/domain/ports.ts'
import { parseProducerId } from '../../../src/domain/producer.ts'
import { parseStreamName } from '../../../src/domain/stream-name.ts'
import { appendTo, draft, membersOf, textOf, uuid } from '../../support/drafts.ts'
import type { Open } from './open.ts'

const ANN = parseProducerId(uuid(1001))
const BOB = parseProducerId(uuid(1002))

const publish = (stream: string, n: number, producer = ANN): AppendRequest =>
  appendTo(stream, [draft(n)], { producer, claims: true })

const tombstone = (stream: string, n: number): AppendRequest =>
  appendTo(stream, [draft(n, { type: TOMBSTONE_TYPE })])

/** Streams that belong to somebody, and streams that are over. */
export function closedGroup(open: Open): void {
  const state = (store: Awaited<ReturnType<Open>>['store'], stream: string) =>
    store.log.streamState(parseStreamName(stream))

  describe('owned streams', () => {
    test('the first event that names a producer makes the stream its own, for ever', async () => {
      const { store } = await open()
      expect(await state(store, 's')).toEqual({ isDeleted: false })
      await store.log.append(appendTo('s', [draft(1)]))
      await store.log.append(appendTo('s', [draft(2)], { producer: BOB }))
      expect(await state(store, 's')).toEqual({ isDeleted: false })
      const { events } = await store.log.append(publish('s', 3))
      expect(membersOf(events[0])['producer']).toBe(ANN)
      expect(textOf(events[0])).toContain(`"body":{"n":3},"producer":"${ANN}","createdBy"`)
      expect(await state(store, 's')).toEqual({ owner: ANN, isDeleted: false })
      for (let n = 4; n < 40; n++) await store.log.append(publish('s', n))
      expect(await state(store, 's')).toEqual({ owner: ANN, isDeleted: false })
      expect(await state(store, 't')).toEqual({ isDeleted: false })
    })

    test('everybody else is refused, also with a retry, and nothing is stored', async () => {
      const { store } = await open()
      await store.log.append(publish('s', 1))
      for (const request of [
        publish('s', 2, BOB),
        publish('s', 1, BOB),
        appendTo('s', [draft(3)]),
        appendTo('s', [draft(1)]),
        appendTo('s', [draft(4)], { producer: BOB }),
        appendTo('s', [draft(5)], { expectedVersion: { kind: 'version', version: 7 } }),
      ]) {
        await expect(store.log.append(request)).rejects.toMatchObject({ code: 'stream-locked' })
      }
      expect((await store.log.head()).count).toBe(1)
    })

    test('the owner writes in any way, and other streams are free', async () => {
      const { store } = await open()
      await store.log.append(publish('s', 1))
      const plain = await store.log.append(appendTo('s', [draft(2)], { producer: ANN }))
      expect(membersOf(plain.events[0])).not.toHaveProperty('producer')
      await store.log.append(publish('t', 1, BOB))
      expect(await state(store, 's')).toMatchObject({ owner: ANN })
      expect(await state(store, 't')).toMatchObject({ owner: BOB })
    })

    test('a refused first event leaves no owner behind', async () => {
      const { store } = await open()
      const refused = { ...publish('s', 1), expectedVersion: { kind: 'stream-exists' } } as const
      await expect(store.log.append(refused)).rejects.toMatchObject({
        code: 'wrong-expected-version',
      })
      expect(await state(store, 's')).toEqual({ isDeleted: false })
      await store.log.append(publish('s', 2, BOB))
      expect(await state(store, 's')).toMatchObject({ owner: BOB })
    })

    test('of two producers at once one wins each stream', async () => {
      const { store } = await open()
      for (let round = 0; round < 50; round++) {
        const stream = `s-${round}`
        const settled = await Promise.allSettled([
          store.log.append(publish(stream, 2 * round, round % 2 === 0 ? ANN : BOB)),
          store.log.append(publish(stream, 2 * round + 1, round % 2 === 0 ? BOB : ANN)),
          store.log.append(appendTo(stream, [draft(2 * round + 200)], { producer: ANN })),
        ])
        const { owner } = await state(store, stream)
        const winners = settled.slice(0, 2).filter(({ status }) => status === 'fulfilled')
        expect(winners).toHaveLength(1)
        expect([ANN, BOB]).toContain(owner)
      }
    })
  })

  describe('ended streams', () => {
    test('a tombstone refuses whatever comes behind it, retries and owners too', async () => {
      const { store } = await open()
      await store.log.append(publish('s', 1))
      await store.log.append({ ...tombstone('s', 2), producer: ANN })
      expect(await state(store, 's')).toEqual({ owner: ANN, isDeleted: true })
      for (const request of [publish('s', 1), publish('s', 3), appendTo('s', [draft(4)])]) {
        await expect(store.log.append(request)).rejects.toMatchObject({ code: 'stream-deleted' })
      }
      expect((await store.log.head()).count).toBe(2)
    })

    test('a stream that never was can be ended', async () => {
      const { store } = await open()
      await store.log.append(tombstone('s', 1))
      expect(await state(store, 's')).toEqual({ isDeleted: true })
      await expect(store.log.append(appendTo('s', [draft(2)]))).rejects.toMatchObject({
        code: 'stream-deleted',
      })
    })

    test('appends that wait together with a tombstone come before it or not at all', async () => {
      const { store } = await open()
      const settled = await Promise.allSettled([
        store.log.append(appendTo('s', [draft(1)])),
        store.log.append(tombstone('s', 2)),
        store.log.append(appendTo('s', [draft(3)])),
      ])
      expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
      expect(await state(store, 's')).toEqual({ isDeleted: true })
    })
  })

  describe('waiting for more', () => {
    test('ends at once where there is more, and with the next append', async () => {
      const { store } = await open()
      const signal = new AbortController().signal
      await store.log.append(appendTo('s', [draft(1)]))
      await store.log.waitForMore(0, signal)
      const waiting = store.log.waitForMore(1, signal)
      await store.log.append(appendTo('s', [draft(2)]))
      await waiting
      expect((await store.log.head()).count).toBe(2)
    })

    test('ends when nobody waits any more', async () => {
      const { store } = await open()
      const control = new AbortController()
      const waiting = store.log.waitForMore(0, control.signal)
      control.abort()
      await waiting
      await store.log.waitForMore(0, control.signal)
      expect((await store.log.head()).count).toBe(0)
    })
  })
}
