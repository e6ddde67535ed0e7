import { describe, expect, test } from 'vitest'
import { parseEventId } from '../../../src/domain/event.ts'
import type { Store } from '../../../src/domain/ports.ts'
import { appendTo, draft, membersOf, textOf, uuid } from '../../support/drafts.ts'
import type { Open } from './open.ts'

const COUNT = 1200

/** The log read in runs. */
export function readGroup(open: Open): void {
  describe('reading the log', () => {
    test('any bounds give just the positions between them, either way', async () => {
      const { store } = await openWithMany(open)
      const bounds = [
        [0, COUNT],
        [0, 0],
        [0, 1],
        [1, 2],
        [7, 7],
        [99, 101],
        [250, 777],
        [COUNT - 1, COUNT],
        [COUNT, COUNT],
        [900, 100],
      ] as const
      for (const [from, to] of bounds) {
        const expected = Array.from({ length: Math.max(to - from, 0) }, (_, n) => from + n)
        expect(await positionsOf(store, from, to, 'forwards')).toEqual(expected)
        expect(await positionsOf(store, from, to, 'backwards')).toEqual(expected.toReversed())
      }
    })

    test('bounds beyond the head end at the head', async () => {
      const { store } = await openWithMany(open)
      expect(await positionsOf(store, COUNT - 2, COUNT + 5, 'forwards')).toEqual([1198, 1199])
      expect(await positionsOf(store, COUNT - 2, COUNT + 5, 'backwards')).toEqual([1199, 1198])
      expect(await positionsOf(store, COUNT + 3, COUNT + 5, 'forwards')).toEqual([])
      expect(await store.log.read(COUNT)).toBeUndefined()
    })

    test('an empty log reads as nothing', async () => {
      const { store } = await open()
      expect(await positionsOf(store, 0, 0, 'forwards')).toEqual([])
      expect(await positionsOf(store, 0, 10, 'backwards')).toEqual([])
    })

    test('the events of the runs are those that are read one by one', async () => {
      const { store } = await openWithMany(open)
      for (const direction of ['forwards', 'backwards'] as const) {
        for await (const run of store.log.readLog(350, 420, direction)) {
          // Copied at once: what a run shows is valid until the next one.
          const copies = run.map((event) => ({ ...event, text: textOf(event) }))
          for (const { position, hash, text } of copies) {
            const one = await store.log.read(position)
            expect([one?.hash, textOf(one)]).toEqual([hash, text])
            expect(membersOf(one)['position']).toBe(position)
          }
        }
      }
    })

    test('an event is found by its id alone, whatever its stream', async () => {
      const { log } = (await openWithMany(open)).store
      const find = (n: number) => log.findEventIdAnywhere(parseEventId(uuid(n)))
      for (const n of [0, 1, 599, COUNT - 1]) expect(await find(n)).toBe(n)
      expect(await find(COUNT)).toBeUndefined()
    })

    test('an id that many streams have finds one of their events', async () => {
      const { store } = await open()
      await store.log.append(appendTo('other', [draft(7)]))
      for (let n = 0; n < 40; n++) await store.log.append(appendTo(`s${n}`, [draft(1)]))
      const position = await store.log.findEventIdAnywhere(parseEventId(uuid(1)))
      expect(position).toBeGreaterThanOrEqual(1)
      expect(position).toBeLessThanOrEqual(40)
      expect(await store.log.findEventIdAnywhere(parseEventId(uuid(7)))).toBe(0)
    })

    test('reading may stop at any run', async () => {
      const { store } = await openWithMany(open)
      for await (const run of store.log.readLog(0, COUNT, 'forwards')) {
        expect(run[0]?.position).toBe(0)
        break
      }
      expect((await store.log.append(appendTo('s', [draft(COUNT)]))).kind).toBe('appended')
    })

    test('a reader sees its bounds though the log grows meanwhile', async () => {
      const { store } = await openWithMany(open)
      const seen: number[] = []
      let n = COUNT
      for await (const run of store.log.readLog(0, COUNT, 'forwards')) {
        seen.push(...run.map(({ position }) => position))
        await store.log.append(appendTo('late', [draft(n++)]))
      }
      expect(seen.length).toBe(COUNT)
      expect(seen.at(-1)).toBe(COUNT - 1)
    })
  })
}

async function openWithMany(open: Open): ReturnType<Open> {
  const opened = await open()
  for (let at = 0; at < COUNT; at += 150) {
    const events = Array.from({ length: 150 }, (_, n) => draft(at + n))
    await opened.store.log.append(appendTo(`s-${at % 4}`, events))
  }
  return opened
}

async function positionsOf(
  store: Store,
  from: number,
  to: number,
  direction: 'forwards' | 'backwards',
): Promise<number[]> {
  const positions: number[] = []
  for await (const run of store.log.readLog(from, to, direction)) {
    positions.push(...run.map(({ position }) => position))
  }
  return positions
}
