import { describe, expect, it } from 'vitest'
import { RequestRecord } from '../../../src/domain/broker/request-record.ts'
import type { TrackedRequest } from '../../../src/domain/broker/requests.ts'
import { StartQueue } from '../../../src/domain/broker/start-queue.ts'
import { uuid } from '../../support/drafts.ts'

function requestWith(failures: number, id = 1): TrackedRequest {
  const record = new RequestRecord({ retries: 9, timeout: 0 })
  for (let attempt = 0; attempt < failures; attempt++) {
    record.apply({ class: 'api-request', attempt })
    record.apply({ class: 'api-failure', attempt, failure: 'x' })
  }
  return { id, uuid: uuid(id) as TrackedRequest['uuid'], record }
}

describe('requests whose next attempt is to be started', () => {
  it('are ready at once without a backoff, in the order in which they came', () => {
    const queue = new StartQueue({ backoffMs: 0, jitter: 0 })
    const [one, two] = [requestWith(0), requestWith(3, 2)]
    queue.update(one, 1000)
    queue.update(two, 1000)
    expect(queue.peek(9, 0)).toEqual([one, two])
    expect(queue.peek(1, 0)).toEqual([one])
    expect(queue.nextDue).toBe(Number.POSITIVE_INFINITY)
  })

  it.each([
    [0, 0],
    [1, 100],
    [2, 200],
    [5, 1600],
  ])('after %i failures wait %i ms', (failures, waitMs) => {
    const queue = new StartQueue({ backoffMs: 100, jitter: 0 })
    const request = requestWith(failures)
    queue.update(request, 5000)
    expect(queue.peek(9, 5000 + waitMs - 1)).toEqual(waitMs === 0 ? [request] : [])
    expect(queue.peek(9, 5000 + waitMs)).toEqual([request])
  })

  it('are not told again as due when their time has come and there is no room', () => {
    const queue = new StartQueue({ backoffMs: 100, jitter: 0 })
    queue.update(requestWith(1), 0)
    queue.update(requestWith(2, 2), 0)
    expect(queue.nextDue).toBe(100)
    expect(queue.peek(0, 150)).toEqual([])
    expect(queue.nextDue).toBe(200)
    expect(queue.isEmpty).toBe(false)
  })

  it('wait a time that varies by request and attempt, within its bounds, and not by chance', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => {
      const queue = new StartQueue({ backoffMs: 1000, jitter: 0.5 })
      queue.update(requestWith(1, id), 0)
      return queue.nextDue
    })
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(500)
    expect(Math.max(...waits)).toBeLessThanOrEqual(1500)
    expect(new Set(waits).size).toBe(8)
    const again = new StartQueue({ backoffMs: 1000, jitter: 0.5 })
    again.update(requestWith(1, 3), 0)
    expect(again.nextDue).toBe(waits[2])
  })

  it('are gone when they are settled or taken away', () => {
    const queue = new StartQueue({ backoffMs: 0, jitter: 0 })
    const [one, two] = [requestWith(0), requestWith(0, 2)]
    queue.update(one, 0)
    queue.update(two, 0)
    one.record.apply({ class: 'api-response', attempt: 0, response: 'x' })
    queue.update(one, 0)
    queue.remove(two)
    expect(queue.isEmpty).toBe(true)
  })
})
