/** What this API tells of the node, and what operators do to it. */
import { requireOps } from '../../../domain/access.ts'
import type { EventLog } from '../../../domain/event-log.ts'
import type { ScavengeRuns } from '../../../domain/scavenge-runs.ts'
import type { Handler, Route } from '../../../http/handler.ts'
import { publicBase } from '../base-url.ts'
import { asDocuments } from '../document-form.ts'
import { indentedJson } from '../json-document.ts'
import { readGossip } from './gossip.ts'
import { readOptions, type ToldSetting } from './options.ts'
import { scavengeRoutes } from './scavenging.ts'
import { type NodeFacts, readStatistics } from './statistics.ts'

export type NodeParts = {
  readonly events: EventLog
  readonly facts: NodeFacts
  readonly options: readonly ToldSetting[]
  readonly scavenges: ScavengeRuns
  /** Ends a process that serves many requests; does nothing where each request has its own. */
  readonly stop: () => void
  readonly settings: { readonly baseUrl: string }
}

export function nodeRoutes(parts: NodeParts): Route[] {
  const { events, facts, options, scavenges, stop, settings } = parts
  const nothing = async () => indentedJson(200, [])
  return asDocuments('Node', [
    { method: 'GET', path: '/info/options', access: 'reader', handler: readOptions(options) },
    {
      method: 'GET',
      path: '/gossip',
      access: 'reader',
      handler: readGossip(events, facts, settings),
    },
    { method: 'GET', path: '/sys/subsystems', access: 'reader', handler: readSubsystems },
    { method: 'GET', path: '/stats', access: 'reader', handler: readStatistics(events, facts) },
    { method: 'GET', path: '/stats/replication', access: 'reader', handler: nothing },
    { method: 'GET', path: '/stats/tcp', access: 'reader', handler: nothing },
    { method: 'GET', path: '/stats/*', access: 'reader', handler: readStatistics(events, facts) },
    ...scavengeRoutes(scavenges),
    { method: 'POST', path: '/admin/shutdown', access: 'reader', handler: forOps(stop) },
    ...WITHOUT_MEANING.map(
      (path): Route => ({ method: 'POST', path, access: 'reader', handler: forOps(() => {}) }),
    ),
    { method: 'GET', path: '/web', access: 'reader', handler: toPages(settings) },
    { method: 'GET', path: '/web/index.html', access: 'reader', handler: toPages(settings) },
  ])
}

/** What a node of a cluster with indexes to merge could be asked; there is nothing to do here. */
const WITHOUT_MEANING = [
  '/admin/mergeindexes',
  '/admin/reloadconfig',
  '/admin/node/priority/:priority',
  '/admin/node/resign',
]

function forOps(work: () => void): Handler {
  return async (_request, { principal }) => {
    requireOps(principal)
    work()
    return { status: 200, headers: {}, body: '' }
  }
}

const readSubsystems: Handler = async () => indentedJson(200, ['PersistentSubscriptions'])

function toPages({ baseUrl }: NodeParts['settings']): Handler {
  return async (request) => ({
    status: 302,
    headers: { location: `${publicBase(request, baseUrl)}/` },
    body: '',
  })
}
