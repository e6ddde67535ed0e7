/**
 * The whole log as a feed, by position instead of number. A position is written as 32 hex digits, twice the
 * position in the log; pages backwards begin before it, pages forwards with it.
 */
import { AppError } from '../../domain/app-error.ts'
import { itemOfEvent, type StreamItem, unfollowed, viewOf } from '../../domain/stream-reader.ts'
import { ALL_STREAM } from '../../domain/stream-view.ts'
import { quoteTag } from '../../http/conditional.ts'
import type { Handler, RequestContext, RouteParameters } from '../../http/handler.ts'
import type { HttpHeaders, HttpRequest, HttpResponse } from '../../http/message.ts'
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

export function readAll(parts: AtomParts, form: AllForm): Handler {
  return async (request, context) => {
    const codec = negotiate(request, context.query, FEED_CODECS)
    if (codec.form === 'description') return describeStream(codec, ALL_STREAM, [])
    const page = form(context.parameters, parts.settings.maxFeedEvents)
    const longPollMs = page.direction === 'forward' ? longPollOf(request, parts.settings) : 0
    const followsLinks = resolveLinksOf(request, false)
    checkRequireLeader(request)
    await parts.streams.rights.require(context.principal, 'read', ALL_STREAM)
    const from = page.from === 'head' ? 0 : page.from
    const isEnough = (head: { readonly count: number }) => head.count > from
    const { count } = await waitForEvent(parts.log, longPollMs, () => parts.log.head(), isEnough)
    return answer(parts, request, context, { page, codec, followsLinks, end: count })
  }
}

type Asked = {
  readonly page: AllPage
  readonly codec: Codec
  readonly followsLinks: boolean
  readonly end: number
}

async function answer(
  parts: AtomParts,
  request: HttpRequest,
  context: RequestContext,
  { page, codec, followsLinks, end }: Asked,
): Promise<HttpResponse> {
  const bounds = boundsOf(page, end)
  const tag = pageTag(end - 1, codec)
  const scope = await scopeOf(parts, request, ALL_STREAM)
  const isMutable =
    page.direction === 'forward'
      ? bounds.high - bounds.low < page.count
      : page.from === 'head' || page.from > end
  const headers: HttpHeaders = {
    vary: 'Accept',
    ...cacheHeaders(isMutable ? 'mutable' : 'immutable', scope),
    ...(isMutable && { etag: quoteTag(tag) }),
  }
  if (isKnownPage(request, tag)) return { status: 304, reason: 'Not Modified', headers }
  const stored = await itemsOf(parts, bounds)
  const items = followsLinks
    ? await parts.streams.follow(stored, context.principal)
    : unfollowed(stored)
  const base = publicBase(request, parts.settings.baseUrl)
  const self = streamUrl(base, ALL_STREAM)
  const embed = codec.form === 'html' ? 'pretty' : parseEmbed(context.query.get('embed'))
  const feed = {
    title: 'All events',
    id: self,
    updated: updatedOf(page.direction === 'backward' ? items[0] : items.at(-1)),
    headOfStream: false,
    links: linksOf(self, page, bounds),
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

async function itemsOf({ log }: AtomParts, { low, high }: Bounds): Promise<StreamItem[]> {
  const items: StreamItem[] = []
  for await (const run of log.readLog(low, high, 'backwards')) {
    for (const stored of run) items.push(itemOfEvent(await viewOf(log, stored)))
  }
  return items
}

function linksOf(self: string, page: AllPage, { low, high, end }: Bounds): FeedLink[] {
  const { count, direction } = page
  const link = (relation: string, path: string): FeedLink => ({ uri: `${self}${path}`, relation })
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
    link('metadata', '/metadata'),
  ]
}
