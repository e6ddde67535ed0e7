/** Folding from somewhere in the middle of a stream: what belongs in front of it, and what belongs nowhere. */
import { describe, expect, it } from 'vitest'
import { createBrokerStream } from '../../../src/domain/broker/broker-stream.ts'
import { type Change, Requests } from '../../../src/domain/broker/requests.ts'
import { parseStreamName } from '../../../src/domain/stream-name.ts'
import { createMemoryStore } from '../../../src/storage/memory/engine.ts'
import { handClock } from '../../support/store.ts'

const ONE_RETRY = { retries: 1, timeout: 0 }

/** Two requests that a run has called: 1 with an answer (3, 5), 2 without one (4); then an event of the cause `last`. */
async function changesBehind(start: number, last = 2): Promise<Change[]> {
  const { log } = createMemoryStore({ clock: handClock() })
  const stream = createBrokerStream(log, parseStreamName('broker'))
  for (const request of ['a', 'b']) {
    await stream.insert({ payload: { class: 'request', request }, causation: 0 })
  }
  for (const causation of [1, 2]) {
    await stream.insert({ payload: { class: 'api-request', attempt: 0 }, causation })
  }
  const answer = { class: 'api-response', attempt: 0, response: 'x' } as const
  for (const causation of [1, last]) await stream.insert({ payload: answer, causation })
  const requests = new Requests(start, ONE_RETRY)
  const changes: Change[] = []
  for await (const event of stream.load(start)) {
    changes.push(requests.take(event, Number(event.causation)))
  }
  return changes
}

describe('requests that are folded from the event', () => {
  it.each([
    [0, ['request', 'request', 'attempt', 'attempt', 'attempt', 'attempt']],
    [1, ['request', 'nothing', 'attempt', 'nothing', 'attempt']],
    [2, ['nothing', 'nothing', 'nothing', 'nothing']],
  ])('%i on: what belongs to a request in front of it means nothing', async (start, kinds) => {
    expect((await changesBehind(start)).map(({ kind }) => kind)).toEqual(kinds)
  })

  it.each([
    [0, 'no request that is open (0)'],
    [3, 'no request that is open (3)'],
    [99, 'no request that is open (99)'],
  ])('1 on: an answer to %i, which is no request, is told as such', async (last, reason) => {
    expect((await changesBehind(1, last)).at(-1)).toEqual({
      kind: 'ignored',
      reason: `api-response of ${reason}`,
    })
  })
})
