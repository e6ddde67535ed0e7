import { describe, expect, it } from 'vitest'
import type { AttemptPayload } from '../../../src/domain/broker/event-classes.ts'
import {
  type AttemptState,
  configured,
  FIRST_CONFIGURATION,
  RequestRecord,
} from '../../../src/domain/broker/request-record.ts'

const start = (attempt: number): AttemptPayload => ({ class: 'api-request', attempt })
const response = (attempt: number): AttemptPayload => ({
  class: 'api-response',
  attempt,
  response: 'x',
})
const failure = (attempt: number): AttemptPayload => ({
  class: 'api-failure',
  attempt,
  failure: 'x',
})
const timeout = (attempt: number): AttemptPayload => ({ class: 'api-timeout', attempt })

function recordOf(events: readonly AttemptPayload[], retries = 1): RequestRecord {
  const record = new RequestRecord({ retries, timeout: 0 })
  for (const event of events) record.apply(event)
  return record
}

const statesOf = (record: RequestRecord): AttemptState[] =>
  Array.from({ length: record.attempts }, (_, attempt) => record.stateOf(attempt))

describe('the record of a request with one retry', () => {
  it.each([
    [[], ['initial', 'initial'], 0, false, 'pending'],
    [[start(0)], ['pending', 'initial'], 1, false, 'pending'],
    [[start(0), response(0)], ['success', 'initial'], 1, true, 'success'],
    [[start(0), failure(0)], ['failure', 'initial'], 1, false, 'pending'],
    [[start(0), timeout(0)], ['timeout', 'initial'], 1, false, 'pending'],
    [[start(0), failure(0), start(1), response(1)], ['failure', 'success'], 2, true, 'success'],
    [[start(0), failure(0), start(1), failure(1)], ['failure', 'failure'], 2, false, 'failure'],
    [[start(0), timeout(0), start(1), timeout(1)], ['timeout', 'timeout'], 2, false, 'timeout'],
    [[start(0), timeout(0), start(1), response(0)], ['success', 'pending'], 2, true, 'success'],
  ])('is after %j: %j, next %i, succeeded %s, %s', (events, states, next, succeeded, overall) => {
    const record = recordOf(events)
    expect(statesOf(record)).toEqual(states)
    expect(record.next).toBe(next)
    expect(record.hasSucceeded).toBe(succeeded)
    expect(record.overall).toBe(overall)
  })

  it.each([
    ['a failure after a success', [start(0), response(0)], failure(0)],
    ['a timeout after a success', [start(0), response(0)], timeout(0)],
    ['a timeout after a failure', [start(0), failure(0)], timeout(0)],
    ['a timeout of an attempt that was not started', [], timeout(0)],
    ['a second start', [start(0)], start(0)],
    ['an attempt that it does not have', [start(0)], response(7)],
  ])('is not changed by %s', (_, events, event) => {
    const record = recordOf(events)
    const before = statesOf(record)
    expect(record.apply(event)).toBe(false)
    expect(statesOf(record)).toEqual(before)
  })

  it('takes a failure after a timeout, as the table says', () => {
    expect(statesOf(recordOf([start(0), timeout(0), failure(0)]))).toEqual(['failure', 'initial'])
  })
})

describe('the attempt that is to be started', () => {
  it.each([
    ['the first one', [], 0],
    ['none while one is pending', [start(0)], undefined],
    ['the one after a failure', [start(0), failure(0)], 1],
    ['the one after a timeout', [start(0), timeout(0)], 1],
    ['none after a success', [start(0), response(0)], undefined],
    ['none after a late success', [start(0), timeout(0), response(0)], undefined],
    ['none beyond the retries', [start(0), failure(0), start(1), failure(1)], undefined],
  ])('is %s', (_, events, expected) => {
    expect(recordOf(events).startable).toBe(expected)
  })

  it('costs nothing to find among as many retries as there can be', () => {
    const record = recordOf([start(0), failure(0)], 2_147_483_647)
    expect(record.startable).toBe(1)
    expect(record.overall).toBe('pending')
  })
})

describe('a configuration', () => {
  it('changes what is not negative', () => {
    const first = configured(FIRST_CONFIGURATION, { retries: 2, timeout: 3 })
    expect(first).toEqual({ retries: 2, timeout: 3 })
    expect(configured(first, { retries: -1, timeout: -1 })).toEqual(first)
    expect(configured(first, { retries: 0, timeout: -1 })).toEqual({ retries: 0, timeout: 3 })
    expect(configured(first, { retries: -1, timeout: 0 })).toEqual({ retries: 2, timeout: 0 })
  })
})
