import { describe, expect, test } from 'vitest'
import { EMPTY_HASH, type EventHash } from '../../../src/domain/event.ts'
import type { ExpectedVersion } from '../../../src/domain/ports.ts'
import { appendTo, draft, membersOf } from '../../support/drafts.ts'
import type { Open } from './open.ts'

const OTHER_HASH = 'f'.repeat(64) as EventHash

/** `passes` is said for a stream without events and for one with events 0 and 1. */
const EXPECTATIONS: readonly {
  readonly expected: ExpectedVersion
  readonly whenMissing: boolean
  readonly whenTwoEvents: boolean
}[] = [
  { expected: { kind: 'any' }, whenMissing: true, whenTwoEvents: true },
  { expected: { kind: 'no-stream' }, whenMissing: true, whenTwoEvents: false },
  { expected: { kind: 'stream-exists' }, whenMissing: false, whenTwoEvents: true },
  { expected: { kind: 'version', version: 0 }, whenMissing: false, whenTwoEvents: false },
  { expected: { kind: 'version', version: 1 }, whenMissing: false, whenTwoEvents: true },
  { expected: { kind: 'version', version: 2 }, whenMissing: false, whenTwoEvents: false },
]

/** When an append goes through, and that it does so whole. */
export function appendGroup(open: Open): void {
  describe('append', () => {
    for (const { expected, whenMissing, whenTwoEvents } of EXPECTATIONS) {
      const what = Object.values(expected).join(' ')
      const cases = [
        { state: 'a missing stream', before: [], passes: whenMissing, current: -1 },
        { state: 'two events', before: [draft(1), draft(2)], passes: whenTwoEvents, current: 1 },
      ]
      for (const { state, before, passes, current } of cases) {
        test(`expecting "${what}" is ${passes ? 'met' : 'refused'} by ${state}`, async () => {
          const { store } = await open()
          await store.log.append(appendTo('other', [draft(7)]))
          if (before.length > 0) await store.log.append(appendTo('s', before))
          const head = await store.log.head()
          const attempt = store.log.append(
            appendTo('s', [draft(3), draft(4)], { expectedVersion: expected }),
          )
          if (passes) {
            const { kind, events } = await attempt
            expect(kind).toBe('appended')
            expect(events.map((e) => membersOf(e)['version'])).toEqual([current + 1, current + 2])
            expect((await store.log.head()).count).toBe(head.count + 2)
          } else {
            await expect(attempt).rejects.toMatchObject({
              code: 'wrong-expected-version',
              facts: { current },
            })
            expect(await store.log.head()).toEqual(head)
          }
        })
      }
    }

    test('the expected head is met by the hash of nothing on an empty log', async () => {
      const { store } = await open()
      const { kind } = await store.log.append(
        appendTo('s', [draft(1)], { expectedHead: EMPTY_HASH }),
      )
      expect(kind).toBe('appended')
    })

    test('the expected head is met by the hash of the last event, of whatever stream', async () => {
      const { store } = await open()
      await store.log.append(appendTo('s', [draft(1), draft(2)]))
      const { hash } = await store.log.head()
      const { kind } = await store.log.append(appendTo('t', [draft(3)], { expectedHead: hash }))
      expect(kind).toBe('appended')
    })

    test('another head than the expected one refuses the append', async () => {
      const { store } = await open()
      const { events } = await store.log.append(appendTo('s', [draft(1), draft(2)]))
      const head = await store.log.head()
      for (const stale of [EMPTY_HASH, events[0]?.hash as EventHash, OTHER_HASH]) {
        const attempt = store.log.append(appendTo('s', [draft(3)], { expectedHead: stale }))
        await expect(attempt).rejects.toMatchObject({
          code: 'head-mismatch',
          facts: { expected: stale, head: head.hash },
        })
      }
      expect(await store.log.head()).toEqual(head)
    })

    test('a refused batch leaves nothing of itself behind', async () => {
      const { store } = await open()
      await store.log.append(appendTo('s', [draft(1)]))
      const batch = [draft(2), draft(3), draft(4)]
      const refused = store.log.append(
        appendTo('s', batch, { expectedVersion: { kind: 'no-stream' } }),
      )
      await expect(refused).rejects.toMatchObject({ code: 'wrong-expected-version' })
      expect(await store.log.read(1)).toBeUndefined()
      const { stream } = appendTo('s', [])
      for (const { eventId } of batch) {
        expect(await store.log.findEventId(stream, eventId)).toBeUndefined()
      }
      const { kind, events } = await store.log.append(appendTo('s', batch))
      expect([kind, events.map((e) => e.position)]).toEqual(['appended', [1, 2, 3]])
    })

    test('a batch of 5,000 events is stored whole, in order', async () => {
      const { store } = await open()
      const batch = Array.from({ length: 5000 }, (_, n) => draft(n))
      const { events } = await store.log.append(appendTo('bulk-1', batch))
      expect(events.length).toBe(5000)
      expect((await store.log.head()).count).toBe(5000)
      const last = membersOf(await store.log.read(4999))
      expect([last['version'], last['body']]).toEqual([4999, { n: 4999 }])
    })
  })
}
