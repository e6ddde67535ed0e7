/**
 * What a metadata document says: how much of a stream is kept, how long its head may be cached, who may use
 * it. The metadata of stream `s` is the last event of the stream `$$s`.
 */
import { parseAcl, type StreamAcl } from './stream-acl.ts'
import { type StreamName, toStreamName } from './stream-name.ts'

export const METADATA_TYPE = '$metadata'
/** `$tb` of a stream that was deleted softly: 2^63 − 1, so no version ever reaches it. */
const NEVER = '9223372036854775807'
/** That number as one of ours, which is the nearest that there is. */
const DELETED = 2 ** 63

export type StreamMetadata = {
  /** Events that are kept, the newest ones. */
  readonly maxCount?: number
  /** Milliseconds for which events are kept. */
  readonly maxAgeMs?: number
  /** First version that is kept. */
  readonly truncateBefore?: number
  /** Seconds for which the head page may be cached. */
  readonly cacheSeconds?: number
  readonly acl?: StreamAcl
}

/** The stream that holds the metadata of `stream`; `undefined` where that could not be named. */
export function metadataStream(stream: StreamName): StreamName | undefined {
  return stream.startsWith('$$') ? undefined : toStreamName(`$$${stream}`)
}

/** The stream of which `stream` holds the metadata, if it does. */
export function describedStream(stream: StreamName): StreamName | undefined {
  return stream.startsWith('$$') && stream.length > 2 ? (stream.slice(2) as StreamName) : undefined
}

/** Reads a metadata document. Numbers below 1 are passed over; a malformed document says nothing. */
export function parseStreamMetadata(text: string): StreamMetadata {
  const document = parseObject(text)
  if (document === undefined) return {}
  const names = ['$maxCount', '$maxAge', '$tb', '$cacheControl']
  if (!names.every((name) => isWholeNumber(document[name]))) return {}
  const acl = document['$acl'] === undefined ? undefined : parseAcl(document['$acl'])
  if (acl === 'malformed') return {}
  const number = (name: string) => {
    const value = document[name]
    return typeof value === 'number' && value > 0 ? value : undefined
  }
  const maxAge = number('$maxAge')
  const metadata = {
    maxCount: number('$maxCount'),
    maxAgeMs: maxAge === undefined ? undefined : maxAge * 1000,
    truncateBefore: number('$tb'),
    cacheSeconds: number('$cacheControl'),
    acl,
  }
  const given = Object.entries(metadata).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given)
}

/**
 * Whether `$tb` says that the stream was deleted softly: by the number that stands for it, or by that of the
 * next event, which is what a write to such a stream begins with. Any other number is a truncation, also where
 * it is ahead of the stream: what is written below it is never seen.
 */
export function isDeletedBefore(truncateBefore: number, last: number): boolean {
  return truncateBefore >= DELETED || truncateBefore === last + 1
}

function isWholeNumber(value: unknown): boolean {
  return value === undefined || value === null || Number.isInteger(value)
}

export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/**
 * The document of a stream that is deleted softly. What was said of it is gone but for the access list: the log goes on
 * showing its events, to those who might read them.
 * @param before the document until now
 * @param firstVisible where some of its events are seen again
 */
export function deletedDocument(before: string | undefined, firstVisible?: number): string {
  const isListed = before !== undefined && parseStreamMetadata(before).acl !== undefined
  const list = isListed ? `,"$acl":${JSON.stringify(parseObject(before)?.['$acl'])}` : ''
  return `{"$tb":${firstVisible ?? NEVER}${list}}`
}

/** The document with another `$tb`, all else as it was; a document that is malformed is left behind. */
export function withTruncateBefore(text: string, version: number): string {
  const document = parseObject(text) ?? {}
  return JSON.stringify({ ...document, $tb: version })
}
