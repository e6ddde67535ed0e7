import type { AttemptCounter, Attempts } from '../../domain/throttle.ts'

/** As many keys of a kind as the slots of the file engine; the oldest go first. */
const MOST = 2048

/** Counts of wrong passwords that last as long as the process does. */
export function createMemoryAttempts(): AttemptCounter {
  const kinds = { network: new Map<string, Attempts>(), account: new Map<string, Attempts>() }
  return {
    read: ({ kind, hash }) => kinds[kind].get(hash),
    write({ kind, hash }, attempts) {
      const counted = kinds[kind]
      counted.delete(hash)
      counted.set(hash, attempts)
      const [oldest] = counted.keys()
      if (counted.size > MOST && oldest !== undefined) counted.delete(oldest)
    },
  }
}
