/** Streams as subscription groups read them: what can be seen, views and their links included. */
import type { EventId } from './event.ts'
import type { LogEngine } from './ports.ts'
import type { StreamName } from './stream-name.ts'
import { type StreamItem, viewOf } from './stream-reader.ts'
import { linkId, viewOfStream } from './stream-view.ts'
import type { Streams } from './streams.ts'

/** The streams as groups read them: with their numbers, also where a stream is a view of others. */
export type MessageSource = {
  /** Number of the last event; -1 where there is none. */
  lastNumber(stream: StreamName): Promise<number>
  /** Numbers from `from` on of events that may be read, ascending, at most `limit`; fewer only at the end. */
  read(stream: StreamName, from: number, limit: number): Promise<readonly number[]>
  /** Tells which of some numbers are those of events with these ids. */
  matcher(stream: StreamName, ids: readonly EventId[]): Promise<NumberMatcher>
}

export type NumberMatcher = (numbers: readonly number[]) => ReadonlySet<number>

export type SourceParts = {
  readonly log: LogEngine
  readonly streams: Pick<Streams, 'info' | 'items'>
}

export function createMessageSource({ log, streams }: SourceParts): MessageSource {
  return {
    lastNumber: async (stream) => (await streams.info(stream)).last,
    read: async (stream, from, limit) => {
      const info = await streams.info(stream)
      // What ends a stream for ever is no message.
      if (info.state !== 'live') return []
      const low = Math.max(from, info.firstVisible)
      const items = await streams.items(info, low, low + limit - 1)
      return items.map((item) => ownEvent(item).number).reverse()
    },
    matcher: (stream, ids) =>
      viewOfStream(stream).holds === 'links'
        ? linkMatcher(stream, ids)
        : eventMatcher(log, stream, ids),
  }
}

/** A member of a stream as that stream numbers it: the link where it is one. */
export function ownEvent(item: StreamItem) {
  return item.kind === 'link' ? item.link : item.event
}

/** The id of a link follows from its number, and not the other way round. */
async function linkMatcher(stream: StreamName, ids: readonly EventId[]): Promise<NumberMatcher> {
  const wanted = new Set(ids)
  return (numbers) => new Set(numbers.filter((number) => wanted.has(linkId(stream, number))))
}

async function eventMatcher(
  log: LogEngine,
  stream: StreamName,
  ids: readonly EventId[],
): Promise<NumberMatcher> {
  const found = await Promise.all(
    ids.map(async (id) => {
      const stored = await log.findEventId(stream, id)
      return stored && (await viewOf(log, stored)).number
    }),
  )
  const wanted = new Set(found)
  return (numbers) => new Set(numbers.filter((number) => wanted.has(number)))
}
