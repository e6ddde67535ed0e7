/** The store in a PostgreSQL database: log, records and content over one pool of connections. */
import { AppError } from '../../domain/app-error.ts'
import type { Clock, Store } from '../../domain/ports.ts'
import type { SetupToken } from '../../domain/setup.ts'
import type { AttemptCounter } from '../../domain/throttle.ts'
import { createPostgresAttempts } from './attempts.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { PostgresContent } from './content.ts'
import { PostgresLog } from './log.ts'
import { createPostgresRecords } from './records.ts'
import { checkSchema, type Migrated, migrate } from './schema.ts'
import { createPostgresSetupToken } from './setup-token.ts'

export type PostgresStoreOptions = ConnectionOptions & {
  readonly clock: Clock
  /** Opens a database that cannot be reached, too: it is looked for again with every call. */
  readonly isPatient?: boolean
}

export type PostgresStore = {
  readonly store: Store
  readonly attempts: AttemptCounter
  readonly setupToken: SetupToken
}

/**
 * Asks the database whether its schema fits, now or when it is there; nothing is made.
 * @throws AppError `storage-unavailable`, `format-unknown`, `bad-setting`
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const connection = new Connection(options, checkSchema)
  try {
    await connection.ready()
  } catch (error) {
    const isAway = error instanceof AppError && error.code === 'storage-unavailable'
    if (!options.isPatient || !isAway) {
      await connection.close()
      throw error
    }
  }
  const log = new PostgresLog(connection, options.clock)
  return {
    store: {
      log,
      records: createPostgresRecords(connection),
      content: new PostgresContent(connection, options.clock),
      async close() {
        await log.close()
        await connection.close()
      },
    },
    attempts: createPostgresAttempts(connection),
    setupToken: createPostgresSetupToken(connection),
  }
}

/** Makes or upgrades the schema. @throws AppError as `openPostgresStore` does */
export async function migratePostgres(options: ConnectionOptions): Promise<Migrated> {
  const connection = new Connection(options)
  try {
    return await migrate(connection)
  } finally {
    await connection.close()
  }
}
