/** The loop around a processor when its engine fails, and when it is stopped. */
import { describe, expect, it } from 'vitest'
import { AppError, type ErrorCode } from '../../../src/domain/app-error.ts'
import { createBrokerStream } from '../../../src/domain/broker/broker-stream.ts'
import { createCheckpoint } from '../../../src/domain/broker/checkpoint.ts'
import { createPresence } from '../../../src/domain/broker/presence.ts'
import type { ApiCall, ApiResult } from '../../../src/domain/broker/processor-ports.ts'
import { type ProcessorMode, runProcessor } from '../../../src/domain/broker/run-processor.ts'
import type { AppendRequest } from '../../../src/domain/ports.ts'
import { parseStreamName } from '../../../src/domain/stream-name.ts'
import { createMemoryStore } from '../../../src/storage/memory/engine.ts'
import { handClock } from '../../support/store.ts'

type Given = {
  readonly callApi?: (call: ApiCall) => Promise<ApiResult>
  /** What an append throws before it does anything. */
  readonly refuse?: (request: AppendRequest) => ErrorCode | undefined
  readonly requests?: number
}

const NAME = parseStreamName('broker')

/** A store with one request or more, a processor on it, and what that waits for and tells. */
async function opened(given: Given = {}) {
  const clock = handClock()
  const { log, records } = createMemoryStore({ clock })
  const stream = createBrokerStream(log, NAME)
  for (let n = 0; n < (given.requests ?? 1); n++) {
    await stream.insert({ payload: { class: 'request', request: `${n}` }, causation: 0 })
  }
  const failing = Object.assign(Object.create(log), {
    append: async (request: AppendRequest) => {
      const code = given.refuse?.(request)
      if (code) throw new AppError(code, 'refused by the test')
      return log.append(request)
    },
  })
  const pauses: number[] = []
  const told: string[] = []
  const stopping = new AbortController()
  const own = createBrokerStream(failing, NAME)
  const run = (mode: ProcessorMode) =>
    runProcessor(
      {
        stream: own,
        checkpoint: createCheckpoint(own, records),
        run: 'run',
        presence: createPresence(
          records,
          { own: { host: 'h', pid: 1, started: '1' }, isGone: () => false },
          'run',
        ),
        callApi: given.callApi ?? (async () => ({ kind: 'response', text: 'answer' })),
        clock,
        timers: {
          now: () => 0,
          after: (ms, wake) => {
            // The limit on the end of a run is no pause.
            if (ms !== 700) pauses.push(ms)
            const timer = ms === 700 ? undefined : setImmediate(wake)
            return () => clearImmediate(timer)
          },
        },
        report: (level, message) => told.push(`${level} ${message}`),
        options: {
          maxParallel: 2,
          callLimitMs: 1000,
          graceMs: 0,
          backoffMs: 0,
          jitter: 0,
          lateResponses: false,
        },
      },
      mode,
      stopping.signal,
    )
  const classes = async () => {
    const found: string[] = []
    for await (const { className } of stream.load(0)) found.push(className)
    return found
  }
  return { run, stopping, classes, pauses, told, records, log }
}

const typeOf = ({ events }: AppendRequest) => String(events[0]?.eventType)

describe('a processor whose requests lose their text', () => {
  it('leaves them alone and goes on with the others', async () => {
    const called: string[] = []
    let isFirst = true
    const test = await opened({
      requests: 5,
      callApi: async ({ text }) => {
        called.push(text)
        if (isFirst) {
          isFirst = false
          await test.log.scavenge((_, position) => position === 2 || position === 3)
        }
        return { kind: 'response', text: 'answer' }
      },
    })
    await test.run('until-idle')
    expect(called).toEqual(['0', '1', '4'])
  })
})

describe('a processor whose engine fails', () => {
  it('keeps the answer until it can be stored, waiting longer each time, and calls once', async () => {
    let calls = 0
    let refusals = 4
    const test = await opened({
      callApi: async () => {
        calls++
        return { kind: 'response', text: 'answer' }
      },
      refuse: (request) =>
        typeOf(request) === 'api-response' && refusals-- > 0 ? 'lock-timeout' : undefined,
    })
    await test.run('until-idle')
    expect(await test.classes()).toEqual(['request', 'api-request', 'api-response'])
    expect(calls).toBe(1)
    expect(test.pauses.filter((ms) => ms >= 200 && ms < 1000 * 30)).toEqual([200, 400, 800, 1600])
    expect(test.told.filter((line) => line.startsWith('error'))).toEqual(
      Array(4).fill('error refused by the test'),
    )
  })

  it('gives up after five failures in a row where it is to end', async () => {
    const test = await opened({ refuse: () => 'storage-full' })
    await expect(test.run('until-idle')).rejects.toMatchObject({ code: 'storage-full' })
    expect(test.pauses).toHaveLength(4)
    expect(await test.records.list('broker-run')).toEqual([])
  })

  it('ends at once where it fails for good, and lets go of its calls', async () => {
    let isAborted = false
    const test = await opened({
      requests: 2,
      callApi: async ({ text, signal }) => {
        if (text === '1') return { kind: 'failure', reason: 'no' }
        return new Promise(() => {
          signal.addEventListener('abort', () => {
            isAborted = true
          })
        })
      },
      refuse: (request) => (typeOf(request) === 'api-failure' ? 'stream-deleted' : undefined),
    })
    const running = test.run('for-ever')
    await expect(running).rejects.toMatchObject({ code: 'stream-deleted' })
    expect(isAborted).toBe(true)
  })

  it('is stopped while it waits for the engine', async () => {
    const test = await opened({ refuse: () => 'storage-unavailable' })
    const running = test.run('for-ever')
    while (test.told.length < 6) await new Promise(setImmediate)
    test.stopping.abort()
    await running
    expect(await test.classes()).toEqual(['request'])
  })
})

describe('a processor that is stopped', () => {
  it('does nothing where that was before it began', async () => {
    const test = await opened()
    test.stopping.abort()
    await test.run('for-ever')
    expect(await test.classes()).toEqual(['request'])
  })

  it('takes a failure of the caller for one of the call', async () => {
    const test = await opened({
      callApi: async () => {
        throw new Error('no such thing')
      },
    })
    await test.run('until-idle')
    expect(await test.classes()).toEqual(['request', 'api-request', 'api-failure'])
  })
})
