/** Every engine there is: one line each, and each runs through every suite. */
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import type { Engine } from '../support/store.ts'

const memory: Engine = {
  name: 'memory',
  persistence: { kind: 'none', reason: 'nothing outlives the store by design' },
  async open(options) {
    const store = createMemoryStore(options)
    return { store, reopen: async () => store, close: () => store.close() }
  },
}

export const engines: readonly Engine[] = [memory]
