import { describe, expect, test } from 'vitest'
import { appendTo, draft, membersOf } from '../../support/drafts.ts'
import { collect } from '../../support/store.ts'
import type { Open } from './open.ts'

const FIFTY = Array.from({ length: 50 }, (_, n) => n)

/** Appends that are under way at the same time. */
export function parallelGroup(open: Open): void {
  describe('parallel appends', () => {
    test('50 appends take the positions 0 to 49, one each', async () => {
      const { store } = await open()
      const outcomes = await Promise.all(
        FIFTY.map((n) => store.log.append(appendTo(`s-${n % 3}`, [draft(n)]))),
      )
      const positions = outcomes.map(({ events }) => events[0]?.position ?? -1)
      expect(positions.toSorted((a, b) => a - b)).toEqual(FIFTY)
      const bodies = (await collect(store.log.readLog(0, 50, 'forwards')))
        .flat()
        .map((event) => membersOf(event)['body'] as { n: number })
      expect(bodies.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(FIFTY)
    })

    test('of 50 appends that expect the same head one goes through', async () => {
      const { store } = await open()
      await store.log.append(appendTo('s', [draft(100)]))
      const { hash } = await store.log.head()
      const settled = await Promise.allSettled(
        FIFTY.map((n) => store.log.append(appendTo('s', [draft(n)], { expectedHead: hash }))),
      )
      const refused = settled.filter((outcome) => outcome.status === 'rejected')
      expect(refused.length).toBe(49)
      for (const { reason } of refused) expect(reason).toMatchObject({ code: 'head-mismatch' })
      expect((await store.log.head()).count).toBe(2)
    })

    test('of 50 appends that expect the same version one goes through', async () => {
      const { store } = await open()
      const settled = await Promise.allSettled(
        FIFTY.map((n) =>
          store.log.append(appendTo('s', [draft(n)], { expectedVersion: { kind: 'no-stream' } })),
        ),
      )
      const refused = settled.filter((outcome) => outcome.status === 'rejected')
      expect(refused.length).toBe(49)
      for (const { reason } of refused) {
        expect(reason).toMatchObject({ code: 'wrong-expected-version', facts: { current: 0 } })
      }
    })

    test('the same event sent 50 times at once is stored once', async () => {
      const { store } = await open()
      const outcomes = await Promise.all(
        FIFTY.map(() => store.log.append(appendTo('s', [draft(1)]))),
      )
      expect(outcomes.filter(({ kind }) => kind === 'appended').length).toBe(1)
      expect(new Set(outcomes.map(({ events }) => events[0]?.hash)).size).toBe(1)
      expect((await store.log.head()).count).toBe(1)
    })

    test('a batch stays together among other appends', async () => {
      const { store } = await open()
      const outcomes = await Promise.all(
        FIFTY.map((n) =>
          store.log.append(
            appendTo(
              `s-${n % 2}`,
              [0, 1, 2].map((i) => draft(n * 3 + i)),
            ),
          ),
        ),
      )
      for (const { events } of outcomes) {
        const first = events[0]?.position ?? -1
        expect(events.map((e) => e.position)).toEqual([first, first + 1, first + 2])
      }
    })

    test('a refused append does not hold up the ones behind it', async () => {
      const { store } = await open()
      const refused = store.log.append(
        appendTo('s', [draft(1)], { expectedVersion: { kind: 'stream-exists' } }),
      )
      const next = store.log.append(appendTo('s', [draft(2)]))
      await expect(refused).rejects.toMatchObject({ code: 'wrong-expected-version' })
      expect((await next).events[0]?.position).toBe(0)
    })
  })
}
