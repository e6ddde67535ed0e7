/** Subscription groups of the AtomPub API, put together. */
import { createMessageSource } from '../../../domain/message-source.ts'
import type { StreamName } from '../../../domain/stream-name.ts'
import { createStreams, type Streams } from '../../../domain/streams.ts'
import { createSubscriptions, type Subscriptions } from '../../../domain/subscriptions.ts'
import type { LoadedApi } from '../../../http/api.ts'
import { noPageCache } from '../page-cache.ts'
import type { AtomApiParts } from '../parts.ts'
import { atomStyle } from '../style.ts'
import { groupRoutes } from './routes.ts'

type WithStreams = AtomApiParts & { readonly streams: Streams }

export function loadGroupApi(parts: AtomApiParts): LoadedApi {
  const served = { ...parts, streams: createStreams(parts), pages: noPageCache }
  const groupNames = (stream: StreamName) => groupNamesOf(served, stream)
  const subscriptions = subscriptionsOf(served)
  const routes = groupRoutes({ ...served, groupNames, subscriptions })
  return { routes, style: atomStyle(parts.settings) }
}

/** Names of the groups of a stream. */
export async function groupNamesOf(
  parts: WithStreams,
  stream: StreamName,
): Promise<readonly string[]> {
  return (await subscriptionsOf(parts).list(stream)).map(({ id }) => id.name)
}

function subscriptionsOf({ log, records, streams, clock, settings }: WithStreams): Subscriptions {
  return createSubscriptions({
    records,
    streams,
    source: createMessageSource({ log, streams }),
    clock,
    maxMessages: settings.maxGroupMessages,
  })
}
