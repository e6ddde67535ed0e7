/** A member of a stream as an entry of a feed, or on its own. */
import { dataText, type EventView, isJsonEvent } from '../../domain/event-view.ts'
import type { StreamItem } from '../../domain/stream-reader.ts'
import { LINK_TYPE } from '../../domain/stream-view.ts'
import type { JsonText } from '../../kit/json-text.ts'
import { type Embed, richMembers } from './embed.ts'
import { type EntryContent, type FeedEntry, feedTime, streamUrl } from './feed.ts'

/** A link is shown as what it leads to, with the time at which it was made. */
export function eventEntry(base: string, item: StreamItem, embed: Embed): FeedEntry {
  const target = item.kind === 'link' ? item.target : item.event
  const own = item.kind === 'link' ? item.link : item.event
  const id = `${streamUrl(base, target.stream)}/${target.number}`
  const rich = richMembers(item, embed)
  const content =
    item.kind === 'event' && embed === 'content' ? entryContent(item.event) : undefined
  return {
    ...(rich && { rich }),
    title: `${target.number}@${target.stream}`,
    id,
    updated: feedTime(own.createdAt),
    summary: item.kind === 'link' ? LINK_TYPE : item.event.eventType,
    ...(content && { content }),
    links: [
      { uri: id, relation: 'edit' },
      { uri: id, relation: 'alternate' },
    ],
  }
}

/** What an entry holds of its event; nothing where the event is no JSON. */
export function entryContent(event: EventView): EntryContent | undefined {
  return isJsonEvent(event) ? eventContent(event) : undefined
}

export function eventContent({
  data,
  metadata,
  stream,
  number,
  eventType,
}: EventView): EntryContent {
  return {
    eventStreamId: stream,
    eventNumber: number,
    eventType,
    data: data.kind === 'json' ? data.text : textAsJson(dataText(data)),
    metadata: metadata ?? ('""' as JsonText),
  }
}

const textAsJson = (text: string): JsonText => JSON.stringify(text) as JsonText
