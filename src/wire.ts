/**
 * Composition root: settings → store → services → app. Nothing else in the program knows which engine or
 * which APIs there are.
 */
import { createApis, type ProcessFacts } from './apis.ts'
import { readSettings } from './config.ts'
import { type Accounts, createAccounts } from './domain/accounts.ts'
import { AppError } from './domain/app-error.ts'
import { createEventLog } from './domain/event-log.ts'
import type { Clock, Progress, Store } from './domain/ports.ts'
import { chosenToken, createSetup, type Setup } from './domain/setup.ts'
import { createSignIn, isKnownName } from './domain/sign-in.ts'
import { createThrottle } from './domain/throttle.ts'
import { createApp } from './http/app.ts'
import { createAuthenticate } from './http/basic-auth.ts'
import { defaultStyle } from './http/default-style.ts'
import type { App } from './http/message.ts'
import { createRememberedSignIns } from './http/remembered-sign-ins.ts'
import { mediaTypeOfName } from './kit/media-type-of-name.ts'
import { createPasswordHasher } from './kit/password-hasher.ts'
import { createProgramLog, type ProgramLog } from './program-log.ts'
import { mapStack } from './program-stack.ts'
import { programVersion } from './program-version.ts'
import { SETTINGS, type Settings } from './settings.ts'
import { asyncDisk, syncDisk } from './storage/file/disk.ts'
import {
  type MigrateOutcome,
  migrateStorage,
  type OpenedStorage,
  type OpenOptions,
  openStorage,
} from './storage/open.ts'

export const systemClock: Clock = { now: () => Date.now() }

export type OpenedApp = {
  readonly app: App
  readonly accounts: Accounts
  readonly setup: Setup
  /** Gives those that wait for events the answer that there is. */
  endWaits(): void
  close(): Promise<void>
}

/** The store alone, for commands. */
export async function openCommandStore(
  settings: Settings,
  mode: OpenOptions['mode'],
): Promise<Store> {
  const opened = await openStorage({ settings, clock: systemClock, mode, serves: 'command' })
  return opened.store
}

/** Makes or upgrades the schema of a database, for a command. */
export const migrateStore = (settings: Settings): Promise<MigrateOutcome> =>
  migrateStorage(settings)

/** Whether the data folder is one of something else, in which nothing must be tried and nothing changed. */
export async function isForeignFolder(folder: string): Promise<boolean> {
  const { isOfSomethingElse } = await import('./storage/file/folder.ts')
  return isOfSomethingElse(syncDisk, folder)
}

/** Both ways between a store and a folder of the original Apie; loaded when a command asks for it. */
export const originalFolders = {
  checkOriginal: async (folder: string) => {
    const { checkOriginal } = await import('./storage/file/original-source.ts')
    checkOriginal(syncDisk, folder)
  },
  importOriginal: async (store: Store, folder: string, progress: Progress) => {
    const { importOriginal } = await import('./storage/file/original-layout.ts')
    return importOriginal(asyncDisk, folder, store, mediaTypeOfName, progress)
  },
  exportOriginal: async (store: Store, folder: string, progress: Progress) => {
    const { exportOriginal } = await import('./storage/file/original-layout.ts')
    return exportOriginal(asyncDisk, folder, store, progress)
  },
}

/**
 * Opens the store, which is made where it is missing, and puts the app on it.
 * @throws AppError what opening the store throws
 */
export async function openApp(
  settings: Settings,
  serves: 'one-request' | 'many-requests',
): Promise<OpenedApp> {
  const storage = await openStorage({ settings, clock: systemClock, mode: 'create', serves })
  const { accounts, setup, signIn, authenticate } = wireAccounts(storage, settings, serves)
  const { store } = storage
  const events = createEventLog(store.log)
  const { version } = programVersion()
  const { report } = openLog(settings)
  const ending = new AbortController()
  const app = createApp({
    apis: createApis({
      events,
      store,
      accounts,
      signIn,
      setup,
      clock: systemClock,
      process: processFacts(serves, ending.signal),
      version,
      settings,
      report,
    }),
    authenticate,
    settings,
    report,
  })
  return {
    app,
    accounts,
    setup,
    endWaits: () => ending.abort(),
    close: () => store.close(),
  }
}

