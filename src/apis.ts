/** Which APIs the program speaks: one entry each. What an entry needs is loaded with the first request for it. */
import { healthRoutes } from './api/admin/health.ts'
import { setupRoutes } from './api/admin/setup.ts'
import { apieRoutes } from './api/apie/routes.ts'
import type { AccountService } from './api/apie/user.ts'
import type { Settings } from './config.ts'
import type { EventLog } from './domain/event-log.ts'
import type { Clock, Store } from './domain/ports.ts'
import type { Setup } from './domain/setup.ts'
import type { Api } from './http/api.ts'
import { defaultStyle } from './http/default-style.ts'

/** What the APIs work on. */
export type Services = {
  readonly events: EventLog
  readonly store: Store
  readonly accounts: AccountService
  readonly setup: Setup
  readonly clock: Clock
  readonly version: string
  readonly settings: Settings
}

export function createApis(services: Services): readonly Api[] {
  return [
    {
      prefixes: [],
      load: () => ({ routes: ownRoutes(services), style: defaultStyle(services.settings) }),
    },
  ]
}

function ownRoutes({ events, store, accounts, setup, version, settings }: Services) {
  return [
    ...healthRoutes({ events }),
    ...setupRoutes(setup),
    ...apieRoutes({ events, content: store.content, accounts, version, settings }),
  ]
}
