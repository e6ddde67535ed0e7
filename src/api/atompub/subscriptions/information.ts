/** What is told of groups: summaries, and all there is to know of one. What nobody measures is 0. */
import { requireConsumer } from '../../../domain/access.ts'
import { AppError } from '../../../domain/app-error.ts'
import { type StreamName, toStreamName } from '../../../domain/stream-name.ts'
import { type Group, parkedStreamOf } from '../../../domain/subscription-group.ts'
import { toldSettings } from '../../../domain/subscription-settings.ts'
import { checkpointOf, waitingMessages } from '../../../domain/subscription-state.ts'
import type { Handler, RequestContext } from '../../../http/handler.ts'
import { publicBase } from '../base-url.ts'
import { streamUrl } from '../feed.ts'
import { indentedJson } from '../json-document.ts'
import { type GroupParts, groupOf, groupUrl } from './parts.ts'

export function listAllGroups(parts: GroupParts): Handler {
  return async (request, context) => {
    requireConsumer(context.principal)
    const base = publicBase(request, parts.settings.baseUrl)
    const all = await readableGroups(parts, context)
    const page = pageOf(context)
    const shown = page ? all.slice(page.offset, page.offset + page.count) : all
    const subscriptions = await Promise.all(shown.map((group) => summary(parts, base, group)))
    if (!page) return indentedJson(200, subscriptions)
    const { offset, count } = page
    const link = (from: number, rel: string) => ({
      href: `${base}/subscriptions?offset=${from}&count=${count}`,
      rel,
    })
    const links = [
      link(offset, 'self'),
      link(0, 'first'),
      ...(offset > 0 ? [link(Math.max(0, offset - count), 'previous')] : []),
      ...(offset + count < all.length ? [link(offset + count, 'next')] : []),
    ]
    return indentedJson(200, { links, offset, count, total: all.length, subscriptions })
  }
}

export function listGroupsOfStream(parts: GroupParts): Handler {
  return async (request, context) => {
    requireConsumer(context.principal)
    const { stream = '' } = context.parameters
    const name = toStreamName(stream)
    const own = name === undefined ? [] : await readableGroups(parts, context, name)
    if (own.length === 0) {
      throw new AppError('group-not-found', 'The stream has no subscription groups', { stream })
    }
    const base = publicBase(request, parts.settings.baseUrl)
    return indentedJson(200, await Promise.all(own.map((group) => summary(parts, base, group))))
  }
}

export function readGroup(parts: GroupParts): Handler {
  return async (request, context) => {
    requireConsumer(context.principal)
    const id = groupOf(context)
    await parts.streams.rights.require(context.principal, 'read', id.stream)
    const group = await parts.subscriptions.find(id)
    if (!group) throw new AppError('group-not-found', 'There is no such subscription group', id)
    const base = publicBase(request, parts.settings.baseUrl)
    return indentedJson(200, await information(parts, base, group))
  }
}

/** Who may not read a stream does not learn which groups it has. */
async function readableGroups(
  { streams, subscriptions }: GroupParts,
  { principal }: RequestContext,
  stream?: StreamName,
): Promise<readonly Group[]> {
  const groups = await subscriptions.list(stream)
  const isReadable = await Promise.all(
    groups.map(({ id }) => streams.rights.allows(principal, 'read', id.stream)),
  )
  return groups.filter((_group, index) => isReadable[index])
}

const MOST_GROUPS = 1000

function pageOf({ query }: RequestContext) {
  const [offset, count] = [query.get('offset'), query.get('count')]
  if (offset === null && count === null) return undefined
  return {
    offset: wholeNumber('offset', offset ?? '0', 0),
    count: wholeNumber('count', count ?? '20', 1),
  }
}

function wholeNumber(parameter: string, text: string, least: number): number {
  const number = Number(text)
  if (/^[0-9]{1,9}$/.test(text) && number >= least) return Math.min(number, MOST_GROUPS)
  throw new AppError('bad-query', `${parameter} must be a whole number from ${least}`, {
    parameter,
  })
}

async function summary(parts: GroupParts, base: string, group: Group) {
  const { id } = group
  return {
    links: [{ href: `${groupUrl(base, id)}/info`, rel: 'detail' }],
    eventStreamId: id.stream,
    groupName: id.name,
    parkedMessageUri: streamUrl(base, parkedStreamOf(id)),
    getMessagesUri: `${groupUrl(base, id)}/1`,
    ...(await figures(parts, group)),
  }
}

async function information(parts: GroupParts, base: string, group: Group) {
  const { id, state, settings } = group
  const url = groupUrl(base, id)
  const waiting = waitingMessages(state).length
  return {
    links: [
      { href: `${url}/info`, rel: 'detail' },
      { href: `${url}/replayParked`, rel: 'replayParked' },
    ],
    config: toldSettings(settings),
    eventStreamId: id.stream,
    groupName: id.name,
    parkedMessageUri: streamUrl(base, parkedStreamOf(id)),
    getMessagesUri: `${url}/1`,
    ...(await figures(parts, group)),
    countSinceLastMeasurement: 0,
    readBufferCount: 0,
    liveBufferCount: 0,
    retryBufferCount: waiting,
    outstandingMessagesCount: state.messages.length - waiting,
    parkedMessageCount: await parts.subscriptions.parkedCount(group),
    connections: [],
  }
}

async function figures({ streams }: GroupParts, { id, state }: Group) {
  const { last } = await streams.info(id.stream)
  const isLive = state.next > last && state.replay.from === state.replay.to
  const waiting = waitingMessages(state).length
  return {
    status: state.isStopped ? 'Stopped' : isLive ? 'Live' : 'Behind',
    averageItemsPerSecond: 0,
    totalItemsProcessed: state.processed,
    lastProcessedEventNumber: checkpointOf(state) - 1,
    lastKnownEventNumber: last,
    connectionCount: 0,
    totalInFlightMessages: state.messages.length - waiting,
  }
}
