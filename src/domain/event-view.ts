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
  const { buffer, byteOffset, byteLength } = stored.json
  const text = Buffer.from(buffer, byteOffset, byteLength).toString('utf8')
  const { plain, texts } = splitOwn(text) ?? splitAny(text)
  const metadata = texts.get('metadata')
  return {
    eventId: (plain.eventId ?? '') as EventId,
    eventType: (plain.eventType ?? '') as EventType,
    stream: (plain.stream ?? DEFAULT_STREAM) as StreamName,
    number: number ?? plain.version ?? -1,
    data: dataOf(texts),
    metadata: metadata === 'null' ? undefined : metadata,
    createdAt: plain.createdAt ?? '',
  }
}

/** The members that hold no others, parsed; and those that may, as their texts. */
type Split = {
  readonly plain: {
    readonly eventId?: string
    readonly eventType?: string
    readonly stream?: string
    readonly version?: number
    readonly createdAt?: string
  }
  readonly texts: ReadonlyMap<string, JsonText>
}

const BODY = ',"body":'
const WRITER = ',"createdBy":'
/** What may stand between body and writer, if it is not in the body itself. */
const FURTHER: readonly string[] = ['mediaType', 'encoding', 'metadata', 'producer']

/**
 * A text of our own: what stands before and behind the body is found by searching, which a process that has
 * just started does much faster than it looks at each character. Inside a string a quote never comes without
 * a backslash, so no text can look like a member. Only texts of our own name a position.
 */
function splitOwn(text: string): Split | undefined {
  const body = text.indexOf(BODY)
  const writer = text.lastIndexOf(WRITER)
  if (body < 0 || writer < body || !text.endsWith('Z","hash":null}')) return undefined
  const head = text.slice(0, body)
  if (!head.startsWith('{"eventId":"') || !head.includes(',"position":')) return undefined
  const middle = text.slice(body + BODY.length, writer)
  const texts = FURTHER.some((name) => middle.includes(`,"${name}":`))
    ? jsonMembers(`{"body":${middle}}`)
    : new Map([['body', middle as JsonText]])
  return { plain: JSON.parse(head + text.slice(writer)), texts }
}

function splitAny(text: string): Split {
  return { plain: JSON.parse(text), texts: jsonMembers(text) }
}

function dataOf(texts: Split['texts']): EventData {
  const text = texts.get('body') ?? ('null' as JsonText)
  const mediaType = texts.get('mediaType')
  if (mediaType === undefined) return { kind: 'json', text }
  const encoding = texts.has('encoding') ? 'base64' : 'utf8'
  const bytes = Buffer.from(String(JSON.parse(text)), encoding)
  return { kind: 'bytes', mediaType: String(JSON.parse(mediaType)), bytes }
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
