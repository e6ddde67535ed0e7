/**
 * Composition root: settings → store → services → app. Nothing else in the program knows which engine or
 * which APIs there are.
 */
import { healthRoutes } from './api/admin/health.ts'
import { apieRoutes } from './api/apie/routes.ts'
import type { Settings } from './config.ts'
import { AppError } from './domain/app-error.ts'
import { createEventLog } from './domain/event-log.ts'
import type { Clock, Progress, Store } from './domain/ports.ts'
import { createApp } from './http/app.ts'
import type { Authenticate, Route } from './http/handler.ts'
import type { App } from './http/message.ts'
import { mediaTypeOfName } from './kit/media-type-of-name.ts'
import { createProgramLog, type ProgramLog } from './program-log.ts'
import { programVersion } from './program-version.ts'
import { asyncDisk, syncDisk } from './storage/file/disk.ts'
import { type OpenOptions, openStore } from './storage/open.ts'

export const systemClock: Clock = { now: () => Date.now() }

export type OpenedApp = { readonly app: App; close(): Promise<void> }

/** The store alone, for commands. */
export function openCommandStore(settings: Settings, mode: OpenOptions['mode']): Promise<Store> {
  return openStore({ settings, clock: systemClock, mode, serves: 'command' })
}

/** Both ways between a store and a folder of the original Apie; loaded when a command asks for it. */
export const originalFolders = {
  importOriginal: async (store: Store, folder: string, progress: Progress) => {
    const { log, content } = store
    if (!log.importEvents) throw new AppError('usage', 'This engine cannot take over events')
    const { importOriginal } = await import('./storage/file/original-layout.ts')
    const importEvents = log.importEvents.bind(log)
    const target = { importEvents, content, mediaTypeOf: mediaTypeOfName }
    return importOriginal(asyncDisk, folder, target, progress)
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
  serves: OpenOptions['serves'],
): Promise<OpenedApp> {
  const log = openLog(settings)
  const store = await openStore({ settings, clock: systemClock, mode: 'create', serves })
  const app = createApp({
    routes: routesOf(store, settings),
    authenticate: anonymousOnly(settings),
    settings,
    report: log.report,
  })
  return { app, close: () => store.close() }
}

/**
 * The app of a process that serves one request. Whatever keeps it from opening is told to the client as
 * any other failure is.
 */
export function openAppOrRefuse(readSettings: () => Settings): App {
  return async (request) => {
    let settings: Settings | undefined
    try {
      settings = readSettings()
      const { app } = await openApp(settings, 'one-request')
      return app(request)
    } catch (error) {
      return refusingApp(publicError(error), openLog(settings))(request)
    }
  }
}

/** What is wrong with a setting repeats its value, which is for the log alone. */
function publicError(error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== 'bad-setting') return error
  const message = 'A setting of this program is wrong; its log tells which'
  return new AppError('bad-setting', message, {}, error)
}

/** Answers everything with the same failure, and logs it. */
function refusingApp(error: unknown, log: ProgramLog): App {
  return createApp({
    routes: [],
    authenticate: async () => {
      throw error
    },
    settings: { baseUrl: '', corsOrigins: [] },
    report: log.report,
  })
}

function openLog(settings: Settings | undefined): ProgramLog {
  return createProgramLog({ file: settings?.logFile ?? '', disk: syncDisk, clock: systemClock })
}

function routesOf(store: Store, settings: Settings): readonly Route[] {
  const events = createEventLog(store.log)
  const { version } = programVersion()
  const accounts = {
    find: async () => undefined,
    update: async (name: string) => {
      throw new AppError('account-not-found', 'There is no such account', { name })
    },
  }
  return [
    ...healthRoutes({ events }),
    ...apieRoutes({ events, content: store.content, accounts, version, settings }),
  ]
}

function anonymousOnly({ anonymous }: Settings): Authenticate {
  return async () => {
    if (anonymous === 'none') {
      throw new AppError('credentials-missing', 'This needs an account')
    }
    return { name: 'anonymous', role: anonymous, isAnonymous: true }
  }
}
