/**
 * Counts of wrong passwords in a fixed number of documents, shared by all processes. Two that write the same
 * one at once may lose a count, which costs an attacker's patience and nobody's data.
 */
import { AppError } from '../../domain/app-error.ts'
import type { AttemptCounter, AttemptKey } from '../../domain/throttle.ts'
import type { Connection } from './connection.ts'

const SLOTS_OF_A_KIND = 2048

export function createMongoAttempts(connection: Connection): AttemptCounter {
  return {
    read: async (key) => {
      const filter = { _id: slotOf(key), hash: key.hash }
      const found = await orNone(connection.read(({ attempts }) => attempts.findOne(filter)))
      if (!found) return undefined
      const { failures, lastFailureMs, lastSuccessMs } = found
      return { failures, lastFailureMs, lastSuccessMs }
    },
    write: async (key, { failures, lastFailureMs, lastSuccessMs }) => {
      const document = { hash: key.hash, failures, lastFailureMs, lastSuccessMs }
      await orNone(
        connection.change(({ attempts }) =>
          attempts.replaceOne({ _id: slotOf(key) }, document, { upsert: true }),
        ),
      )
    },
  }
}

const slotOf = ({ kind, hash }: AttemptKey): string =>
  `${kind}/${Number.parseInt(hash.slice(0, 8), 16) % SLOTS_OF_A_KIND}`

/** Signing in must work on a database that takes no changes. */
async function orNone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof AppError) return undefined
    throw error
  }
}
