/** The `Range` header (RFC 9110 §14), parsed by a library: one range of bytes is served, several are not. */
import { AppError } from '../domain/app-error.ts'
import { quoteTag } from './conditional.ts'
import type { HttpRequest } from './message.ts'

/** Both ends inclusive, counted from 0. */
export type RequestedRange = { readonly start: number; readonly end: number }

/**
 * The one range that a request asks of `size` bytes under `tag`; `undefined` where the whole is to be sent:
 * no range, several, another unit, nonsense, or `If-Range` names another tag.
 * @throws AppError `range-not-satisfiable`
 */
export async function requestedRange(
  request: HttpRequest,
  size: number,
  tag: string,
): Promise<RequestedRange | undefined> {
  const { range } = request.headers
  if (range === undefined || request.method !== 'GET') return undefined
  if (!isFresh(request.headers['if-range'], tag)) return undefined
  const { default: parseRange } = await import('range-parser')
  const ranges = parseRange(size, withinSize(range, size))
  if (ranges === -1) {
    throw new AppError('range-not-satisfiable', `There are ${size} bytes`, { size })
  }
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined
  return ranges[0]
}

/**
 * The strong comparison (RFC 9110 §13.1.5): a weak tag, or the mark of one that was compressed on the way, names
 * other bytes, and a range of ours joined to those would be no content at all.
 */
function isFresh(ifRange: string | undefined, tag: string): boolean {
  return ifRange === undefined || ifRange === quoteTag(tag) || ifRange === tag
}

/** "The last n bytes" of less than n bytes are all of them, which the library takes for unsatisfiable. */
function withinSize(range: string, size: number): string {
  const suffix = /^bytes=-([0-9]+)$/.exec(range)
  return suffix && Number(suffix[1]) > size && size > 0 ? 'bytes=0-' : range
}
