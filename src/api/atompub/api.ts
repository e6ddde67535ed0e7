/** The AtomPub API, put together. */
import { createStreams } from '../../domain/streams.ts'
import type { LoadedApi } from '../../http/api.ts'
import type { AtomParts, AtomSettings } from './parts.ts'
import { streamRoutes } from './routes.ts'
import { atomStyle } from './style.ts'

export function loadAtomApi(
  parts: Omit<AtomParts, 'streams' | 'settings'> & {
    readonly settings: AtomSettings & { readonly corsOrigins: readonly string[] }
  },
): LoadedApi {
  const routes = streamRoutes({ ...parts, streams: createStreams(parts) })
  return { routes, style: atomStyle(parts.settings) }
}