const STARTED_AT_MS = Date.now()

function processFacts(serves: 'one-request' | 'many-requests', ending: AbortSignal): ProcessFacts {
  return {
    serves,
    startedAtMs: STARTED_AT_MS,
    memoryBytes: () => process.memoryUsage().rss,
    // The same as when an operator stops it: what runs is finished first.
    stop: () => serves === 'many-requests' && process.kill(process.pid, 'SIGTERM'),
    ending,
  }
}

function wireAccounts(
  { store, attempts, setupToken }: OpenedStorage,
  settings: Settings,
  serves: 'one-request' | 'many-requests',
) {
  const hasher = createPasswordHasher(serves === 'one-request' ? 'blocking' : 'threaded')
  const accounts = createAccounts({ records: store.records, clock: systemClock, hasher })
  const setup = createSetup(
    accounts,
    settings.setupToken === '' ? setupToken : chosenToken(settings.setupToken, setupToken),
  )
  const readHtpasswd = () =>
    settings.htpasswd === '' ? undefined : syncDisk.readText(settings.htpasswd)
  const throttle = createThrottle(attempts, systemClock)
  const signIn = createSignIn({ accounts, hasher, throttle, readHtpasswd })
  const { stamp } = store.records
  // What changes in an htpasswd file no record tells.
  const isRemembered = serves === 'many-requests' && settings.htpasswd === ''
  const authenticate = createAuthenticate({
    signIn,
    ...(isRemembered && stamp && { remembered: createRememberedSignIns(stamp) }),
    isKnownName: (name) => isKnownName({ accounts, readHtpasswd }, name),
    accounts,
    setup,
    settings,
  })
  return { accounts, setup, signIn, authenticate }
}

/** The app of a process that serves one request, and how long that may take. */
export type RequestApp = {
  readonly app: App
  readonly settings: Pick<Settings, 'bodyTimeoutMs' | 'requestTimeoutMs'>
  close(): Promise<void>
}

/** Never rejects: what keeps the app from opening is told to the client as any other failure is. */
export async function openAppOrRefuse(loadSettings: () => Settings): Promise<RequestApp> {
  let settings = readSettings({})
  try {
    settings = loadSettings()
    const { app, close } = await openApp(settings, 'one-request')
    return { app, settings, close }
  } catch (error) {
    const app = refusingApp(publicError(error), settings)
    return { app, settings, close: async () => {} }
  }
}

/** What is wrong with a setting repeats its value, which is for the log alone. */
function publicError(error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== 'bad-setting') return error
  const setting = settingName(error.facts['setting'])
  const message = 'A setting of this program is wrong; its log tells what is wrong with it'
  return new AppError('bad-setting', message, setting === undefined ? {} : { setting }, error)
}

/** Of a setting that there is, which may be named by its variable; what else stands in a file is nobody's business. */
function settingName(given: unknown): string | undefined {
  const rows = Object.entries(SETTINGS)
  return rows.find(([name, { variable }]) => given === name || given === variable)?.[0]
}

/** Answers everything with the same failure, and logs it. */
function refusingApp(error: unknown, settings: Settings): App {
  return createApp({
    apis: [{ prefixes: [], load: () => ({ routes: [], style: defaultStyle(settings) }) }],
    authenticate: async () => {
      throw error
    },
    settings,
    report: openLog(settings).report,
  })
}

function openLog(settings: Settings): ProgramLog {
  return createProgramLog({
    file: settings.logFile,
    disk: syncDisk,
    clock: systemClock,
    mapStack: (stack) => mapStack(stack, syncDisk.readText(`${process.execPath}.map`)),
  })
}
