/** Streams of the AtomPub API, put together. */
import { createStreams } from '../../domain/streams.ts'
import type { LoadedApi } from '../../http/api.ts'
import { createPageCache, noPageCache } from './page-cache.ts'
import type { AtomApiParts, AtomParts } from './parts.ts'
import { streamRoutes } from './routes.ts'
import { atomStyle } from './style.ts'

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
