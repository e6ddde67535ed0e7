/**
 * What an event is: its ids, the text that is stored of it, and the hash chain over that text.
 *
 * The stored text is final: responses carry it with nothing changed but the value of `hash`, so that any
 * client can put `null` back and check the chain. Which events follow which is `event-log.ts`.
 */
import type { Brand } from '../kit/brand.ts'
import type { JsonText } from '../kit/json-text.ts'
import { sha256Hex } from '../kit/sha256.ts'
import { AppError } from './app-error.ts'
import { nameProblem } from './name.ts'
import type { ProducerId } from './producer.ts'
import { DEFAULT_STREAM, type StreamName } from './stream-name.ts'

/** 64 lower-case hex digits: the address of an event and its link in the chain. */
export type EventHash = Brand<string, 'EventHash'>
/** A UUID of any version, lower-case. */
export type EventId = Brand<string, 'EventId'>
/** 1 to 255 characters without control characters, NFC. */
export type EventType = Brand<string, 'EventType'>
/** Type of the event that ends a stream for ever: nothing can be appended behind it. */
export const TOMBSTONE_TYPE = '$streamDeleted' as EventType
/** 0-based number of an event in the log. */
export type Position = number

/** What the first event of a log links to: SHA-256 of nothing. */
export const EMPTY_HASH =
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' as EventHash

/** What an event says: JSON, or bytes of a media type. */
export type EventBody =
  | { readonly kind: 'json'; readonly text: JsonText }
  | { readonly kind: 'bytes'; readonly mediaType: string; readonly bytes: Uint8Array }

/** An event as a writer hands it in. */
export type EventDraft = {
  readonly eventId: EventId
  readonly eventType: EventType
  readonly body: EventBody
  readonly metadata?: JsonText
}

/** An event as an engine keeps it: where it stands, its hash, and its text with `"hash":null`. */
export type StoredEvent = {
  readonly position: Position
  readonly hash: EventHash
  /** UTF-8 JSON; only valid until the next read of the engine where it came from a stream of events. */
  readonly json: Uint8Array
  /** Its body and metadata were removed: the text is what is left, and no longer what the hash is of. */
  readonly isScavenged?: true
}

/** An event taken apart. Imported events lack `version` and `position` in their text. */
export type ParsedEvent = {
  readonly eventId: EventId
  readonly eventType: EventType
  readonly stream: StreamName
  readonly version?: number
  readonly body: unknown
  readonly mediaType?: string
  readonly encoding?: string
  readonly metadata?: unknown
  /** The producer whom the stream belongs to. */
  readonly producer?: ProducerId
  readonly createdBy: string
  readonly createdAt: string
}

/** What the log adds to a draft when it stores it. */
export type EventPlace = {
  readonly stream: StreamName
  readonly version: number
  readonly position: Position
  readonly producer?: ProducerId
  readonly createdBy: string
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly createdAtMs: number
}

const hash64 = /^[0-9a-f]{64}$/
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The hash that `text` names, or `undefined` where it is not 64 lower-case hex digits. */
export function findEventHash(text: string): EventHash | undefined {
  return hash64.test(text) ? (text as EventHash) : undefined
}

/** @throws AppError `bad-field` where `text` is no UUID */
export function parseEventId(text: string): EventId {
  if (!uuid.test(text)) {
    throw new AppError('bad-field', 'eventId must be a UUID', { field: 'eventId' })
  }
  return text.toLowerCase() as EventId
}

/** @throws AppError `bad-field` where `text` is no name of an event type */
export function parseEventType(text: string): EventType {
  const problem = nameProblem(text)
  if (problem) throw new AppError('bad-field', `eventType ${problem}`, { field: 'eventType' })
  return text as EventType
}

/**
 * The text that is stored and hashed: the draft with what the log adds, `hash` last and `null`.
 * A body of bytes is kept as text where it is UTF-8, else in Base64.
 */
