/** Pages of streams as feeds. */
import { AppError } from '../../domain/app-error.ts'
import type { StreamInfo } from '../../domain/stream-info.ts'
import { metadataStream } from '../../domain/stream-metadata.ts'
import { parseStreamName, type StreamName } from '../../domain/stream-name.ts'
import { type StreamItem, unfollowed } from '../../domain/stream-reader.ts'
import { ALL_STREAM } from '../../domain/stream-view.ts'
import { quoteTag } from '../../http/conditional.ts'
import type { Handler, RequestContext, RouteParameters } from '../../http/handler.ts'
import type { HttpHeaders, HttpRequest } from '../../http/message.ts'
import { publicBase } from './base-url.ts'
import { cacheHeaders, scopeOf } from './caching.ts'
import { describeStream } from './description.ts'
import { parseEmbed } from './embed.ts'
import { isKnownPage, pageTag } from './etag.ts'
import { eventEntry } from './event-entry.ts'
import { type Feed, feedTime, NEVER, streamUrl } from './feed.ts'
import { isHeadPage, isMutablePage, type PageRequest, pageLinks } from './feed-links.ts'
import { feedBody } from './feed-writer.ts'
import { longPollOf, waitForEvent } from './long-poll.ts'
import { type Codec, FEED_CODECS } from './media-types.ts'
import { negotiate, typeHeaders } from './negotiation.ts'
import type { MadePage } from './page-cache.ts'
import type { PageForm } from './page-request.ts'
import type { AtomParts } from './parts.ts'
import { checkRequireLeader, resolveLinksOf } from './request-headers.ts'

/** The stream that a path names, or the one that holds its metadata. */
export type StreamOf = (parameters: RouteParameters) => StreamName

export const streamParameter: StreamOf = ({ stream = '' }) => parseStreamName(stream)

/** The stream that holds the metadata of the one in the path. @throws AppError `bad-name` */
export const metadataParameter: StreamOf = (parameters) => {
  const holder = metadataStream(streamParameter(parameters))
  if (holder !== undefined) return holder
  throw new AppError('bad-name', 'This stream has no metadata', { field: 'stream' })
}

/** What is asked of a stream, settled before it is looked at. */
type Asked = {
  readonly stream: StreamName
  readonly page: PageRequest
  readonly codec: Codec
  readonly followsLinks: boolean
  readonly longPollMs: number
}

export function readPage(
  parts: AtomParts,
  form: PageForm,
  streamOf: StreamOf = streamParameter,
): Handler {
  return (request, context) =>
    parts.pages(request, context, async () => {
      const codec = negotiate(request, context.query, FEED_CODECS)
      const stream = streamOf(context.parameters)
      if (codec.form === 'description') {
        return { response: await description(parts, context, stream, codec), isLasting: false }
      }
      const page = form(context.parameters, parts.settings.maxFeedEvents)
      const longPollMs = page.direction === 'forward' ? longPollOf(request, parts.settings) : 0
      const followsLinks = resolveLinksOf(request, true)
      checkRequireLeader(request)
      return answer(parts, request, context, { stream, page, codec, followsLinks, longPollMs })
    })
}

async function answer(
  parts: AtomParts,
  request: HttpRequest,
  context: RequestContext,
  asked: Asked,
): Promise<MadePage> {
  const { stream, page, codec } = asked
  await parts.streams.rights.require(context.principal, 'read', stream)
  const info = await awaitedInfo(parts, asked)
  refuseUnreadable(info)
  const headers = await pageHeaders(parts, request, info, asked)
  if (isKnownPage(request, pageTag(info.last, codec))) {
    return { response: { status: 304, reason: 'Not Modified', headers }, isLasting: false }
  }
  const stored = await parts.streams.items(info, ...boundsOf(page, info))
  const items = asked.followsLinks
    ? await parts.streams.follow(stored, context.principal)
    : unfollowed(stored)
  const base = publicBase(request, parts.settings.baseUrl)
  const embed = codec.form === 'html' ? 'pretty' : parseEmbed(context.query.get('embed'))
  const entries = items.map((item) => eventEntry(base, item, embed))
  const feed = { ...feedHead(streamUrl(base, info.stream), info, asked, items), entries }
  const body = await feedBody(feed, codec)
  const isTimeless = info.metadata.maxAgeMs === undefined && asked.longPollMs === 0
  const isLasting = isTimeless && items.every(isItself)
  return {
    response: { status: 200, headers: { ...headers, ...typeHeaders(codec) }, body },
    isLasting,
  }
}

/** Whether what is shown of an item does not follow from other streams. */
const isItself = ({ kind }: StreamItem): boolean => kind === 'event'

/** Anybody may learn in which forms a stream is offered, but not which groups read it. */
async function description(
  { streams, groupNames }: AtomParts,
  { principal }: RequestContext,
  stream: StreamName,
  codec: Codec,
) {
  const isReadable = await streams.rights.allows(principal, 'read', stream)
  return describeStream(codec, stream, isReadable ? await groupNames(stream) : [])
}

/** What is known of the stream; a reader who waits gets it when there is something for him, or in the end. */
async function awaitedInfo(parts: AtomParts, { stream, page, longPollMs }: Asked) {
  const from = page.from === 'head' ? 0 : page.from
  return waitForEvent(parts, longPollMs, () => parts.streams.info(stream), isEnough)

  function isEnough({ state, last }: StreamInfo): boolean {
    return state === 'hard-deleted' || (state === 'live' && from <= last)
  }
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
  { page, codec }: Asked,
): Promise<HttpHeaders> {
  const scope = await scopeOf(parts, request, info.stream)
  const isMutable = isMutablePage(page, info.last)
  return {
    vary: 'Accept',
    ...cacheHeaders(isMutable ? 'mutable' : 'immutable', scope, info.metadata.cacheSeconds),
    ...(isMutable && { etag: quoteTag(pageTag(info.last, codec)) }),
  }
}

function feedHead(
  self: string,
  info: StreamInfo,
  { page, codec }: Asked,
  items: readonly StreamItem[],
): Omit<Feed, 'entries'> {
  const isHead = isHeadPage(page, info.last)
  const isBackward = page.direction === 'backward'
  return {
    title: `Event stream '${info.stream}'`,
    id: self,
    updated: updatedOf(isBackward ? items[0] : items.at(-1)),
    streamId: info.stream,
    headOfStream: isHead,
    ...(isBackward && { selfUrl: self }),
    ...(isBackward && isHead && { eTag: pageTag(info.last, codec) }),
    links: pageLinks(page, { ...info, isEmpty: items.length === 0 }, self),
  }
}

/** The time of an entry, as that of its feed. */
export function updatedOf(item: StreamItem | undefined): string {
  if (item === undefined) return NEVER
  return feedTime(item.kind === 'link' ? item.link.createdAt : item.event.createdAt)
}

/** Whether a path is about the log as a whole. */
export const isAll = ({ stream }: RouteParameters): boolean => stream === ALL_STREAM
