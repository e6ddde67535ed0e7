/** The AtomPub API, put together. */
import { createMessageSource } from '../../domain/message-source.ts'
import type { RecordEngine } from '../../domain/ports.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import { createStreams } from '../../domain/streams.ts'
import { createSubscriptions } from '../../domain/subscriptions.ts'
import type { LoadedApi } from '../../http/api.ts'
import type { AtomParts, AtomSettings } from './parts.ts'
import { streamRoutes } from './routes.ts'
import { atomStyle, type StyleSettings } from './style.ts'
import { groupRoutes } from './subscriptions/routes.ts'

export function loadAtomApi(
  parts: Omit<AtomParts, 'streams' | 'groupNames' | 'settings'> & {
    readonly records: RecordEngine
    readonly settings: AtomSettings & StyleSettings & { readonly maxGroupMessages: number }
  },
): LoadedApi {
  const { records, clock, settings } = parts
  const streams = createStreams(parts)
  const subscriptions = createSubscriptions({
    records,
    streams,
    source: createMessageSource({ log: parts.log, streams }),
    clock,
    maxMessages: settings.maxGroupMessages,
  })
  const groupNames = async (stream: StreamName) =>
    (await subscriptions.list(stream)).map(({ id }) => id.name)
  const served = { ...parts, streams, groupNames }
  const routes = [...streamRoutes(served), ...groupRoutes({ ...served, subscriptions })]
  return { routes, style: atomStyle(settings) }
}
