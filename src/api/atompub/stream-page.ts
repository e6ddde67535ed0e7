/** Pages of streams as feeds. */
import { AppError } from '../../domain/app-error.ts'
import type { StreamInfo } from '../../domain/stream-info.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import { parseStreamName } from '../../domain/stream-name.ts'
import { type StreamItem, unfollowed } from '../../domain/stream-reader.ts'
import { quoteTag } from '../../http/conditional.ts'
import type { Handler, RequestContext } from '../../http/handler.ts'
import type { HttpHeaders, HttpRequest, HttpResponse } from '../../http/message.ts'
import { publicBase } from './base-url.ts'
import { cacheHeaders, scopeOf } from './caching.ts'
import { parseEmbed } from './embed.ts'
import { isKnownPage, pageTag } from './etag.ts'
import { eventEntry } from './event-entry.ts'
import { type Feed, feedTime, NEVER, streamUrl } from './feed.ts'
import { isHeadPage, isMutablePage, type PageRequest, pageLinks } from './feed-links.ts'
import { feedBody } from './feed-writer.ts'
import { type Codec, FEED_CODECS } from './media-types.ts'
import { contentType, negotiate } from './negotiation.ts'
import type { AtomParts } from './parts.ts'
import { resolveLinksOf } from './request-headers.ts'

const DEFAULT_COUNT = 20

type PageForm = (parameters: RequestContext['parameters'], largest: number) => PageRequest

export const headPage: PageForm = () => ({
  direction: 'backward',
  from: 'head',
  count: DEFAULT_COUNT,
})

export const backwardPage: PageForm = ({ number = '', count = '' }, largest) => ({
  direction: 'backward',
  from: number === 'head' ? 'head' : parseNumber(number),
  count: parseCount(count, largest),
})

export const forwardPage: PageForm = ({ number = '', count = '' }, largest) => ({
  direction: 'forward',
  from: parseNumber(number),
  count: parseCount(count, largest),
})

function parseNumber(text: string): number {
  if (/^[0-9]{1,19}$/.test(text)) return Math.min(Number(text), Number.MAX_SAFE_INTEGER)
  throw new AppError('bad-query', `'${text}' is not valid event number`)
}

function parseCount(text: string, largest: number): number {
  const count = Number(text)
  if (/^[0-9]{1,9}$/.test(text) && count >= 1 && count <= largest) return count
  throw new AppError('bad-query', `'${text}' is not valid count. Should be positive integer`)
}

/** @param streamOf the stream a path names: its own, or the one that holds its metadata */
export function readPage(
  parts: AtomParts,
  form: PageForm,
  streamOf: (parameters: RequestContext['parameters']) => StreamName = streamParameter,
): Handler {
  return async (request, context) => {
    const codec = negotiate(request, context.query, FEED_CODECS)
    const stream = streamOf(context.parameters)
    if (codec.form === 'description') return describe(codec, stream)
    const page = form(context.parameters, parts.settings.maxFeedEvents)
    const followLinks = resolveLinksOf(request, true)
    await parts.streams.rights.require(context.principal, 'read', stream)
    const info = await parts.streams.info(stream)
    refuseUnreadable(info)
    const headers = await pageHeaders(parts, request, info, page, codec)
    if (isKnownPage(request, pageTag(info.last, codec))) {
      return { status: 304, reason: 'Not Modified', headers }
    }
    const stored = await parts.streams.items(info, ...boundsOf(page, info))
    const items = followLinks
      ? await parts.streams.follow(stored, context.principal)
      : unfollowed(stored)
    const feed = streamFeed(publicBase(request, parts.settings.baseUrl), info, page, {
      items,
      codec,
      query: context.query,
    })
    return {
      status: 200,
      headers: { ...headers, 'content-type': contentType(codec) },
      body: await feedBody(feed, codec),
    }
  }
}

export function streamParameter({ stream = '' }: RequestContext['parameters']): StreamName {
  return parseStreamName(stream)
}

/** @throws AppError `stream-not-found`, `stream-deleted` */
export function refuseUnreadable({ state }: StreamInfo): void {
  if (state === 'live') return
  if (state === 'hard-deleted') throw new AppError('stream-deleted', 'The stream was deleted')
  throw new AppError('stream-not-found', 'There is no such stream')
}

function boundsOf(page: PageRequest, { last }: StreamInfo): readonly [number, number] {
  if (page.direction === 'forward') return [page.from, page.from + page.count - 1]
  const from = page.from === 'head' ? last : page.from
  return [from - page.count + 1, from]
}

async function pageHeaders(
  parts: AtomParts,
  request: HttpRequest,
  info: StreamInfo,
  page: PageRequest,
  codec: Codec,
): Promise<HttpHeaders> {
  const scope = await scopeOf(parts, request, info.stream)
  const isMutable = isMutablePage(page, info.last)
  return {
    vary: 'Accept',
    ...cacheHeaders(isMutable ? 'mutable' : 'immutable', scope, info.metadata.cacheSeconds),
    ...(isMutable && { etag: quoteTag(pageTag(info.last, codec)) }),
  }
}

type PageContent = {
  readonly items: readonly StreamItem[]
  readonly codec: Codec
  readonly query: URLSearchParams
}

function streamFeed(
  base: string,
  info: StreamInfo,
  page: PageRequest,
  { items, codec, query }: PageContent,
): Feed {
  const self = streamUrl(base, info.stream)
  const place = { ...info, isEmpty: items.length === 0 }
  const isHead = isHeadPage(page, info.last)
  const isBackward = page.direction === 'backward'
  const embed = codec.form === 'html' ? 'pretty' : parseEmbed(query.get('embed'))
  return {
    title: `Event stream '${info.stream}'`,
    id: self,
    updated: updatedOf(isBackward ? items[0] : items.at(-1)),
    streamId: info.stream,
    headOfStream: isHead,
    ...(isBackward && { selfUrl: self }),
    ...(isBackward && isHead && { eTag: pageTag(info.last, codec) }),
    links: pageLinks(page, place, self),
    entries: items.map((item) => eventEntry(base, item, embed)),
  }
}

function updatedOf(item: StreamItem | undefined): string {
  if (item === undefined) return NEVER
  return feedTime(item.kind === 'link' ? item.link.createdAt : item.event.createdAt)
}

/** What this resource is offered as; for whoever asks for nothing but that. */
function describe(codec: Codec, stream: StreamName): HttpResponse {
  const href = `/streams/${encodeURIComponent(stream)}`
  const form = (supportedContentTypes: readonly string[]) => ({ href, supportedContentTypes })
  const document = {
    title: `Description document for '${stream}'`,
    description: 'The forms in which this stream can be read',
    _links: {
      self: form([codec.mediaType]),
      stream: form(['application/atom+xml', 'application/vnd.eventstore.atom+json']),
    },
  }
  return {
    status: 200,
    headers: { 'content-type': contentType(codec), vary: 'Accept' },
    body: JSON.stringify(document, null, 2),
  }
}
