/**
 * The whole log as a feed, by position instead of number. A position is written as 32 hex digits, twice the
 * position in the log; pages backwards begin before it, pages forwards with it. A filtered page looks through
 * a bounded part of the log, and may hold less than it was asked for, or nothing: its links lead on behind that.
 */
import { AppError } from '../../domain/app-error.ts'
import { itemOfEvent, type StreamItem, unfollowed, viewOf } from '../../domain/stream-reader.ts'
import { ALL_STREAM } from '../../domain/stream-view.ts'
import { quoteTag } from '../../http/conditional.ts'
import type { Handler, RequestContext, RouteParameters } from '../../http/handler.ts'
import type { HttpHeaders, HttpRequest, HttpResponse } from '../../http/message.ts'
import { type AllFilter, parseAllFilter } from './all-filter.ts'
import { publicBase } from './base-url.ts'
import { cacheHeaders, scopeOf } from './caching.ts'
import { describeStream } from './description.ts'
import { parseEmbed } from './embed.ts'
import { isKnownPage, pageTag } from './etag.ts'
import { eventEntry } from './event-entry.ts'
import { type FeedLink, streamUrl } from './feed.ts'
import { feedBody } from './feed-writer.ts'
import { longPollOf, waitForEvent } from './long-poll.ts'
import { type Codec, FEED_CODECS } from './media-types.ts'
import { negotiate, typeHeaders } from './negotiation.ts'
import { DEFAULT_COUNT, findCount } from './page-request.ts'
import type { AtomParts } from './parts.ts'
import { checkRequireLeader, resolveLinksOf } from './request-headers.ts'
import { updatedOf } from './stream-page.ts'

/** A page of the log: `low` inclusive, `high` exclusive, once it is known where the log ends. */
type AllPage = {
  readonly direction: 'backward' | 'forward'
  readonly from: number | 'head'
  readonly count: number
}

type Bounds = { readonly low: number; readonly high: number; readonly end: number }

type AllForm = (parameters: RouteParameters, largest: number) => AllPage

export const allHead: AllForm = () => ({
  direction: 'backward',
  from: 'head',
  count: DEFAULT_COUNT,
})

export const allBackward: AllForm = ({ number = '', count = '' }, largest) => ({
  direction: 'backward',
  from: number === 'head' ? 'head' : parsePosition(number),
  count: parseCount(count, largest),
})

export const allForward: AllForm = ({ number = '', count = '' }, largest) => ({
  direction: 'forward',
  from: parsePosition(number),
  count: parseCount(count, largest),
})

function parsePosition(text: string): number {
  const [, commit] = /^([0-9a-f]{16})[0-9a-f]{16}$/i.exec(text) ?? []
  if (commit === undefined) throw new AppError('bad-query', `Invalid position argument: ${text}`)
  return Math.min(Number.parseInt(commit, 16), Number.MAX_SAFE_INTEGER)
}

function parseCount(text: string, largest: number): number {
  const count = findCount(text, largest)
  if (count === undefined) throw new AppError('bad-query', `Invalid count argument: ${text}`)
  return count
}

function positionText(position: number): string {
  const half = position.toString(16).toUpperCase().padStart(16, '0')
  return half + half
}

export function readFiltered(parts: AtomParts, form: AllForm): Handler {
  return readAll(parts, form, parseAllFilter)
}

export function readAll(
  parts: AtomParts,
  form: AllForm,
  filterOf: (query: RequestContext['query']) => AllFilter | undefined = () => undefined,
): Handler {
  return async (request, context) => {
    const codec = negotiate(request, context.query, FEED_CODECS)
    if (codec.form === 'description') return describeStream(codec, ALL_STREAM, [])
    const page = form(context.parameters, parts.settings.maxFeedEvents)
    const filter = filterOf(context.query)
    const longPollMs = page.direction === 'forward' ? longPollOf(request, parts.settings) : 0
    const followsLinks = resolveLinksOf(request, false)
    checkRequireLeader(request)
    await parts.streams.rights.require(context.principal, 'read', ALL_STREAM)
    const from = page.from === 'head' ? 0 : page.from
    const isEnough = (head: { readonly count: number }) => head.count > from
    const { count } = await waitForEvent(parts, longPollMs, () => parts.log.head(), isEnough)
    return answer(parts, request, context, { page, codec, filter, followsLinks, end: count })
  }
}

