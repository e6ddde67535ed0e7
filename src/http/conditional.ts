/**
 * Entity tags and conditional requests (RFC 9110 §8.8.3, §13). Our tags are strong and quoted; from clients
 * quoted, bare and weak tags, lists and `*` are taken.
 */

/** What a conditional header names: anything, or certain tags without quotes and weakness. */
export type TagCondition =
  | { readonly kind: 'any' }
  | { readonly kind: 'tags'; readonly tags: readonly string[] }

/** Servers that compress on the way out mark the tag so, and clients send it back so (hosting: mod_deflate). */
const SUFFIX = '(?:-gzip|-br|-deflate|-zstd|;gzip|;gz|;br)'
const compressionSuffix = new RegExp(`${SUFFIX}$`)

/** A tag in quotes, which a comma may stand in, or without them. */
const element = new RegExp(
  `(?:W/)?(?:"([!#-~\\x80-\\uffff]*)"(?:${SUFFIX})?|(?!W/)([!#-+\\--~\\x80-\\uffff]+))`,
  'y',
)
/** Elements of a list may be missing (RFC 9110 §5.6.1.2). */
const between = /[ \t]*(?:,[ \t,]*|$)/y
const leading = /[ \t,]*/y

export function quoteTag(tag: string): string {
  return `"${tag}"`
}

/** `undefined` where the header is missing; `malformed` where it names no tag, or something that is none. */
export function parseTagCondition(
  header: string | undefined,
): TagCondition | 'malformed' | undefined {
  if (header === undefined) return undefined
  if (header.trim() === '*') return { kind: 'any' }
  const tags: string[] = []
  for (let at = endOf(leading, header, 0) ?? 0; at < header.length; ) {
    const tagEnd = endOf(element, header, at)
    const next = tagEnd === undefined ? undefined : endOf(between, header, tagEnd)
    if (next === undefined) return 'malformed'
    tags.push(plainTag(header.slice(at, tagEnd)))
    at = next
  }
  return tags.length === 0 ? 'malformed' : { kind: 'tags', tags }
}

/** Where what `pattern` matches at `at` ends. */
function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : undefined
}

function plainTag(written: string): string {
  let tag = written
  if (tag.startsWith('W/')) tag = tag.slice(2)
  if (tag.startsWith('"')) tag = tag.slice(1)
  tag = tag.replace(compressionSuffix, '')
  if (tag.endsWith('"')) tag = tag.slice(0, -1)
  return tag.replace(compressionSuffix, '')
}

/**
 * True where `If-None-Match` says that the client has what one of `tags` stands for already; of no use is one that is
 * malformed.
 */
export function isKnownToClient(
  ifNoneMatch: string | undefined,
  ...tags: readonly string[]
): boolean {
  const condition = parseTagCondition(ifNoneMatch)
  if (condition === undefined || condition === 'malformed') return false
  return condition.kind === 'any' || condition.tags.some((tag) => tags.includes(tag))
}
