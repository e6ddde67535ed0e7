/**
 * Composition root: settings → store → services → app. Nothing else in the program knows which engine or
 * which APIs there are.
 */
import type { Settings } from './config.ts'
import type { Clock, Store } from './domain/ports.ts'
import { createApp } from './http/app.ts'
import type { Route } from './http/handler.ts'
import type { App } from './http/message.ts'
import { createProgramLog, type ProgramLog } from './program-log.ts'
import { syncDisk } from './storage/file/disk.ts'
import { type OpenOptions, openStore } from './storage/open.ts'

export const systemClock: Clock = { now: () => Date.now() }

export type OpenedApp = { readonly app: App; close(): Promise<void> }

export function openLog(settings: Settings): ProgramLog {
  return createProgramLog({ file: settings.logFile, disk: syncDisk, clock: systemClock })
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
    routes: routesOf(store),
    authenticate: async () => ({ name: 'anonymous', role: 'admin', isAnonymous: true }),
    settings,
    report: log.report,
  })
  return { app, close: () => store.close() }
}

/**
 * The app of a process that serves one request: whatever keeps it from opening is told to the client as
 * any other failure is.
 */
export function openAppOrRefuse(readSettings: () => Settings): App {
  return async (request) => {
    const { app } = await openOrRefuse(readSettings)
    return app(request)
  }
}

async function openOrRefuse(readSettings: () => Settings): Promise<{ app: App }> {
  let settings: Settings | undefined
  try {
    settings = readSettings()
    return await openApp(settings, 'one-request')
  } catch (error) {
    const log = createProgramLog({
      file: settings?.logFile ?? '',
      disk: syncDisk,
      clock: systemClock,
    })
    const app = createApp({
      routes: [],
      authenticate: async () => {
        throw error
      },
      settings: { baseUrl: '', corsOrigins: [] },
      report: log.report,
    })
    return { app }
  }
}

function routesOf(_store: Store): readonly Route[] {
  return []
}
