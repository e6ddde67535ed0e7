/**
 * Counts of wrong passwords in a fixed number of rows, shared by all processes. Two that write the same row
 * at once may lose a count, which costs an attacker's patience and nobody's data.
 */
import { AppError } from '../../domain/app-error.ts'
import type { AttemptCounter, AttemptKey } from '../../domain/throttle.ts'
import type { Connection, Row, Statement } from './connection.ts'

const SLOTS_OF_A_KIND = 2048

const READ: Statement = {
  name: 'read-attempts',
  text: `SELECT failures, last_failure_ms, last_success_ms FROM apie_attempt
    WHERE kind = $1::text AND slot = $2::integer AND hash = $3::text ORDER BY slot`,
}
const WRITE: Statement = {
  name: 'write-attempts',
  text: `INSERT INTO apie_attempt VALUES ($1::text, $2::integer, $3::text, $4::bigint, $5::bigint, $6::bigint)
    ON CONFLICT (kind, slot) DO UPDATE SET hash = $3::text, failures = $4::bigint,
      last_failure_ms = $5::bigint, last_success_ms = $6::bigint`,
}

export function createPostgresAttempts({ read, change }: Connection): AttemptCounter {
  return {
    read: async (key) => {
      const [row] = await orNone(read(READ, keyValues(key)))
      return (
        row && {
          failures: Number(row['failures']),
          lastFailureMs: Number(row['last_failure_ms']),
          lastSuccessMs: Number(row['last_success_ms']),
        }
      )
    },
    write: async (key, { failures, lastFailureMs, lastSuccessMs }) => {
      await orNone(change(WRITE, [...keyValues(key), failures, lastFailureMs, lastSuccessMs]))
    },
  }
}

const keyValues = ({ kind, hash }: AttemptKey): readonly unknown[] => [
  kind,
  Number.parseInt(hash.slice(0, 8), 16) % SLOTS_OF_A_KIND,
  hash,
]

/** Signing in must work on a database that takes no changes. */
async function orNone(rows: Promise<readonly Row[]>): Promise<readonly Row[]> {
  try {
    return await rows
  } catch (error) {
    if (error instanceof AppError) return []
    throw error
  }
}
