/** One Apache for the tests of a `describe`, whose store is verified when they are through. */
import { afterAll, beforeAll, expect } from 'vitest'
import { type Apache, type ApacheOptions, startApache } from './apache.ts'
import { run } from './executable.ts'

/** Starts before the first test, verifies and stops after the last one; returns how to get at it. */
export function useApache(options: ApacheOptions): () => Apache {
  let apache: Apache | undefined
  beforeAll(async () => {
    apache = await startApache(options)
  })
  afterAll(async () => {
    if (apache === undefined) return
    try {
      await expectClean(apache)
    } finally {
      await apache.stop()
    }
  })
  return () => {
    if (apache === undefined) throw new Error('Apache is not running')
    return apache
  }
}

/** The store verifies: no damage, nothing to repair. */
export async function expectClean(apache: Apache): Promise<void> {
  const verify = await run(apache.program, ['verify', '--json', '--data', apache.dataFolder], {
    user: apache.user,
  })
  expect(verify, verify.out + verify.err).toMatchObject({ status: 0 })
}

/** How many events the log holds. */
export async function countEvents(apache: Apache): Promise<number> {
  const newest = await apache.send('/events?order=desc&limit=1')
  expect(newest.status, newest.text).toBe(200)
  const [event] = JSON.parse(newest.text) as { position: number }[]
  return event === undefined ? 0 : event.position + 1
}

/** The `code` of an error in Apie's shape. */
export function errorCode(text: string): unknown {
  const error = JSON.parse(text) as { status?: unknown; code?: unknown }
  expect(error.status, text).toBe('error')
  return error.code
}

/** Waits until `holds` does, looking often; fails after `limitMs`. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  limitMs: number,
): Promise<void> {
  const deadline = Date.now() + limitMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not so after ${limitMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Calls `work` on every item, `width` at a time. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index] as T, index)
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
  return results
}
