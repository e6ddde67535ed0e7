/** Which APIs the program speaks: one entry each. What an entry needs is loaded with the first request for it. */
import { healthRoutes } from './api/admin/health.ts'
import { setupRoutes } from './api/admin/setup.ts'
import { apieRoutes } from './api/apie/routes.ts'
import type { Accounts } from './domain/accounts.ts'
import type { EventLog } from './domain/event-log.ts'
import type { Clock, Store } from './domain/ports.ts'
import type { Setup } from './domain/setup.ts'
import type { SignIn } from './domain/sign-in.ts'
import { createStreamRights } from './domain/stream-rights.ts'
import type { Api, LoadedApi } from './http/api.ts'
import { defaultStyle } from './http/default-style.ts'
import type { Settings } from './settings.ts'

/** The process that answers. */
export type ProcessFacts = {
  readonly serves: 'one-request' | 'many-requests'
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly startedAtMs: number
  /** Bytes. */
  readonly memoryBytes: () => number
  /** Ends it after the answer, where it serves many requests. */
  readonly stop: () => void
  /** Aborted when it ends: from then on nobody waits for what is not there yet. */
  readonly ending: AbortSignal
}

/** What the APIs work on. */
export type Services = {
  readonly events: EventLog
  readonly store: Store
  readonly accounts: Accounts
  readonly signIn: SignIn
  readonly setup: Setup
  readonly clock: Clock
  readonly process: ProcessFacts
  readonly version: string
  readonly settings: Settings
  /** Told of what went wrong behind an answer. */
  readonly report: (reference: string, error: unknown) => void
}

export function createApis(services: Services): readonly Api[] {
  const { store, clock, settings } = services
  return [
    {
      prefixes: ['/streams'],
      load: async () => {
        const { loadStreamApi } = await import('./api/atompub/api.ts')
        return loadStreamApi(atomParts(services))
      },
    },
    {
      prefixes: ['/subscriptions'],
      load: async () => {
        const { loadGroupApi } = await import('./api/atompub/subscriptions/api.ts')
        return loadGroupApi(atomParts(services))
      },
    },
    {
      prefixes: NODE_PREFIXES,
      load: () => loadNode(services),
    },
    {
      prefixes: ['/api/v1'],
      load: async () => {
        const { eventServerApi } = await import('./api/event-server/routes.ts')
        return eventServerApi({ log: store.log, records: store.records, clock, settings })
      },
    },
    {
      prefixes: [],
      load: () => ({ routes: ownRoutes(services), style: defaultStyle(services.settings) }),
    },
  ]
}

function atomParts(services: Services) {
  const { store, clock, settings } = services
  const { serves, ending } = services.process
  const limited = { ...settings, longPollMs: longPollLimit(services) }
  return { log: store.log, records: store.records, clock, serves, ending, settings: limited }
}

/** A process that serves one request is one of few that a host lets run at a time. */
function longPollLimit({ process, settings }: Services): number {
  return process.serves === 'one-request' ? settings.maxCgiLongPollMs : settings.maxLongPollMs
}

/** Paths of the AtomPub API that have nothing to do with streams. */
const NODE_PREFIXES = [
  '/users',
  '/info/options',
  '/gossip',
  '/stats',
  '/sys/subsystems',
  '/admin/scavenge',
  '/admin/shutdown',
  '/admin/mergeindexes',
  '/admin/reloadconfig',
  '/admin/node',
  '/web',
]

async function loadNode(services: Services): Promise<LoadedApi> {
  const { events, store, accounts, signIn, clock, process, settings, report } = services
  const { userRoutes } = await import('./api/atompub/users/routes.ts')
  const { nodeRoutes } = await import('./api/atompub/node/routes.ts')
  const { atomStyle } = await import('./api/atompub/style.ts')
  const { toldSettings } = await import('./told-settings.ts')
  const { createScavengeRuns } = await import('./domain/scavenge-runs.ts')
  const { stoppableScavenge } = await import('./domain/scavenge.ts')
  const { stop, ending: _, ...facts } = process
  const { baseUrl } = settings
  const node = {
    events,
    facts: { ...facts, clock },
    options: toldSettings(settings),
    scavenges: createScavengeRuns({
      records: store.records,
      clock,
      scavenge: stoppableScavenge(store.log, clock),
      report,
      waits: process.serves === 'one-request',
    }),
    stop,
    settings: { baseUrl },
  }
  return {
    routes: [...userRoutes({ accounts, signIn, settings: { baseUrl } }), ...nodeRoutes(node)],
    style: atomStyle(settings),
  }
}

function ownRoutes({ events, store, accounts, setup, version, settings }: Services) {
  const rights = createStreamRights(store.log)
  return [
    ...healthRoutes(store),
    ...setupRoutes(setup),
    ...apieRoutes({ events, rights, content: store.content, accounts, version, settings }),
  ]
}
