import { describe, expect, test } from 'vitest'
import {
  categoryOf,
  categorySequence,
  type SequenceMember,
  sequencesOf,
  streamSequence,
  streamsSequence,
  streamTypeSequence,
  typeSequence,
} from '../../src/domain/sequence.ts'

describe('categories', () => {
  test.each([
    ['order-1', 'order'],
    ['order-1-2', 'order'],
    ['order-', 'order'],
    ['$$order-1', '$$order'],
    ['order', undefined],
    ['-1', undefined],
    ['-', undefined],
  ])('the category of %s is %s', (stream, category) => {
    expect(categoryOf(stream)).toBe(category)
  })
})

describe('sequences of an event', () => {
  const member = (stream: string, version: number): SequenceMember => ({
    stream,
    eventType: 'paid',
    version,
  })

  test('the first event of a stream with a category is in five, its stream first', () => {
    expect(sequencesOf(member('order-1', 0))).toEqual([
      streamSequence('order-1'),
      streamTypeSequence('order-1', 'paid'),
      typeSequence('paid'),
      categorySequence('order'),
      streamsSequence,
    ])
  })

  test('a later event is not in the streams, and without a dash in no category', () => {
    expect(sequencesOf(member('plain', 1))).toEqual([
      streamSequence('plain'),
      streamTypeSequence('plain', 'paid'),
      typeSequence('paid'),
    ])
  })

  test('no name makes the key of one view stand for another', () => {
    const name = 'n'
    const keys = [
      streamSequence(name),
      streamTypeSequence(name, name),
      typeSequence(name),
      categorySequence(name),
      streamsSequence,
      streamSequence('s'),
      streamTypeSequence('a', 'bc'),
      streamTypeSequence('ab', 'c'),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })
})
