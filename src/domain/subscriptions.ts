/**
 * Subscription groups: several consumers share the events of a stream, each event with one of them at a time,
 * until one is done with it. Consumers are processes that come and go; nothing watches over them.
 *
 * What a fetch does is settled by one compare-and-set on the record of the group: whoever gets it through was
 * handed the messages. A consumer that dies afterwards loses them when they are due.
 */
import { randomUuid } from '../kit/uuid.ts'
import type { EventId } from './event.ts'
import { createGroupRecords } from './group-records.ts'
import {
  createParkedMessages,
  type ParkedMessages,
  type ParkingStreams,
} from './parked-messages.ts'
import type { Clock, RecordEngine } from './ports.ts'
import type { StreamName } from './stream-name.ts'
import type { Group, GroupId } from './subscription-group.ts'
import type { GroupSettings } from './subscription-settings.ts'
import {
  acknowledged,
  type GiveBackAction,
  type GroupMessage,
  type GroupState,
  givenBack,
  handOut,
  NEVER_DUE,
  newGroupState,
  parked,
  restarted,
  takeBackDue,
  waitingMessages,
  withMessages,
  withoutNumbers,
} from './subscription-state.ts'

/** The streams as groups read them: with their numbers, also where a stream is a view of others. */
export type MessageSource = {
  /** Number of the last event; -1 where there is none. */
  lastNumber(stream: StreamName): Promise<number>
  /** Numbers from `from` on of events that may be read, ascending, at most `limit`; fewer only at the end. */
  read(stream: StreamName, from: number, limit: number): Promise<readonly number[]>
  /** Tells which of some numbers are those of events with these ids. */
  matcher(stream: StreamName, ids: readonly EventId[]): Promise<NumberMatcher>
}

export type NumberMatcher = (numbers: readonly number[]) => ReadonlySet<number>

export type Subscriptions = {
  /** @throws AppError `group-exists` */
  create(id: GroupId, settings: GroupSettings): Promise<void>
  /**
   * Nobody holds a message afterwards, and what was stopped goes on. `startFrom` counts only as long as
   * nothing was handed out.
   * @throws AppError `group-not-found`
   */
  update(id: GroupId, settings: GroupSettings): Promise<void>
  /** @throws AppError `group-not-found` */
  remove(id: GroupId, by: string): Promise<void>
  find(id: GroupId): Promise<Group | undefined>
  /** Those of a stream, or all; in the order in which they were first made. */
  list(stream?: StreamName): Promise<readonly Group[]>
  /**
   * Hands out at most `count` messages, by number. First what came back, then what was parked and is to be
   * replayed, then events that were never handed out. `by` is the account that asks.
   * @throws AppError `group-not-found`
   */
  fetch(id: GroupId, count: number, by: string): Promise<readonly GroupMessage[]>
  /** Ids that are not handed out are passed over. @throws AppError `group-not-found` */
  acknowledge(id: GroupId, ids: readonly EventId[]): Promise<void>
  /** Done with messages that turned out not to be there any more. @throws AppError `group-not-found` */
  drop(id: GroupId, numbers: readonly number[]): Promise<void>
  /** Like `acknowledge`. */
  giveBack(id: GroupId, ids: readonly EventId[], action: GiveBackAction, by: string): Promise<void>
  /**
   * Hands out again what is parked, in the order of parking, up to before number `stopAt` of the stream of
   * parked messages. @throws AppError `group-not-found`
   */
  replayParked(id: GroupId, stopAt?: number): Promise<void>
  /** Messages that are parked and not to be replayed. */
  parkedCount(group: Group): Promise<number>
  /** Every group: nobody holds a message, nothing is stopped. */
  restart(): Promise<void>
}

export type SubscriptionParts = {
  readonly records: RecordEngine
  readonly streams: ParkingStreams
  readonly source: MessageSource
  readonly clock: Clock
  /** Messages of a group that are handed out or wait for a retry, at most, whatever its settings say. */
  readonly maxMessages: number
}

