/**
 * Pages that were answered before, for processes that answer many. A page follows from the request, from who
 * asks, and from the log: as long as the log has not grown it is the same. What also follows from the time
 * of day, or from streams that links lead to, is made anew each time.
 */
import type { LogEngine } from '../../domain/ports.ts'
import type { RequestContext } from '../../http/handler.ts'
import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { BoundedMap } from '../../kit/bounded-map.ts'

/** An answer, and whether it stays the same while the log does. */
export type MadePage = { readonly response: HttpResponse; readonly isLasting: boolean }

export type PageCache = (
  request: HttpRequest,
  context: RequestContext,
  make: () => Promise<MadePage>,
) => Promise<HttpResponse>

const MOST_PAGES = 128
const LARGEST_PAGE = 128 * 1024

export const noPageCache: PageCache = async (_request, _context, make) => (await make()).response

export function createPageCache(log: PageLog): PageCache {
  const pages = new BoundedMap<string, { readonly count: number; readonly response: HttpResponse }>(
    MOST_PAGES,
  )
  return async (request, context, make) => {
    const key = keyOf(request, context)
    const count = log.stamp?.() ?? (await log.head()).count
    const there = pages.get(key)
    if (there?.count === count) return there.response
    const { response, isLasting } = await make()
    const { body } = response
    if (!isLasting || typeof body !== 'string' || body.length > LARGEST_PAGE) return response
    const kept: HttpResponse = { ...response, body: Buffer.from(body), isRepeated: true }
    pages.set(key, { count, response: kept })
    return kept
  }
}

/** Its stamp is the number of its events. */
type PageLog = Pick<LogEngine, 'head' | 'stamp'>

/** Everything that an answer can follow from, besides the log. */
function keyOf(request: HttpRequest, { principal }: RequestContext): string {
  const { path, query, headers, origin, mount } = request
  const { name, role, groups = [], isAnonymous } = principal
  let key = `${path}\n${query}\n${origin}\n${mount}\n${name}\n${role}\n${isAnonymous}`
  for (const group of groups) key += `\n=${group}`
  for (const header in headers) {
    if (isLookedAt(header)) key += `\n${header}\n${headers[header] ?? ''}`
  }
  return key
}

const isLookedAt = (header: string): boolean =>
  header === 'accept' ||
  header === 'if-none-match' ||
  header.startsWith('es-') ||
  header.startsWith('x-forwarded-') ||
  header.startsWith('kurrent-')
