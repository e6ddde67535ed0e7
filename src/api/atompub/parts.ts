/** What the handlers of this API work with. */
import type { Clock, LogEngine, RecordEngine } from '../../domain/ports.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import type { Streams } from '../../domain/streams.ts'
import type { JsonLimits } from '../../kit/json-text.ts'
import type { PageCache } from './page-cache.ts'
import type { StyleSettings } from './style.ts'

export type AtomSettings = {
  readonly anonymous: string
  readonly baseUrl: string
  /** Whether pages that cannot change may be kept. */
  readonly feedCaching: boolean
  /** Longest wait of a reader for an event that is not there yet, ms. */
  readonly longPollMs: number
  readonly maxEventBytes: number
  readonly maxBatchBytes: number
  readonly maxFeedEvents: number
  readonly maxJsonDepth: number
  readonly maxJsonValues: number
  readonly maxJsonKeys: number
}

export type AtomParts = {
  readonly log: LogEngine
  readonly streams: Streams
  readonly clock: Clock
  /** Names of the subscription groups of a stream. */
  readonly groupNames: (stream: StreamName) => Promise<readonly string[]>
  readonly pages: PageCache
  /** Aborted when the process ends: who waits gets the answer that there is. */
  readonly ending: AbortSignal
  readonly settings: AtomSettings
}

/** How many values a batch may hold for each that one event may. */
export const BATCH_FACTOR = 10

export function jsonLimits({ maxJsonDepth, maxJsonValues, maxJsonKeys }: AtomSettings): JsonLimits {
  return { depth: maxJsonDepth, values: maxJsonValues, keys: maxJsonKeys }
}

/** What this API is made of. */
export type AtomApiParts = Omit<AtomParts, 'streams' | 'groupNames' | 'pages' | 'settings'> & {
  readonly serves: 'one-request' | 'many-requests'
  readonly records: RecordEngine
  readonly settings: AtomSettings & StyleSettings & { readonly maxGroupMessages: number }
}
