/** Streams of the AtomPub API, put together. */
import type { RecordEngine } from '../../domain/ports.ts'
import { createStreams } from '../../domain/streams.ts'
import type { LoadedApi } from '../../http/api.ts'
import { createPageCache, noPageCache } from './page-cache.ts'
import type { AtomParts, AtomSettings } from './parts.ts'
import { streamRoutes } from './routes.ts'
import { atomStyle, type StyleSettings } from './style.ts'

export type AtomApiParts = Omit<AtomParts, 'streams' | 'groupNames' | 'pages' | 'settings'> & {
  readonly serves: 'one-request' | 'many-requests'
  readonly records: RecordEngine
  readonly settings: AtomSettings & StyleSettings & { readonly maxGroupMessages: number }
}

export function loadStreamApi(parts: AtomApiParts): LoadedApi {
  const { log, serves, settings } = parts
  const pages = serves === 'many-requests' ? createPageCache(log) : noPageCache
  const streams = createStreams(parts)
  const groupNames: AtomParts['groupNames'] = async (stream) => {
    const { groupNamesOf } = await import('./subscriptions/api.ts')
    return groupNamesOf({ ...parts, streams }, stream)
  }
  const routes = streamRoutes({ ...parts, streams, groupNames, pages })
  return { routes, style: atomStyle(settings) }
}
