/**
 * Entity tags and conditional requests (RFC 9110 §8.8.3, §13). Our tags are strong and quoted; from clients
 * quoted, bare and weak tags, lists and `*` are taken.
 */

/** What a conditional header names: anything, or certain tags without quotes and weakness. */
export type TagCondition =
  | { readonly kind: 'any' }
  | { readonly kind: 'tags'; readonly tags: readonly string[] }

/** Servers that compress on the way out mark the tag so, and clients send it back so (hosting: mod_deflate). */
const compressionSuffix = /(?:-gzip|-br|-deflate|-zstd|;gzip|;gz|;br)$/

export function quoteTag(tag: string): string {
  return `"${tag}"`
}

/** `undefined` where the header is missing or empty. */
export function parseTagCondition(header: string | undefined): TagCondition | undefined {
  const tags = (header ?? '')
    .split(',')
    .map(plainTag)
    .filter((tag) => tag !== '')
  if (tags.length === 0) return undefined
  return tags.includes('*') ? { kind: 'any' } : { kind: 'tags', tags }
}

function plainTag(written: string): string {
  let tag = written.trim()
  if (tag.startsWith('W/')) tag = tag.slice(2)
  if (tag.startsWith('"')) tag = tag.slice(1)
  tag = tag.replace(compressionSuffix, '')
  if (tag.endsWith('"')) tag = tag.slice(0, -1)
  return tag.replace(compressionSuffix, '')
}

/** True where `If-None-Match` says that the client has what one of `tags` stands for already. */
export function isKnownToClient(
  ifNoneMatch: string | undefined,
  ...tags: readonly string[]
): boolean {
  const condition = parseTagCondition(ifNoneMatch)
  if (condition === undefined) return false
  return condition.kind === 'any' || condition.tags.some((tag) => tags.includes(tag))
}
