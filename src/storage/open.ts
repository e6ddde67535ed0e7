/** From the engine URL of the settings to an open store; an engine is loaded only when it is chosen. */

import { AppError } from '../domain/app-error.ts'
import type { Clock, Store } from '../domain/ports.ts'
import type { SetupToken } from '../domain/setup.ts'
import type { AttemptCounter } from '../domain/throttle.ts'
import type { Settings } from '../settings.ts'

export type OpenOptions = {
  readonly settings: Settings
  readonly clock: Clock
  /** `create` makes a data folder where there is none. */
  readonly mode: 'existing' | 'create'
  /** Whether the process serves one request and ends, many at once, or a person who can wait. */
  readonly serves: 'one-request' | 'many-requests' | 'command'
}

/** Longest time in ms that one call spends on an index that is behind; a client is asked to come again. */
const CATCH_UP_MS = { 'one-request': 5000, 'many-requests': 2000, command: 3_600_000 } as const

/** A store, and the two things that an engine keeps outside of it because they guard the way in. */
export type OpenedStorage = {
  readonly store: Store
  readonly attempts: AttemptCounter
  readonly setupToken: SetupToken
}

/** @throws AppError `bad-setting` for an engine that is not there; what the engine throws on opening */
export async function openStorage(options: OpenOptions): Promise<OpenedStorage> {
  const { settings, clock } = options
  const [, scheme = '', rest = ''] = /^([a-z+]+):(.*)$/s.exec(settings.store) ?? []
  switch (scheme) {
    case 'file':
      if (rest === '') throw badStore('"file:" needs a folder, as in "file:/srv/apie-data"')
      return await openFolder(rest, options)
    case 'memory':
      return openMemory(clock)
    case 'postgres':
    case 'postgresql':
      return await openPostgres(options)
    case 'mongodb':
    case 'mongodb+srv':
      return await openMongo(options)
    default:
      throw noEngine(settings.store)
  }
}

const ENGINES = 'use "file:DIR", "postgresql://…", "mongodb://…" or "memory:"'

/** A path is told as it was written; what may be the address of a database, never: it may hold a password. */
function noEngine(url: string): AppError {
  const scheme = /^([a-z+]+):/.exec(url)?.[1]
  if (scheme !== undefined) return badStore(`there is no engine "${scheme}"; ${ENGINES}`)
  const isPath = url !== '' && !/[@:]/.test(url)
  return badStore(
    isPath ? `to use the folder "${url}", write "file:${url}"` : `name an engine: ${ENGINES}`,
  )
}

function badStore(problem: string): AppError {
  return new AppError('bad-setting', `store: ${problem}`, { setting: 'store' })
}

/** Version of the schema before and after; `undefined` where the engine has none. */
export type MigrateOutcome = { readonly from: number; readonly to: number } | undefined

/** Makes or upgrades the schema of a database. @throws AppError as `openStorage` does */
export async function migrateStorage(settings: Settings): Promise<MigrateOutcome> {
  const scheme = settings.store.slice(0, settings.store.indexOf(':'))
  switch (scheme) {
    case 'file':
    case 'memory':
      return undefined
    case 'postgres':
    case 'postgresql': {
      const { migratePostgres } = await import('./postgres/engine.ts')
      return migratePostgres(databaseOptions(settings, 'command'))
    }
    case 'mongodb':
    case 'mongodb+srv': {
      const { migrateMongo } = await import('./mongodb/engine.ts')
      return migrateMongo(databaseOptions(settings, 'command'))
    }
    default:
      throw noEngine(settings.store)
  }
}

/** Connections at once, where the URL does not say. */
const CONNECTIONS = { 'one-request': 2, 'many-requests': 10, command: 4 } as const

function databaseOptions(settings: Settings, serves: OpenOptions['serves']) {
  const { store: url, lockTimeoutMs } = settings
  return { url, lockTimeoutMs, connections: CONNECTIONS[serves] }
}

async function openPostgres({ settings, clock, serves }: OpenOptions): Promise<OpenedStorage> {
  const { openPostgresStore } = await import('./postgres/engine.ts')
  const isPatient = serves === 'many-requests'
  return openPostgresStore({ ...databaseOptions(settings, serves), clock, isPatient })
}

async function openMongo({ settings, clock, serves }: OpenOptions): Promise<OpenedStorage> {
  const { openMongoStore } = await import('./mongodb/engine.ts')
  const isPatient = serves === 'many-requests'
  return openMongoStore({ ...databaseOptions(settings, serves), clock, isPatient })
}

async function openMemory(clock: Clock): Promise<OpenedStorage> {
  const { createMemoryStore } = await import('./memory/engine.ts')
  const { createMemoryAttempts } = await import('./memory/attempts.ts')
  const { createMemorySetupToken } = await import('./memory/setup-token.ts')
  return {
    store: createMemoryStore({ clock }),
    attempts: createMemoryAttempts(),
    setupToken: createMemorySetupToken(),
  }
}

async function openFolder(root: string, options: OpenOptions): Promise<OpenedStorage> {
  const { settings, clock, mode, serves } = options
  const { openFileStore } = await import('./file/engine.ts')
  const { asyncDisk, syncDisk } = await import('./file/disk.ts')
  const { createFileAttempts } = await import('./file/attempts.ts')
  const { createFileSetupToken } = await import('./file/setup-token.ts')
  const disk = serves === 'one-request' ? syncDisk : asyncDisk
  const store = await openFileStore({
    root,
    clock,
    disk,
    create: mode === 'create',
    allowUnsafe: settings.allowUnsafeData,
    segmentBytes: settings.segmentBytes,
    lockTimeoutMs: settings.lockTimeoutMs,
    sync: settings.sync === 'on',
    catchUpMs: CATCH_UP_MS[serves],
    isLongLived: serves === 'many-requests',
  })
  if (!store) {
    throw new AppError(
      'storage-unavailable',
      'There is no store in the data folder; "apie user add" and "apie serve" make one, --data DIR (of "apie copy" also --from URL) names another folder',
    )
  }
  const { layout } = store.folder
  return {
    store,
    attempts: createFileAttempts(disk, layout.attempts),
    setupToken: createFileSetupToken(disk, layout),
  }
}
