import { describe, expect, test } from 'vitest'
import type { EventHash } from '../../../src/domain/event.ts'
import {
  streamSequence,
  streamsSequence,
  streamTypeSequence,
  typeSequence,
} from '../../../src/domain/sequence.ts'
import { isKnown, LogState } from '../../../src/storage/database/log-state.ts'
import { appendTo, draft } from '../../support/drafts.ts'

const HEAD = 'a'.repeat(64) as EventHash
const OTHER = 'b'.repeat(64) as EventHash

function stateAt(hash: EventHash, stream: string, number: number): LogState {
  const state = new LogState({ count: 9, hash, createdAtMs: 5 })
  state.numbers.set(streamSequence(stream), number)
  state.streams.set(stream, { isDeleted: false })
  return state
}

describe('what is read of a log', () => {
  test('joins what was known of the same head', () => {
    const older = stateAt(HEAD, 'one', 3)
    older.events.set('one/x', () => ({ position: 1, hash: OTHER, json: Buffer.from('{}') }))
    const joined = stateAt(HEAD, 'two', 4).addedTo(older)
    expect([...joined.numbers]).toEqual([
      ['s/one', 3],
      ['s/two', 4],
    ])
    expect([...joined.streams.keys()]).toEqual(['one', 'two'])
    // Of events, only what was asked for now.
    expect([...joined.events]).toEqual([])
  })

  test('forgets what was known of another head', () => {
    const joined = stateAt(HEAD, 'two', 4).addedTo(stateAt(OTHER, 'one', 3))
    expect([...joined.numbers]).toEqual([['s/two', 4]])
    expect([...joined.streams.keys()]).toEqual(['two'])
  })

  test('forgets what was known once that is too much', () => {
    const older = stateAt(HEAD, 'one', 3)
    for (let n = 0; n < 20_000; n++) older.numbers.set(streamSequence(`s${n}`), 0)
    const joined = stateAt(HEAD, 'two', 4).addedTo(older)
    expect([...joined.numbers]).toEqual([['s/two', 4]])
  })

  test('serves a batch only where each stream and type in it was read', () => {
    const state = stateAt(HEAD, 'a-1', 3)
    const request = appendTo('a-1', [draft(0)])
    const type = request.events[0]?.eventType ?? ''
    const sequences = [streamTypeSequence('a-1', type), typeSequence(type), 'c/a', streamsSequence]
    const served = sequences.map((sequence) => {
      state.numbers.set(sequence as typeof streamsSequence, 0)
      return isKnown(state, [{ request }])
    })
    expect(served).toEqual([false, false, true, true])
    expect(isKnown(state, [{ request }, { request: appendTo('a-2', [draft(1)]) }])).toBe(false)
  })
})
