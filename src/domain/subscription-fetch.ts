/**
 * What a fetch does: takes back what is due, fills up with parked messages and new events, and hands out. One
 * compare-and-set on the record of the group settles it.
 */
import { randomUuid } from '../kit/uuid.ts'
import type { EventId } from './event.ts'
import type { GroupRecords } from './group-records.ts'
import type { MessageSource } from './message-source.ts'
import type { ParkedMessages } from './parked-messages.ts'
import type { Clock } from './ports.ts'
import { type Group, type GroupId, groupWithin, withState } from './subscription-group.ts'
import type { GroupSettings } from './subscription-settings.ts'
import {
  type GroupMessage,
  type GroupState,
  handOut,
  NEVER_DUE,
  type StreamEnds,
  takeBackDue,
  waitingMessages,
  withMessages,
} from './subscription-state.ts'

export type FetchParts = {
  readonly source: MessageSource
  readonly clock: Clock
  /** Messages that are handed out or wait for a retry, at most, whatever the group says. */
  readonly maxMessages: number
  readonly groups: GroupRecords
  readonly parkedMessages: ParkedMessages
  /** Completes what is half parked. */
  readonly park: (group: Group, by: string) => Promise<void>
}

const newId = () => randomUuid() as EventId

export const retryLimits = ({ maxRetryCount }: GroupSettings) => ({ maxRetryCount, newId })

/** At most `count` messages, by number; `by` is the account that asks. @throws AppError `group-not-found` */
export async function fetchMessages(
  parts: FetchParts,
  id: GroupId,
  count: number,
  by: string,
): Promise<readonly GroupMessage[]> {
  let handed: ReadonlySet<number> = new Set()
  let replayedTo = 0
  const group = await parts.groups.change(id, async (kept) => {
    handed = new Set()
    replayedTo = 0
    const now = groupWithin(kept, await streamEnds(parts, kept))
    if (now.state.isStopped) return now
    const nowMs = parts.clock.now()
    const { messageTimeoutMilliseconds: timeoutMs } = now.settings
    const state = takeBackDue(now.state, nowMs, retryLimits(now.settings), timeoutMs)
    const filled = await filledUp(parts, { ...now, state }, count)
    if (filled.replay.from > state.replay.from) replayedTo = filled.replay.from
    handed = new Set(
      waitingMessages(filled)
        .slice(0, count)
        .map(({ number }) => number),
    )
    const dueAtMs = timeoutMs === 0 ? NEVER_DUE : nowMs + timeoutMs
    return withState(now, handed.size === 0 ? filled : handOut(filled, handed, dueAtMs))
  })
  await parts.park(group, by)
  if (replayedTo > 0) await parts.parkedMessages.truncate(id, replayedTo, by)
  return group.state.messages.filter(({ number }) => handed.has(number))
}

/** Where nothing was ever replayed the end of the parked messages does not matter. */
async function streamEnds(
  { source, parkedMessages }: FetchParts,
  { id, state }: Group,
): Promise<StreamEnds> {
  const stream = (await source.lastNumber(id.stream)) + 1
  return { stream, parked: state.replay.to === 0 ? 0 : (await parkedMessages.range(id)).to }
}

/** Adds what is to be replayed, and then new events, until there is enough to hand out or no room. */
async function filledUp(
  { source, parkedMessages, maxMessages }: FetchParts,
  { id, settings, state }: Group,
  count: number,
): Promise<GroupState> {
  const most = Math.min(settings.bufferSize, maxMessages)
  const room = ({ messages }: GroupState, waiting: number) =>
    Math.max(0, Math.min(count - waiting, most - messages.length))
  let filled = state
  const { from, to } = state.replay
  const replayed = Math.min(room(filled, waitingMessages(filled).length), to - from)
  if (replayed > 0) {
    const replay = { from: from + replayed, to }
    const numbers = await parkedMessages.read(id, { from, to: replay.from })
    const events = await Promise.all(numbers.map((number) => source.read(id.stream, number, 1)))
    // In the place of an event that cannot be seen any more stands the one behind it.
    const found = numbers.filter((number, at) => events[at]?.[0] === number)
    filled = { ...withMessages(filled, found), replay }
  }
  const wanted = room(filled, waitingMessages(filled).length)
  if (wanted === 0) return filled
  const fresh = await source.read(id.stream, filled.next, wanted)
  const last = fresh.at(-1)
  return last === undefined ? filled : { ...withMessages(filled, fresh), next: last + 1 }
}
