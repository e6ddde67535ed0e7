/** One event of a stream, by its number or as the last one. */
import { dataText, type EventView } from '../../domain/event-view.ts'
import type { StreamInfo } from '../../domain/stream-info.ts'
import { type StreamItem, unfollowed } from '../../domain/stream-reader.ts'
import { quoteTag } from '../../http/conditional.ts'
import type { Handler, RequestContext } from '../../http/handler.ts'
import type { HttpBody, HttpHeaders, HttpRequest, HttpResponse } from '../../http/message.ts'
import { indentedJson } from '../../kit/json-indent.ts'
import { publicBase } from './base-url.ts'
import { cacheHeaders, scopeOf } from './caching.ts'
import { pageTag } from './etag.ts'
import { entryContent, eventContent, eventEntry } from './event-entry.ts'
import type { FeedEntry } from './feed.ts'
import { contentJson, entryJson } from './feed-json.ts'
import { type Codec, EVENT_CODECS } from './media-types.ts'
import { negotiate, typeHeaders } from './negotiation.ts'
import { parseNumber } from './page-request.ts'
import type { AtomParts } from './parts.ts'
import { checkRequireLeader, resolveLinksOf } from './request-headers.ts'
import { refuseUnreadable, type StreamOf, streamParameter } from './stream-page.ts'
import { emptyResponse } from './style.ts'

type NumberOf = (parameters: RequestContext['parameters']) => number | 'head'

const numberParameter: NumberOf = ({ number = '' }) =>
  number === 'head' ? 'head' : parseNumber(number)

export type EventOptions = {
  readonly streamOf?: StreamOf
  readonly numberOf?: NumberOf
  /** Whether links are followed where the request does not say. */
  readonly followsLinks?: boolean
  /** The answer where there is no such event; the usual 404 unless given. */
  readonly missing?: (info: StreamInfo, codec: Codec) => Promise<HttpResponse> | undefined
}

export function readEvent(parts: AtomParts, options: EventOptions = {}): Handler {
  const { streamOf = streamParameter, numberOf = numberParameter } = options
  return async (request, context) => {
    const codec = negotiate(request, context.query, EVENT_CODECS)
    const stream = streamOf(context.parameters)
    const number = numberOf(context.parameters)
    const followsLinks = resolveLinksOf(request, options.followsLinks ?? true)
    checkRequireLeader(request)
    await parts.streams.rights.require(context.principal, 'read', stream)
    const info = await parts.streams.info(stream)
    const other = await options.missing?.(info, codec)
    if (other) return other
    if (info.state === 'hard-deleted') refuseUnreadable(info)
    const item = await itemOf(parts, context, info, { number, followsLinks })
    if (item === undefined) return notFound(codec)
    const headers = await eventHeaders(parts, request, info, { number, codec })
    const entry = eventEntry(publicBase(request, parts.settings.baseUrl), item, 'none')
    return { status: 200, headers, body: await bodyOf(codec, entry, item) }
  }
}

async function itemOf(
  parts: AtomParts,
  { principal }: RequestContext,
  info: StreamInfo,
  asked: { readonly number: number | 'head'; readonly followsLinks: boolean },
): Promise<Readable | undefined> {
  if (info.state !== 'live') return undefined
  const number = asked.number === 'head' ? info.last : asked.number
  const stored = await parts.streams.items(info, number, number)
  const items = asked.followsLinks
    ? await parts.streams.follow(stored, principal)
    : unfollowed(stored)
  const [item] = items
  return item && isReadable(item) ? item : undefined
}

/** A member whose event is there. */
type Readable = StreamItem & { readonly event: EventView }

const isReadable = (item: StreamItem): item is Readable => item.event !== undefined

async function eventHeaders(
  parts: AtomParts,
  request: HttpRequest,
  info: StreamInfo,
  { number, codec }: { readonly number: number | 'head'; readonly codec: Codec },
): Promise<HttpHeaders> {
  const scope = await scopeOf(parts, request, info.stream)
  const isHead = number === 'head'
  return {
    ...typeHeaders(codec),
    vary: 'Accept',
    ...cacheHeaders(isHead ? 'mutable' : 'immutable', scope, info.metadata.cacheSeconds),
    ...(isHead && { etag: quoteTag(pageTag(info.last, codec)) }),
  }
}

function notFound({ form }: Codec): HttpResponse {
  const isJson = form === 'atom-json' || form === 'data-json' || form === 'event-json'
  const headers = { vary: 'Accept', 'cache-control': 'no-store' }
  return { ...emptyResponse(404, 'Not Found', headers), body: isJson ? '{}' : '' }
}

async function bodyOf({ form }: Codec, entry: FeedEntry, item: Readable): Promise<HttpBody> {
  const { event } = item
  switch (form) {
    case 'atom-json':
      return entryJson(withContent(entry, item))
    case 'data-json':
      return event.data.kind === 'json' ? indentedJson(event.data.text) : dataText(event.data)
    case 'event-json':
      return contentJson(eventContent(event), event.eventId)
    case 'raw':
      return event.data.kind === 'json' ? event.data.text : event.data.bytes
    case 'data-xml':
      return (await import('./event-xml.ts')).dataXml(event)
    case 'event-xml':
      return (await import('./event-xml.ts')).eventXml(event)
    case 'html':
      return (await import('./event-html.ts')).eventHtml(entry, item)
    default:
      return (await import('./event-xml.ts')).entryXml(withContent(entry, item))
  }
}

/** A link does not hold what it leads to. */
function withContent(entry: FeedEntry, item: Readable): FeedEntry {
  const content = item.kind === 'event' ? entryContent(item.event) : undefined
  return content ? { ...entry, content } : entry
}