export function createSubscriptions(parts: SubscriptionParts): Subscriptions {
  const groups = createGroupRecords(parts.records)
  const parkedMessages = createParkedMessages(parts.streams)
  const changeState = (id: GroupId, next: (now: Group) => GroupState) =>
    groups.change(id, (now) => withState(now, next(now)))
  /** Completes what a change, or somebody who did not live to see it, has left half parked. */
  const park = async ({ id, state }: Group, by: string) => {
    if (state.parking.length === 0) return
    await parkedMessages.park(id, state.parking, by)
    const ids = new Set(state.parking.map(({ parkedId }) => parkedId))
    await changeState(id, (now) => parked(now.state, ids))
  }
  return {
    async create(id, settings) {
      const next = await firstNumber(parts.source, id, settings)
      const { to } = await parkedMessages.range(id)
      await groups.add({ id, settings, state: newGroupState(next, to) })
    },
    async update(id, settings) {
      await groups.change(id, async (now) => {
        const state = restarted(now.state)
        if (!isUntouched(state)) return { ...now, settings, state }
        const next = await firstNumber(parts.source, id, settings)
        return { ...now, settings, state: { ...state, next } }
      })
    },
    async remove(id, by) {
      await groups.remove(id)
      const { from, to } = await parkedMessages.range(id)
      if (from < to) await parkedMessages.truncate(id, to, by)
    },
    find: groups.find,
    list: groups.list,
    fetch: (id, count, by) =>
      fetchMessages({ ...parts, groups, parkedMessages, park }, id, count, by),
    async acknowledge(id, ids) {
      const match = await parts.source.matcher(id.stream, ids)
      await changeState(id, ({ state }) => acknowledged(state, match(numbersOf(state))))
    },
    async drop(id, numbers) {
      await changeState(id, ({ state }) => withoutNumbers(state, new Set(numbers)))
    },
    async giveBack(id, ids, action, by) {
      const match = await parts.source.matcher(id.stream, ids)
      const group = await changeState(id, ({ state, settings }) =>
        givenBack(state, match(numbersOf(state)), action, limitsOf(settings)),
      )
      await park(group, by)
    },
    async replayParked(id, stopAt) {
      const { to: end } = await parkedMessages.range(id)
      await changeState(id, ({ state }) => {
        const to = Math.max(state.replay.to, Math.min(stopAt ?? end, end))
        return { ...state, replay: { ...state.replay, to } }
      })
    },
    async parkedCount({ id, state }) {
      const { from, to } = await parkedMessages.range(id)
      return Math.max(0, to - Math.max(from, state.replay.to))
    },
    async restart() {
      for (const { id } of await groups.list()) {
        await changeState(id, ({ state }) => restarted(state))
      }
    },
  }
}

const numbersOf = ({ messages }: GroupState) => messages.map(({ number }) => number)

const newId = () => randomUuid() as EventId

const limitsOf = ({ maxRetryCount }: GroupSettings) => ({ maxRetryCount, newId })

function withState(group: Group, state: GroupState): Group {
  return state === group.state ? group : { ...group, state }
}

async function firstNumber(
  source: MessageSource,
  { stream }: GroupId,
  { startFrom }: GroupSettings,
): Promise<number> {
  return startFrom === -1 ? (await source.lastNumber(stream)) + 1 : startFrom
}

const isUntouched = ({ processed, messages, parking, replay }: GroupState): boolean =>
  processed === 0 && messages.length === 0 && parking.length === 0 && replay.to === replay.from

type FetchParts = SubscriptionParts & {
  readonly groups: ReturnType<typeof createGroupRecords>
  readonly parkedMessages: ParkedMessages
  readonly park: (group: Group, by: string) => Promise<void>
}

async function fetchMessages(
  parts: FetchParts,
  id: GroupId,
  count: number,
  by: string,
): Promise<readonly GroupMessage[]> {
  let handed: ReadonlySet<number> = new Set()
  let replayedTo = 0
  const group = await parts.groups.change(id, async (now) => {
    handed = new Set()
    replayedTo = 0
    if (now.state.isStopped) return now
    const nowMs = parts.clock.now()
    const state = takeBackDue(now.state, nowMs, limitsOf(now.settings))
    const filled = await filledUp(parts, { ...now, state }, count)
    if (filled.replay.from > state.replay.from) replayedTo = filled.replay.from
    handed = new Set(
      waitingMessages(filled)
        .slice(0, count)
        .map(({ number }) => number),
    )
    const { messageTimeoutMilliseconds: timeoutMs } = now.settings
    const dueAtMs = timeoutMs === 0 ? NEVER_DUE : nowMs + timeoutMs
    return withState(now, handed.size === 0 ? filled : handOut(filled, handed, dueAtMs))
  })
  await parts.park(group, by)
  if (replayedTo > 0) await parts.parkedMessages.truncate(id, replayedTo, by)
  return group.state.messages.filter(({ number }) => handed.has(number))
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
    const found = events.flat().filter((number) => numbers.includes(number))
    filled = { ...withMessages(filled, found), replay }
  }
  const wanted = room(filled, waitingMessages(filled).length)
  if (wanted === 0) return filled
  const fresh = await source.read(id.stream, filled.next, wanted)
  const last = fresh.at(-1)
  return last === undefined ? filled : { ...withMessages(filled, fresh), next: last + 1 }
}