export function eventText(draft: EventDraft, place: EventPlace): string {
  const metadata = draft.metadata === undefined ? '' : `,"metadata":${draft.metadata}`
  const producer = place.producer === undefined ? '' : `,"producer":"${place.producer}"`
  return (
    `{"eventId":"${draft.eventId}","eventType":${quoted(draft.eventType)}` +
    `,"stream":${quoted(place.stream)},"version":${place.version}` +
    `,"position":${place.position},${bodyMembers(draft.body)}${metadata}${producer}` +
    `,"createdBy":${quoted(place.createdBy)}` +
    `,"createdAt":"${timeText(place.createdAtMs)}","hash":null}`
  )
}

/** Nearly all names: in JSON they stand as they are. */
const PLAIN_NAME = /^[ !#-[\]-~]*$/

const quoted = (name: string): string =>
  PLAIN_NAME.test(name) ? `"${name}"` : JSON.stringify(name)

/** The text of the time that was asked for last: many events come in the same millisecond. */
let lastTime = { ms: Number.NaN, text: '' }

function timeText(ms: number): string {
  if (lastTime.ms !== ms) lastTime = { ms, text: new Date(ms).toISOString() }
  return lastTime.text
}

/** Members of an event that outlast its body, in the order of `eventText`. */
const BEFORE_BODY = ['eventId', 'eventType', 'stream', 'version', 'position']
const BEHIND_BODY = ['producer', 'createdBy', 'createdAt']

/** The text that is left of an event once its body and metadata are removed; `hash` is `null` as in all texts. */
export function scavengedText(stored: StoredEvent): string {
  const event: Record<string, unknown> = JSON.parse(storedText(stored))
  const kept = (names: readonly string[]) =>
    names
      .filter((name) => event[name] !== undefined)
      .map((name) => `${JSON.stringify(name)}:${JSON.stringify(event[name])},`)
      .join('')
  return `{${kept(BEFORE_BODY)}"body":null,"scavenged":true,${kept(BEHIND_BODY)}"hash":null}`
}

export const CHECK_DIGITS = 16

/** Tells of what is left of an event whether it was changed since: hexadecimal digits over its hash and that text. */
export const scavengedCheck = (hash: EventHash, text: string | Uint8Array): string =>
  chainHash(hash, text).slice(0, CHECK_DIGITS)

/** The members that carry a body: `body` alone for JSON, with `mediaType` and maybe `encoding` for bytes. */
export function bodyMembers(body: EventBody): string {
  if (body.kind === 'json') return `"body":${body.text}`
  const mediaType = JSON.stringify(body.mediaType)
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body.bytes)
    return `"body":${JSON.stringify(text)},"mediaType":${mediaType}`
  } catch {
    const base64 = Buffer.from(body.bytes).toString('base64')
    return `"body":"${base64}","mediaType":${mediaType},"encoding":"base64"`
  }
}

/** Used again for each hash: a new one for each event makes memory grow faster than it is collected. */
const scratch = Buffer.allocUnsafeSlow(65_536)

/** The link rule: SHA-256 over the previous hash, a line feed, and the stored text. */
export function chainHash(previous: EventHash, json: string | Uint8Array): EventHash {
  if (typeof json === 'string') return sha256Hex(`${previous}\n${json}`) as EventHash
  const size = LINK_BYTES + json.length
  const linked = size <= scratch.length ? scratch.subarray(0, size) : Buffer.allocUnsafe(size)
  linked.write(previous, 0, 'latin1')
  linked[LINK_BYTES - 1] = 10
  linked.set(json, LINK_BYTES)
  return linkedHash(linked)
}

/** Bytes in front of a text in what is hashed of it: the previous hash and a line feed. */
export const LINK_BYTES = 65

/** The same of what stands in one run: the previous hash, a line feed, and the stored text. */
export const linkedHash = (linked: Uint8Array): EventHash => sha256Hex(linked) as EventHash

/** The text that is stored of an event. */
export function storedText({ json }: Pick<StoredEvent, 'json'>): string {
  // A view: a copy of the bytes costs as much as reading the text.
  return Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('utf8')
}

/** @throws SyntaxError where the stored text is no JSON; only damage makes that possible */
export function parseStoredEvent(stored: StoredEvent): ParsedEvent {
  const event = JSON.parse(storedText(stored))
  return { ...event, stream: event.stream ?? DEFAULT_STREAM }
}
