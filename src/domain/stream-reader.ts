/**
 * Reads streams by number, with what hides events taken into account, and links followed to the events they
 * stand for.
 */

import type { StoredEvent } from './event.ts'
import { type EventView, viewEvent } from './event-view.ts'
import type { LogEngine, ReadDirection, SequenceEvent } from './ports.ts'
import { streamSequence } from './sequence.ts'
import { firstNumberAt } from './sequence-range.ts'
import type { StreamInfo } from './stream-info.ts'
import { toStreamName } from './stream-name.ts'
import { LINK_TYPE, type LinkTarget, linkEvent, linkTarget } from './stream-view.ts'

/** A member of a stream: an event, or a link with the event it stands for where that can be read. */
export type StreamItem =
  | { readonly kind: 'event'; readonly event: EventView }
  | {
      readonly kind: 'link'
      readonly link: EventView
      readonly target: LinkTarget
      readonly event: EventView | undefined
    }

/** What following links needs to know of the streams they lead to. */
export type LinkRights = {
  /** Whether whoever asks may read a stream, and what of it can be seen; `undefined`: nothing. */
  readonly target: (stream: string) => Promise<StreamInfo | undefined>
}

/** The members `low` to `high`, both inclusive, that can be seen; newest first. Links stay links. */
export async function readStreamItems(
  log: LogEngine,
  info: StreamInfo,
  low: number,
  high: number,
): Promise<StreamItem[]> {
  const first = Math.max(low, info.firstVisible)
  const last = Math.min(high, info.last)
  const { sequence } = info.view
  const members = await readMembers(log, sequence, last, 'backwards', last - first + 1)
  const items: StreamItem[] = []
  for (const { number, event } of members) items.push(await itemOf(log, info, number, event))
  return items
}

async function readMembers(
  log: LogEngine,
  sequence: StreamInfo['view']['sequence'],
  from: number,
  direction: ReadDirection,
  count: number,
): Promise<SequenceEvent[]> {
  const members: SequenceEvent[] = []
  const step = direction === 'forwards' ? 1 : -1
  while (members.length < count) {
    const next = from + step * members.length
    const more = await log.readSequence(sequence, next, direction, count - members.length)
    if (more.length === 0) break
    members.push(...more)
  }
  return members
}

async function itemOf(
  log: LogEngine,
  { stream, view }: StreamInfo,
  number: number,
  stored: StoredEvent,
): Promise<StreamItem> {
  if (view.holds === 'links') {
    const event = await viewOf(log, stored)
    const target = { stream: event.stream, number: event.number }
    return { kind: 'link', link: linkEvent(stream, number, event), target, event }
  }
  const event = viewEvent(stored, number)
  return itemOfEvent(event)
}

/** An event of the log; one of its own accord may be a link that somebody wrote. */
export function itemOfEvent(event: EventView): StreamItem {
  const target = event.eventType === LINK_TYPE ? linkTarget(event) : undefined
  return target ? { kind: 'link', link: event, target, event: undefined } : { kind: 'event', event }
}

/** An event with its version, which imported ones do not tell. */
export async function viewOf(log: LogEngine, stored: StoredEvent): Promise<EventView> {
  const event = viewEvent(stored)
  if (event.number >= 0) return event
  const number = await firstNumberAt(log, streamSequence(event.stream), stored.position)
  return { ...event, number }
}

/** The items with their links followed. A link to what cannot be read stays without its event. */
export async function followLinks(
  log: LogEngine,
  items: readonly StreamItem[],
  { target }: LinkRights,
): Promise<StreamItem[]> {
  const followed: StreamItem[] = []
  for (const item of items) {
    if (item.kind === 'event') followed.push(item)
    else followed.push({ ...item, event: await targetEvent(log, item, target) })
  }
  return followed
}

async function targetEvent(
  log: LogEngine,
  { target, event }: Extract<StreamItem, { kind: 'link' }>,
  find: LinkRights['target'],
): Promise<EventView | undefined> {
  const info = await find(target.stream)
  if (info === undefined || info.state !== 'live') return undefined
  if (target.number < info.firstVisible || target.number > info.last) return undefined
  if (event) return event
  const stream = toStreamName(target.stream)
  if (stream === undefined || info.view.holds === 'links') return undefined
  const [member] = await log.readSequence(info.view.sequence, target.number, 'forwards', 1)
  return member && viewEvent(member.event, member.number)
}

/** The items as they are where links are not followed: each an event of its own. */
export function unfollowed(items: readonly StreamItem[]): StreamItem[] {
  return items.map((item) => (item.kind === 'link' ? { kind: 'event', event: item.link } : item))
}