type Asked = {
  readonly page: AllPage
  readonly codec: Codec
  readonly filter: AllFilter | undefined
  readonly followsLinks: boolean
  readonly end: number
}

async function answer(
  parts: AtomParts,
  request: HttpRequest,
  context: RequestContext,
  { page, codec, filter, followsLinks, end }: Asked,
): Promise<HttpResponse> {
  const tag = pageTag(end - 1, codec)
  const isKnown = isKnownPage(request, tag)
  const looked =
    isKnown && !filter ? unread(page, end) : await lookThrough(parts, page, filter, end)
  const { bounds, items: stored, isFull } = looked
  const scope = await scopeOf(parts, request, ALL_STREAM)
  const isMutable = page.direction === 'forward' ? !isFull : page.from === 'head' || page.from > end
  const headers: HttpHeaders = {
    vary: 'Accept',
    ...cacheHeaders(isMutable ? 'mutable' : 'immutable', scope),
    ...(isMutable && { etag: quoteTag(tag) }),
  }
  if (isKnown) return { status: 304, reason: 'Not Modified', headers }
  const items = followsLinks
    ? await parts.streams.follow(stored, context.principal)
    : unfollowed(stored)
  const base = publicBase(request, parts.settings.baseUrl)
  const self = streamUrl(base, ALL_STREAM) + (filter ? '/filtered' : '')
  const embed = codec.form === 'html' ? 'pretty' : parseEmbed(context.query.get('embed'))
  const feed = {
    title: 'All events',
    id: self,
    updated: updatedOf(page.direction === 'backward' ? items[0] : items.at(-1)),
    headOfStream: false,
    links: linksOf(self, page, bounds, filter),
    entries: items.map((item) => eventEntry(base, item, embed)),
  }
  return {
    status: 200,
    headers: { ...headers, ...typeHeaders(codec) },
    body: await feedBody(feed, codec),
  }
}

function boundsOf({ direction, from, count }: AllPage, end: number): Bounds {
  const start = from === 'head' ? end : Math.min(from, end)
  return direction === 'forward'
    ? { low: start, high: Math.min(start + count, end), end }
    : { low: Math.max(0, start - count), high: start, end }
}

type Looked = {
  /** The part of the log that the page stands for. */
  readonly bounds: Bounds
  /** Newest first. */
  readonly items: readonly StreamItem[]
  /** Whether a page forwards stays as it is. */
  readonly isFull: boolean
}

/** All that a reader needs to know who has the page. */
function unread(page: AllPage, end: number): Looked {
  const bounds = boundsOf(page, end)
  return { bounds, items: [], isFull: bounds.high - bounds.low === page.count }
}

async function lookThrough(
  { log, settings }: AtomParts,
  page: AllPage,
  filter: AllFilter | undefined,
  end: number,
): Promise<Looked> {
  const { direction, count } = page
  const most = filter ? settings.maxFeedEvents : count
  const { low, high } = boundsOf({ ...page, count: most }, end)
  const items: StreamItem[] = []
  let seen = 0
  reading: for await (const run of log.readLog(low, high, `${direction}s`)) {
    for (const stored of run) {
      seen++
      const event = await viewOf(log, stored)
      if (filter && !filter.shows(event)) continue
      items.push(itemOfEvent(event))
      if (items.length === count) break reading
    }
  }
  const bounds =
    direction === 'forward' ? { low, high: low + seen, end } : { low: high - seen, high, end }
  return {
    bounds,
    items: direction === 'forward' ? items.reverse() : items,
    isFull: items.length === count || seen === most,
  }
}

function linksOf(
  self: string,
  page: AllPage,
  { low, high, end }: Bounds,
  filter: AllFilter | undefined,
): FeedLink[] {
  const { count, direction } = page
  const link = (relation: string, path: string): FeedLink => ({
    uri: `${self}${path}${path === '' ? '' : (filter?.query ?? '')}`,
    relation,
  })
  const isEmptyEnd = direction === 'forward' && low === high && high === end
  return [
    link('self', ''),
    link('first', `/head/backward/${count}`),
    ...(low > 0
      ? [
          link('last', `/${positionText(0)}/forward/${count}`),
          link('next', `/${positionText(low)}/backward/${count}`),
        ]
      : []),
    ...(isEmptyEnd ? [] : [link('previous', `/${positionText(high)}/forward/${count}`)]),
    ...(filter ? [] : [link('metadata', '/metadata')]),
  ]
}
