/**
 * An event as readers of streams see it: its members, with body and metadata still as the text they were
 * written as, since parsing would round numbers. What is stored of it is `event.ts`.
 */

import { jsonMembers } from '../kit/json-members.ts'
import type { JsonText } from '../kit/json-text.ts'
import type { EventId, EventType, StoredEvent } from './event.ts'
import { DEFAULT_STREAM, type StreamName } from './stream-name.ts'

/** What an event says, or what was said with it. */
export type EventData =
  | { readonly kind: 'json'; readonly text: JsonText }
  | { readonly kind: 'bytes'; readonly mediaType: string; readonly bytes: Buffer }

export type EventView = {
  readonly eventId: EventId
  readonly eventType: EventType
  readonly stream: StreamName
  /** Version in `stream`. */
  readonly number: number
  readonly data: EventData
  /** Absent where there is none. Metadata that was no JSON is kept as a JSON string. */
  readonly metadata: JsonText | undefined
  /** ISO 8601 with milliseconds. */
  readonly createdAt: string
}

/** @param number its version, which imported events do not tell */
export function viewEvent(stored: StoredEvent, number?: number): EventView {
  const members = jsonMembers(Buffer.from(stored.json).toString('utf8'))
  const stream = members.get('stream')
  const metadata = members.get('metadata')
  return {
    eventId: textOf(members.get('eventId')) as EventId,
    eventType: textOf(members.get('eventType')) as EventType,
    stream: stream === undefined ? DEFAULT_STREAM : (textOf(stream) as StreamName),
    number: number ?? Number(members.get('version') ?? -1),
    data: dataOf(members),
    metadata: metadata === 'null' ? undefined : metadata,
    createdAt: textOf(members.get('createdAt')),
  }
}

function dataOf(members: ReadonlyMap<string, JsonText>): EventData {
  const text = members.get('body') ?? ('null' as JsonText)
  const mediaType = members.get('mediaType')
  if (mediaType === undefined) return { kind: 'json', text }
  const encoding = members.has('encoding') ? 'base64' : 'utf8'
  return {
    kind: 'bytes',
    mediaType: textOf(mediaType),
    bytes: Buffer.from(textOf(text), encoding),
  }
}

function textOf(text: JsonText | undefined): string {
  if (text === undefined) return ''
  return text.includes('\\') ? String(JSON.parse(text)) : text.slice(1, -1)
}

/** The bytes of a body as they are handed out raw: JSON without white space between its tokens. */
export function dataText(data: EventData): string {
  return data.kind === 'json' ? data.text : data.bytes.toString('utf8')
}

/** The text of metadata as it was sent, empty where there is none. */
export function metadataText(metadata: JsonText | undefined): string {
  if (metadata === undefined) return ''
  return metadata.startsWith('"') ? String(JSON.parse(metadata)) : metadata
}

/** Whether an event counts as JSON: its body does, or its metadata. */
export function isJsonEvent({ data, metadata }: EventView): boolean {
  if (data.kind === 'json') return true
  if (/^application\/json\b/i.test(data.mediaType)) return true
  return metadata !== undefined && !metadata.startsWith('"')
}
