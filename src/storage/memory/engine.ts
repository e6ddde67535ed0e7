/**
 * The memory engine: the whole contract with nothing behind it, for tests and for `memory:`. It is the
 * shortest correct reading of `domain/ports.ts`, the yardstick the other engines are compared with.
 */
import type { Clock, Store } from '../../domain/ports.ts'
import { type SequenceRule, sequencesOf } from '../../domain/sequence.ts'
import { MemoryContent } from './content.ts'
import { MemoryLog } from './log.ts'
import { MemoryRecords } from './records.ts'

export type MemoryStoreOptions = {
  readonly clock: Clock
  /** How events sort into sequences; the views of the log by default. */
  readonly sequenceRule?: SequenceRule
}

/** An empty store that lasts as long as the object does. */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  const log = new MemoryLog(options.clock, options.sequenceRule ?? sequencesOf)
  const records = new MemoryRecords()
  const content = new MemoryContent(options.clock)
  return {
    log,
    records,
    content,
    async close() {
      await log.close()
      await records.close()
    },
  }
}
