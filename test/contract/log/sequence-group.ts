import { describe, expect, test } from 'vitest'
import {
  categorySequence,
  type SequenceKey,
  streamSequence,
  streamsSequence,
  streamTypeSequence,
  typeSequence,
} from '../../../src/domain/sequence.ts'
import { appendTo, draft } from '../../support/drafts.ts'
import type { Open } from './open.ts'

/** Stream and type of the events at the positions 0 to 8. */
const EVENTS: readonly (readonly [string, string])[] = [
  ['order-1', 'placed'],
  ['order-2', 'placed'],
  ['order-1', 'paid'],
  ['plain', 'placed'],
  ['order-1', 'paid'],
  ['$$order-1', '$metadata'],
  ['order-2', 'paid'],
  ['plain', 'noted'],
  ['order-1', 'shipped'],
]

/** The positions of the members of each view of `EVENTS`. */
const VIEWS: readonly (readonly [string, SequenceKey, readonly number[]])[] = [
  ['a stream', streamSequence('order-1'), [0, 2, 4, 8]],
  ['another stream', streamSequence('plain'), [3, 7]],
  ['a stream of metadata', streamSequence('$$order-1'), [5]],
  ['a stream and a type', streamTypeSequence('order-1', 'paid'), [2, 4]],
  ['a type', typeSequence('placed'), [0, 1, 3]],
  ['a type in several streams', typeSequence('paid'), [2, 4, 6]],
  ['a category', categorySequence('order'), [0, 1, 2, 4, 6, 8]],
  ['the streams', streamsSequence, [0, 1, 3, 5]],
]

const NOT_THERE: readonly SequenceKey[] = [
  streamSequence('order'),
  streamSequence('Order-1'),
  streamTypeSequence('plain', 'paid'),
  typeSequence('order-1'),
  categorySequence('plain'),
  categorySequence('order-1'),
]

/** The views of the log. */
export function sequenceGroup(open: Open): void {
  describe('sequences', () => {
    for (const [what, sequence, positions] of VIEWS) {
      test(`${what} has numbers of its own, without gaps`, async () => {
        const { store } = await openWithEvents(open)
        const members = await store.log.readSequence(sequence, 0, 'forwards', 100)
        expect(members.map(({ number }) => number)).toEqual([...positions.keys()])
        expect(members.map(({ event }) => event.position)).toEqual(positions)
        expect(await store.log.sequenceHead(sequence)).toEqual({
          number: positions.length - 1,
          position: positions.at(-1),
        })
        for (const [number, position] of positions.entries()) {
          expect(await store.log.sequenceNumber(sequence, position)).toBe(number)
        }
      })

      test(`${what} is read from any number, either way, to any limit`, async () => {
        const { store } = await openWithEvents(open)
        const numbers = [...positions.keys()]
        for (let from = 0; from <= positions.length + 2; from++) {
          for (const limit of [1, 2, 3, 100]) {
            const forwards = await store.log.readSequence(sequence, from, 'forwards', limit)
            expect(forwards.map(({ number }) => number)).toEqual(
              numbers.filter((n) => n >= from).slice(0, limit),
            )
            const backwards = await store.log.readSequence(sequence, from, 'backwards', limit)
            expect(backwards.map(({ number }) => number)).toEqual(
              numbers
                .toReversed()
                .filter((n) => n <= from)
                .slice(0, limit),
            )
            for (const { number, event } of [...forwards, ...backwards]) {
              expect(event.position).toBe(positions[number])
            }
          }
        }
      })
    }

    test('a sequence without members has no head and reads as nothing', async () => {
      const { store } = await openWithEvents(open)
      for (const sequence of NOT_THERE) {
        expect(await store.log.sequenceHead(sequence)).toBeUndefined()
        expect(await store.log.readSequence(sequence, 0, 'forwards', 10)).toEqual([])
        expect(await store.log.readSequence(sequence, 10, 'backwards', 10)).toEqual([])
      }
    })

    test('a view shows an event as soon as its append has answered', async () => {
      const { store } = await open()
      for (let n = 0; n < 20; n++) {
        await store.log.append(appendTo(`order-${n}`, [draft(n)]))
        for (const sequence of [typeSequence('x'), categorySequence('order'), streamsSequence]) {
          expect(await store.log.sequenceHead(sequence)).toEqual({ number: n, position: n })
        }
      }
    })

    test('members of a long sequence are found at both ends and in between', async () => {
      const { store } = await open()
      for (let batch = 0; batch < 10; batch++) {
        const events = Array.from({ length: 100 }, (_, n) => draft(batch * 100 + n))
        await store.log.append(appendTo(batch % 2 === 0 ? 'even' : 'odd', events))
      }
      for (const number of [0, 1, 63, 64, 99, 100, 255, 256, 257, 498, 499]) {
        const [member] = await store.log.readSequence(streamSequence('odd'), number, 'forwards', 1)
        const position = Math.floor(number / 100) * 200 + 100 + (number % 100)
        expect([member?.number, member?.event.position]).toEqual([number, position])
      }
    })
  })
}

async function openWithEvents(open: Open): ReturnType<Open> {
  const opened = await open()
  for (const [n, [stream, type]] of EVENTS.entries()) {
    await opened.store.log.append(appendTo(stream, [draft(n, { type })]))
  }
  return opened
}
