/**
 * Stores for tests. Whatever a test does, its store is verified when it ends: a test that leaves a broken
 * log or blob behind fails, even where it looked at something else.
 */
import { afterEach, expect } from 'vitest'
import type { Clock, ContentHash, Store } from '../../src/domain/ports.ts'

export type OpenOptions = { readonly clock: Clock }

/** A store that is open, and the way to close it and open it anew on the same data. */
export type OpenStore = {
  readonly store: Store
  reopen(): Promise<Store>
  /** Spoils what is stored of content behind the back of the store; only where something outlives it. */
  spoil?(hash: ContentHash, how: Spoiling): Promise<void>
  /** Closes it and removes its data. */
  close(): Promise<void>
}

/** The first byte is changed, or the last one is gone. */
export type Spoiling = 'changed' | 'cut'

/** One engine as the suites see it. */
export type Engine = {
  readonly name: string
  /** What is left after closing; groups that need more are left out for the reason given. */
  readonly persistence:
    | { readonly kind: 'durable' }
    | { readonly kind: 'none'; readonly reason: string }
  open(options: OpenOptions): Promise<OpenStore>
}

/** A clock that tells what it was set to. */
export type HandClock = { nowMs: number; now(): number }

/** 2020-01-01T00:00:00.000Z until it is set. */
export function handClock(nowMs = 1_577_836_800_000): HandClock {
  return {
    nowMs,
    now() {
      return this.nowMs
    },
  }
}

/** The store of one test; `store` is the one opened last. */
export type TestStore = {
  readonly store: Store
  readonly clock: HandClock
  reopen(): Promise<Store>
  spoil(hash: ContentHash, how: Spoiling): Promise<void>
}

/** Opens stores for the tests of the file or group it is called in; each is verified and closed after its test. */
export function verifiedStores(engine: Engine): () => Promise<TestStore> {
  const opened: OpenStore[] = []
  const current = new Map<OpenStore, Store>()
  afterEach(async () => {
    for (const open of opened.splice(0)) {
      await verifyStore(current.get(open) ?? open.store)
      await open.close()
    }
    current.clear()
  })
  return async () => {
    const clock = handClock()
    const open = await engine.open({ clock })
    opened.push(open)
    return {
      clock,
      get store() {
        return current.get(open) ?? open.store
      },
      async reopen() {
        const store = await open.reopen()
        current.set(open, store)
        return store
      },
      async spoil(hash, how) {
        if (!open.spoil) expect.fail('there is nothing to spoil')
        await open.spoil(hash, how)
      },
    }
  }
}

/** Fails where the verification of a store has anything to say. */
export async function verifyStore(store: Store): Promise<void> {
  const log = await store.log.verify()
  expect(log.findings, 'findings in the log').toEqual([])
  const { count } = await store.log.head()
  expect(log.counts['events'], 'events that were verified').toBe(count)
  const content = await store.content.verify()
  expect(content.findings, 'findings in the content').toEqual([])
}

/** Everything an iteration yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
