/** The store in a MongoDB database: log, records and content over one pool of connections. */
import type { Clock, Store } from '../../domain/ports.ts'
import type { SetupToken } from '../../domain/setup.ts'
import type { AttemptCounter } from '../../domain/throttle.ts'
import { createMongoAttempts } from './attempts.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { MongoContent } from './content.ts'
import { MongoLog } from './log.ts'
import { createMongoRecords } from './records.ts'
import { checkSchema, type Migrated, migrate } from './schema.ts'
import { createMongoSetupToken } from './setup-token.ts'

export type MongoStoreOptions = ConnectionOptions & {
  readonly clock: Clock
  /** Opens a database that cannot be reached, too: it is looked for again with every call. */
  readonly isPatient?: boolean
}

export type MongoStore = {
  readonly store: Store
  readonly attempts: AttemptCounter
  readonly setupToken: SetupToken
}

/**
 * Asks the database whether its schema fits, now or when it is there; nothing is made.
 * @throws AppError `storage-unavailable`, `format-unknown`, `bad-setting`
 */
export async function openMongoStore(options: MongoStoreOptions): Promise<MongoStore> {
  const connection = new Connection(options, checkSchema)
  try {
    await connection.ready()
  } catch (failure) {
    const error = connection.failure(failure)
    const isAway = error.code === 'storage-unavailable'
    if (!options.isPatient || !isAway) {
      await connection.close()
      throw error
    }
  }
  const log = new MongoLog(connection, options.clock)
  return {
    store: {
      log,
      records: createMongoRecords(connection),
      content: new MongoContent(connection, options.clock),
      async close() {
        await log.close()
        await connection.close()
      },
    },
    attempts: createMongoAttempts(connection),
    setupToken: createMongoSetupToken(connection),
  }
}

/** Makes or upgrades the schema. @throws AppError as `openMongoStore` does */
export async function migrateMongo(options: ConnectionOptions): Promise<Migrated> {
  const connection = new Connection(options)
  try {
    return await migrate(connection)
  } catch (error) {
    throw connection.failure(error)
  } finally {
    await connection.close()
  }
}
