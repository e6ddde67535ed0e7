/** How much of its event an entry shows (`?embed=`). */

import { dataText, type EventView, isJsonEvent, metadataText } from '../../domain/event-view.ts'
import type { StreamItem } from '../../domain/stream-reader.ts'
import { indentedJson } from '../../kit/json-indent.ts'
import type { RichMembers } from './feed.ts'

const LEVELS = ['none', 'content', 'rich', 'body', 'pretty', 'tryharder'] as const
export type Embed = (typeof LEVELS)[number]

/** Names in any case; unknown ones count as `none`. */
export function parseEmbed(text: string | null): Embed {
  const name = text?.toLowerCase() ?? 'none'
  if (name === 'prettybody') return 'pretty'
  return LEVELS.find((level) => level === name) ?? 'none'
}

/** What a level adds in front of an entry, where it adds anything. */
export function richMembers(item: StreamItem, embed: Embed): RichMembers | undefined {
  if (embed === 'none' || embed === 'content' || item.event === undefined) return undefined
  const place = item.kind === 'link' ? item.link : item.event
  const body = embed === 'rich' ? undefined : bodyMembers(item, item.event, embed)
  const { eventId, eventType, number, stream } = item.event
  return {
    eventId,
    eventType,
    eventNumber: number,
    ...body?.texts,
    streamId: stream,
    isJson: body?.isJson ?? isJsonEvent(item.event),
    isMetaData: body?.isMetaData ?? false,
    isLinkMetaData: body?.isLinkMetaData ?? false,
    positionEventNumber: place.number,
    positionStreamId: place.stream,
  }
}

function bodyMembers(item: StreamItem, event: EventView, embed: Embed) {
  const isPretty = embed !== 'body'
  const shape = (text: string) => (isPretty ? prettyText(text) : text)
  const metaData = metadataText(event.metadata)
  const linkMetaData = item.kind === 'link' ? metadataText(item.link.metadata) : undefined
  const { isJson, data } = shownData(event, embed, shape)
  return {
    isJson,
    isMetaData: metaData !== '',
    isLinkMetaData: linkMetaData !== undefined && linkMetaData !== '',
    texts: {
      ...(data !== undefined && { data }),
      ...(metaData !== '' && { metaData: shape(metaData) }),
      ...(linkMetaData !== undefined && { linkMetaData: shape(linkMetaData) }),
    },
  }
}

/** Bodies that are no JSON are shown by `tryharder` alone, and looked into whether they are JSON after all. */
function shownData(event: EventView, embed: Embed, shape: (text: string) => string) {
  const text = dataText(event.data)
  if (isJsonEvent(event)) return { isJson: true, data: shape(text) }
  if (embed !== 'tryharder') return { isJson: false, data: undefined }
  return { isJson: isJsonText(text), data: shape(text) }
}

function prettyText(text: string): string {
  return isJsonText(text) ? indentedJson(text) : text
}

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
