/** Streams as subscription groups read them: what can be seen, views and their links included. */
import type { StreamItem } from './stream-reader.ts'
import type { Streams } from './streams.ts'
import type { MessageSource } from './subscriptions.ts'

export function createMessageSource(streams: Pick<Streams, 'info' | 'items'>): MessageSource {
  return {
    lastNumber: async (stream) => (await streams.info(stream)).last,
    read: async (stream, from, limit) => {
      const info = await streams.info(stream)
      // What ends a stream for ever is no message.
      if (info.state !== 'live') return []
      const low = Math.max(from, info.firstVisible)
      const items = await streams.items(info, low, low + limit - 1)
      return items
        .map(ownEvent)
        .map(({ number, eventId }) => ({ number, eventId }))
        .reverse()
    },
  }
}

/** A member of a stream as that stream numbers it: the link where it is one. */
export function ownEvent(item: StreamItem) {
  return item.kind === 'link' ? item.link : item.event
}
