/** A page of anything as a feed (RFC 4287), before it is written as JSON, XML or HTML. */
import type { JsonText } from '../../kit/json-text.ts'

export type FeedLink = { readonly uri: string; readonly relation: string }

export type Feed = {
  readonly title: string
  readonly id: string
  readonly updated: string
  readonly streamId?: string
  readonly headOfStream: boolean
  readonly selfUrl?: string
  /** Without quotes. */
  readonly eTag?: string
  readonly links: readonly FeedLink[]
  /** Newest first. */
  readonly entries: readonly FeedEntry[]
}

export type FeedEntry = {
  /** What `embed` adds. */
  readonly rich?: RichMembers
  readonly title: string
  readonly id: string
  readonly updated: string
  readonly summary: string
  readonly content?: EntryContent
  readonly links: readonly FeedLink[]
  /** How often a subscription group has offered it before. */
  readonly retryCount?: number
}

/** In the order in which they are written. */
export type RichMembers = {
  readonly eventId: string
  readonly eventType: string
  readonly eventNumber: number
  readonly data?: string
  readonly metaData?: string
  readonly linkMetaData?: string
  readonly streamId: string
  readonly isJson: boolean
  readonly isMetaData: boolean
  readonly isLinkMetaData: boolean
  readonly positionEventNumber: number
  readonly positionStreamId: string
}

/** An event inside its entry; `data` and `metadata` are JSON texts, `""` where there is nothing. */
export type EntryContent = {
  readonly eventStreamId: string
  readonly eventNumber: number
  readonly eventType: string
  readonly data: JsonText
  readonly metadata: JsonText
}

export const AUTHOR = 'EventStore'
/** When a page without entries was last changed. */
export const NEVER = '0001-01-01T00:00:00Z'

/** A time as feeds write it: without zeros at the end of the fraction. */
export function feedTime(iso: string): string {
  return iso.endsWith('0Z') && iso.includes('.') ? iso.replace(/\.?0*Z$/, 'Z') : iso
}

/** A stream's own address. */
export function streamUrl(base: string, stream: string): string {
  return `${base}/streams/${escapeSegment(stream)}`
}

/** Everything but unreserved characters (RFC 3986 §2.3) is escaped, `$` and `@` too. */
export function escapeSegment(text: string): string {
  if (/^[\w.-]+$/.test(text)) return text
  const escaped = encodeURIComponent(text)
  return /[!'()*]/.test(escaped)
    ? escaped.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    : escaped
}
