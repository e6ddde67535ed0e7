/** Hands out messages of a group as a feed, from which clients take the addresses to acknowledge by. */
import { requireConsumer } from '../../../domain/access.ts'
import { AppError } from '../../../domain/app-error.ts'
import { ownEvent } from '../../../domain/message-source.ts'
import { type StreamItem, unfollowed } from '../../../domain/stream-reader.ts'
import type { Group } from '../../../domain/subscription-group.ts'
import type { GroupMessage } from '../../../domain/subscription-state.ts'
import type { Handler, RequestContext } from '../../../http/handler.ts'
import { publicBase } from '../base-url.ts'
import { parseEmbed } from '../embed.ts'
import { eventEntry } from '../event-entry.ts'
import { type Feed, type FeedEntry, type FeedLink, feedTime, NEVER } from '../feed.ts'
import { feedBody } from '../feed-writer.ts'
import { MESSAGE_CODECS } from '../media-types.ts'
import { negotiate, typeHeaders } from '../negotiation.ts'
import { type GroupParts, groupOf, groupUrl } from './parts.ts'

const MOST = 100

/** A message with what it is about. */
type Delivery = { readonly message: GroupMessage; readonly item: StreamItem }

export function fetchMessages(parts: GroupParts): Handler {
  return async (request, context) => {
    const codec = negotiate(request, context.query, MESSAGE_CODECS)
    const count = parseCount(context)
    const id = groupOf(context)
    requireConsumer(context.principal)
    await parts.streams.rights.require(context.principal, 'read', id.stream)
    const group = await parts.subscriptions.find(id)
    if (!group) throw new AppError('group-not-found', 'There is no such subscription group', id)
    const messages = await parts.subscriptions.fetch(id, count, context.principal.name)
    const deliveries = await deliveriesOf(parts, group, messages, context)
    const base = publicBase(request, parts.settings.baseUrl)
    const entries = deliveries.map((delivery) => entryOf(base, group, delivery, context))
    const feed = feedOf(groupUrl(base, id), group, count, deliveries, entries)
    return {
      status: 200,
      headers: {
        ...typeHeaders(codec),
        'cache-control': 'max-age=0, no-cache, must-revalidate',
        vary: 'Accept',
      },
      body: await feedBody(feed, codec),
    }
  }
}

function parseCount({ parameters, query: _query }: RequestContext): number {
  const text = parameters['count'] ?? '1'
  const count = Number(text)
  if (/^[0-9]{1,3}$/.test(text) && count >= 1 && count <= MOST) return count
  const message = `Message count must be an integer between 1 and ${MOST}`
  throw new AppError('bad-query', message, { parameter: 'count' })
}

/** Newest first. What cannot be seen any more is done with: nobody could be told what it said. */
async function deliveriesOf(
  { streams, subscriptions }: GroupParts,
  { id, settings }: Group,
  messages: readonly GroupMessage[],
  { principal }: RequestContext,
): Promise<readonly Delivery[]> {
  if (messages.length === 0) return []
  const info = await streams.info(id.stream)
  const stored: StreamItem[] = []
  if (info.state === 'live') {
    for (const [low, high] of runsOf(messages))
      stored.unshift(...(await streams.items(info, low, high)))
  }
  const items = settings.resolveLinktos
    ? await streams.follow(stored, principal)
    : unfollowed(stored)
  const byNumber = new Map(items.map((item) => [ownEvent(item).number, item]))
  const gone = messages.filter(({ number }) => !byNumber.has(number))
  if (gone.length > 0)
    await subscriptions.drop(
      id,
      gone.map(({ number }) => number),
    )
  return messages
    .flatMap((message) => {
      const item = byNumber.get(message.number)
      return item ? [{ message, item }] : []
    })
    .reverse()
}

/** First and last number of each gap-free run. */
function runsOf(messages: readonly GroupMessage[]): [number, number][] {
  const runs: [number, number][] = []
  for (const { number } of messages) {
    const last = runs.at(-1)
    if (last && last[1] === number - 1) last[1] = number
    else runs.push([number, number])
  }
  return runs
}

function entryOf(
  base: string,
  { id }: Group,
  { message, item }: Delivery,
  { query }: RequestContext,
): FeedEntry {
  const entry = eventEntry(base, item, parseEmbed(query.get('embed')))
  const url = groupUrl(base, id)
  return {
    ...entry,
    retryCount: message.retryCount,
    links: [
      ...entry.links,
      { uri: `${url}/ack/${ownEvent(item).eventId}`, relation: 'ack' },
      { uri: `${url}/nack/${ownEvent(item).eventId}`, relation: 'nack' },
    ],
  }
}

function feedOf(
  url: string,
  { id }: Group,
  count: number,
  deliveries: readonly Delivery[],
  entries: readonly FeedEntry[],
): Feed {
  const [newest] = deliveries
  return {
    title: `Messages for '${id.stream}/${id.name}'`,
    id: url,
    updated: newest ? feedTime(ownEvent(newest.item).createdAt) : NEVER,
    headOfStream: false,
    links: feedLinks(url, count, deliveries),
    entries,
  }
}

function feedLinks(url: string, count: number, deliveries: readonly Delivery[]): FeedLink[] {
  const ids = deliveries.map(({ item }) => ownEvent(item).eventId).reverse()
  const forAll = [
    { uri: `${url}/ack?ids=${ids.join(',')}`, relation: 'ackAll' },
    { uri: `${url}/nack?ids=${ids.join(',')}`, relation: 'nackAll' },
  ]
  return [
    ...(ids.length > 0 ? forAll : []),
    { uri: `${url}/${count}`, relation: 'previous' },
    { uri: url, relation: 'self' },
  ]
}
