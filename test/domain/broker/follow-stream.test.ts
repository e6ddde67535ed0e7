/** Whoever watches a stream while its engine fails now and then. */
import { describe, expect, it } from 'vitest'
import { AppError, type ErrorCode } from '../../../src/domain/app-error.ts'
import { createBrokerStream } from '../../../src/domain/broker/broker-stream.ts'
import { followStream } from '../../../src/domain/broker/follow-stream.ts'
import type { LogEngine } from '../../../src/domain/ports.ts'
import { parseStreamName } from '../../../src/domain/stream-name.ts'
import { createMemoryStore } from '../../../src/storage/memory/engine.ts'
import { handClock } from '../../support/store.ts'

const NAME = parseStreamName('broker')
const SIMPLE = { class: 'simple', message: 'x' } as const

type Call = 'head' | 'readSequence' | 'waitForMore' | 'findEventId'

/** A store, and a stream on it that throws what `refuse` says before a call does anything. */
function opened(refuse: (call: Call) => ErrorCode | undefined) {
  const { log } = createMemoryStore({ clock: handClock() })
  const failing: LogEngine = Object.create(log)
  for (const name of ['head', 'readSequence', 'waitForMore', 'findEventId'] as const) {
    const refusing = async (...words: readonly unknown[]) => {
      const code = refuse(name)
      if (code) throw new AppError(code, `${name} is refused`)
      return (log[name] as (...words: readonly unknown[]) => Promise<unknown>)(...words)
    }
    Object.assign(failing, { [name]: refusing })
  }
  const pauses: number[] = []
  const told: string[] = []
  const stopping = new AbortController()
  const followed = (after = 0) =>
    followStream(
      createBrokerStream(failing, NAME),
      after,
      {
        timers: {
          after: (ms, wake) => {
            pauses.push(ms)
            const timer = setImmediate(wake)
            return () => clearImmediate(timer)
          },
        },
        report: (level, message, facts) => told.push(`${level} ${message} ${facts?.['code']}`),
      },
      stopping.signal,
    )
  const insert = (about: Readonly<Record<string, string>> = {}) =>
    createBrokerStream(log, NAME).insert({ payload: SIMPLE, causation: 0, about })
  return { followed, insert, stopping, pauses, told }
}

/** True two times of three. */
const twoOfThree = () => {
  let calls = 0
  return () => ++calls % 3 !== 0
}

describe('a stream is followed behind failures that pass', () => {
  it.each(['head', 'readSequence', 'waitForMore'] as const)(
    'of %s: each event comes once and in order',
    async (name) => {
      const fails = twoOfThree()
      const test = opened((call) => (call === name && fails() ? 'storage-unavailable' : undefined))
      for (let n = 0; n < 300; n++) await test.insert()
      const ids: number[] = []
      for await (const { event } of test.followed(2)) {
        ids.push(event.id)
        if (event.id >= 300 && event.id < 310) await test.insert()
        if (event.id === 310) test.stopping.abort()
      }
      expect(ids).toEqual(Array.from({ length: 308 }, (_, n) => n + 3))
    },
  )

  it('of the search for what caused an event', async () => {
    let isFirst = true
    const test = opened((call) => {
      if (call !== 'findEventId' || !isFirst) return undefined
      isFirst = false
      return 'storage-unavailable'
    })
    const { uuid } = await test.insert()
    await test.insert({ $causationId: uuid })
    const causes: number[] = []
    for await (const { event, cause } of test.followed()) {
      causes.push(cause)
      if (event.id === 2) test.stopping.abort()
    }
    expect(causes).toEqual([0, 1])
    expect(test.told).toEqual(['error findEventId is refused storage-unavailable'])
  })

  it('waiting longer each time, and as at first once all was well', async () => {
    const outages = [4, 0, 2]
    let left = outages.shift() ?? 0
    const test = opened((call) => {
      if (call !== 'head') return undefined
      if (left > 0) {
        left--
        return 'storage-unavailable'
      }
      left = outages.shift() ?? 0
      return undefined
    })
    await test.insert()
    const seen: number[] = []
    const done = (async () => {
      for await (const { event } of test.followed()) {
        seen.push(event.id)
        if (seen.length === 3) test.stopping.abort()
      }
    })()
    for (const count of [1, 2]) {
      while (seen.length < count) await new Promise(setImmediate)
      await test.insert()
    }
    await done
    expect(seen).toEqual([1, 2, 3])
    expect(test.pauses).toEqual([200, 400, 800, 1600, 200, 400])
    expect(test.told).toEqual(Array(6).fill('error head is refused storage-unavailable'))
  })
})

describe('a stream is no longer followed', () => {
  it('where the engine fails for good', async () => {
    const test = opened((call) => (call === 'readSequence' ? 'log-damaged' : undefined))
    await expect(test.followed().next()).rejects.toMatchObject({ code: 'log-damaged' })
    expect(test.pauses).toEqual([])
  })

  it('where the signal is aborted while the engine fails', async () => {
    const test = opened(() => 'storage-unavailable')
    const ended = test.followed().next()
    while (test.told.length < 3) await new Promise(setImmediate)
    test.stopping.abort()
    expect(await ended).toMatchObject({ done: true })
  })
})
