/**
 * Subscription groups: several consumers share the events of a stream, each event with one of them at a time,
 * until one is done with it. Consumers are processes that come and go; nothing watches over them.
 *
 * What a fetch does is settled by one compare-and-set on the record of the group: whoever gets it through was
 * handed the messages. A consumer that dies afterwards loses them when they are due.
 */
import type { EventId } from './event.ts'
import { createGroupRecords } from './group-records.ts'
import type { MessageSource } from './message-source.ts'
import { createParkedMessages, type ParkingStreams } from './parked-messages.ts'
import type { Clock, RecordEngine } from './ports.ts'
import type { StreamName } from './stream-name.ts'
import { fetchMessages, retryLimits } from './subscription-fetch.ts'
import { type Group, type GroupId, withState } from './subscription-group.ts'
import type { GroupSettings } from './subscription-settings.ts'
import {
  acknowledged,
  type GiveBackAction,
  type GroupMessage,
  type GroupState,
  givenBack,
  newGroupState,
  parked,
  restarted,
  withoutNumbers,
} from './subscription-state.ts'

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
        const { to } = await parkedMessages.range(id)
        if (!isUntouched(state, to)) return { ...now, settings, state }
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
        givenBack(state, match(numbersOf(state)), action, retryLimits(settings)),
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

async function firstNumber(
  source: MessageSource,
  { stream }: GroupId,
  { startFrom }: GroupSettings,
): Promise<number> {
  return startFrom === -1 ? (await source.lastNumber(stream)) + 1 : startFrom
}

/** Whether nothing was ever handed out. @param parkedTo where the stream of parked messages ends */
function isUntouched(state: GroupState, parkedTo: number): boolean {
  const { processed, messages, parking, replay } = state
  const hasNone = processed === 0 && messages.length === 0 && parking.length === 0
  return hasNone && replay.from === parkedTo
}
