import { expect, test } from 'vitest'
import { type SequenceKey, streamSequence } from '../../../src/domain/sequence.ts'
import { KnownSequences } from '../../../src/storage/file/known-sequences.ts'

const HALF = 8192
const key = (name: string, n: number): SequenceKey => streamSequence(`${name}-${n}`)

test('what was found is not dropped by the next that is taken in, however many are used', () => {
  const known = new KnownSequences()
  for (let n = 0; n < HALF; n++) known.keep(key('a', n), 0, n, HALF)
  for (let n = 0; n < HALF; n++) known.keep(key('b', n), 0, n, HALF)
  for (let n = 0; n < 3 * HALF; n++) {
    const found = known.find(key('a', n % HALF)) ?? known.keep(key('a', n % HALF), 0, 1, HALF)
    const next = known.keep(key('c', n), 0, n, HALF)
    expect([found.isDropped, next.isDropped]).toEqual([false, false])
  }
})

test('what was dropped is not found, and says so', () => {
  const known = new KnownSequences()
  const first = known.keep(key('a', 0), 0, 0, 1)
  const pending = known.keep(key('a', 1), 0, 1, 1)
  for (let n = 0; n < 4 * HALF; n++) known.keep(key('b', n), -1, -1, 1)
  expect(known.find(key('a', 0))).toBeUndefined()
  expect(first.isDropped).toBe(true)
  expect(known.find(key('a', 1))).toBe(pending)
  expect(pending.isDropped).toBe(false)
})

test('the sequences of an event are no longer known once one of them was dropped', () => {
  const known = new KnownSequences()
  const own = known.keep(key('a', 0), 0, 0, 1)
  const other = known.keep(key('a', 1), 0, 0, 1)
  known.noteMembers('a', 'x', [own, other])
  known.noteMembers('a', 'y', [own])
  expect(known.membersOf('a', 'x')).toEqual([own, other])
  for (let n = 0; n < 4 * HALF; n++) {
    known.keep(key('b', n), -1, -1, 1)
    known.find(own.key)
  }
  expect(known.membersOf('a', 'x')).toBeUndefined()
  expect(known.membersOf('a', 'y')).toEqual([own])
  expect(known.ofStream('a')).toBe(own)
  const again = known.keep(other.key, 0, 0, 1)
  known.noteMembers('a', 'x', [own, again])
  expect(known.membersOf('a', 'x')).toEqual([own, again])
})
