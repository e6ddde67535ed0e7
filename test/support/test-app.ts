/** The app on a store, of memory unless another is given, with the account that the corpus expects. */
import { createApis } from '../../src/apis.ts'
import { readSettings } from '../../src/config.ts'
import { AppError } from '../../src/domain/app-error.ts'
import { createEventLog } from '../../src/domain/event-log.ts'
import type { Store } from '../../src/domain/ports.ts'
import { createSetup } from '../../src/domain/setup.ts'
import { createApp } from '../../src/http/app.ts'
import type { App } from '../../src/http/message.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { createMemorySetupToken } from '../../src/storage/memory/setup-token.ts'
import type { Send } from '../gateway/corpus.ts'
import { sendTo } from './app-send.ts'
import { testAccounts } from './test-accounts.ts'

export type TestApp = {
  readonly app: App
  readonly send: Send
  readonly store: Store
  readonly reports: { readonly reference: string; readonly error: unknown }[]
}

export async function openTestApp(
  options: {
    /** Settings that differ from the defaults. */
    readonly environment?: Record<string, string>
    readonly store?: Store
  } = {},
): Promise<TestApp> {
  const clock = { now: () => Date.now() }
  const settings = readSettings({ environment: options.environment ?? {} })
  const store = options.store ?? createMemoryStore({ clock })
  const reports: { reference: string; error: unknown }[] = []
  const events = createEventLog(store.log)
  let password = 'pw'
  let info = ''
  const accounts = {
    find: async () => ({ info }),
    update: async (_name: string, changes: { password?: string; info?: string }) => {
      if (changes.info?.includes('\n')) throw new AppError('bad-field', 'info may not', {})
      password = changes.password ?? password
      info = changes.info ?? info
    },
  }
  const app = createApp({
    apis: createApis({
      events,
      store,
      accounts,
      setup: createSetup(testAccounts().accounts, createMemorySetupToken()),
      clock,
      version: 'test',
      settings,
    }),
    authenticate: async (request) => {
      const { authorization } = request.headers
      if (!authorization) throw new AppError('credentials-missing', 'No credentials came')
      const expected = `Basic ${Buffer.from(`a@b.c:${password}`).toString('base64')}`
      if (authorization !== expected) throw new AppError('credentials-wrong', 'They are wrong')
      return { name: 'a@b.c', role: 'admin', isAnonymous: false }
    },
    settings,
    report: (reference, error) => reports.push({ reference, error }),
  })
  return { app, send: sendTo(app), store, reports }
}
