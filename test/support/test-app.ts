/** The app on a store, of memory unless another is given, with the account that the corpus expects. */
import { createApis } from '../../src/apis.ts'
import { readSettings } from '../../src/config.ts'
import { createEventLog } from '../../src/domain/event-log.ts'
import type { Store } from '../../src/domain/ports.ts'
import { createSetup } from '../../src/domain/setup.ts'
import { createApp } from '../../src/http/app.ts'
import { createAuthenticate } from '../../src/http/basic-auth.ts'
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
  const report = (reference: string, error: unknown) => void reports.push({ reference, error })
  const events = createEventLog(store.log)
  const { accounts, signIn } = testAccounts({ records: store.records })
  await accounts.addFirstAdmin({ name: 'a@b.c', password: { kind: 'chosen', password: 'pw' } })
  const setup = createSetup(accounts, createMemorySetupToken())
  const app = createApp({
    apis: createApis({
      events,
      store,
      accounts,
      signIn,
      setup,
      clock,
      process: {
        serves: 'many-requests',
        startedAtMs: clock.now(),
        memoryBytes: () => 1,
        stop: () => {},
        ending: new AbortController().signal,
      },
      version: 'test',
      settings,
      report,
    }),
    authenticate: createAuthenticate({
      signIn,
      isKnownName: async (name) => (await accounts.find(name)) !== undefined,
      accounts,
      setup,
      settings,
    }),
    settings,
    report,
  })
  return { app, send: sendTo(app), store, reports }
}
