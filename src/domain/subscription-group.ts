/** What a subscription group is called, and what is kept of it. How far it is: `subscription-state.ts`. */
import type { Brand } from '../kit/brand.ts'
import { AppError } from './app-error.ts'
import type { EventId } from './event.ts'
import { nameProblem } from './name.ts'
import { type StreamName, toStreamName } from './stream-name.ts'
import {
  changedSettings,
  DEFAULT_GROUP_SETTINGS,
  type GroupSettings,
} from './subscription-settings.ts'
import {
  type GroupMessage,
  type GroupState,
  type StreamEnds,
  withinStreams,
} from './subscription-state.ts'

/** A name like that of a stream, without `::` inside and without `:` in front. */
export type GroupName = Brand<string, 'GroupName'>

/** A group by its stream and its name. */
export type GroupId = { readonly stream: StreamName; readonly name: GroupName }

export type Group = {
  readonly id: GroupId
  readonly settings: GroupSettings
  readonly state: GroupState
}

/**
 * @throws AppError `bad-name` where one of them is no name, both together are too long to name the stream of
 * parked messages, or the stream is `$all`, which has no numbers to keep a place by
 */
export function parseGroupId(stream: string, name: string): GroupId {
  const id = toGroupId(stream, name)
  if (id) return id
  const problem = groupProblem(stream, name)
  throw new AppError('bad-name', `subscription group ${problem}`, { field: 'group' })
}

/** Like `parseGroupId` for looking one up: what cannot be a group is none. */
export function toGroupId(stream: string, name: string): GroupId | undefined {
  if (groupProblem(stream, name) !== undefined) return undefined
  return { stream: stream as StreamName, name: name as GroupName }
}

function groupProblem(stream: string, name: string): string | undefined {
  const problem = nameProblem(name)
  if (problem !== undefined) return problem
  if (name.startsWith(':') || name.includes('::')) return 'must not begin with ":" or contain "::"'
  if (stream === '$all') return 'must not read $all'
  if (toStreamName(stream) === undefined) return 'must read a stream with a valid name'
  const parked = nameProblem(`$$${parkedStreamName(stream, name)}`)
  return parked === undefined ? undefined : 'and its stream have names that are too long together'
}

const parkedStreamName = (stream: string, name: string): string =>
  `$persistentsubscription-${stream}::${name}-parked`

/** The stream of links to the parked messages of a group. No two groups share one. */
export function parkedStreamOf({ stream, name }: GroupId): StreamName {
  return parkedStreamName(stream, name) as StreamName
}

/** The group itself where its state is the same: nothing is to be written then. */
export function withState(group: Group, state: GroupState): Group {
  return state === group.state ? group : { ...group, state }
}

/**
 * The group with a state that speaks of no event behind the end of its streams, as it does where the log was put
 * back from an earlier moment than the records. The same object where it does not, or waits for the event that
 * it was told to start from.
 */
export function groupWithin(group: Group, ends: StreamEnds): Group {
  const { state, settings } = group
  const { messages, parking, processed } = state
  const hasBegun = processed > 0 || messages.length > 0 || parking.length > 0
  if (!hasBegun && state.next === settings.startFrom) return group
  return withState(group, withinStreams(state, ends))
}

/** What a record holds. Lists instead of named members, and runs: it is written whenever a message changes hands. */
export type GroupDocument = {
  readonly stream: string
  readonly name: string
  /** Those that differ from the defaults. */
  readonly settings: Partial<GroupSettings>
  readonly next: number
  /** First number of a run of equal messages, how many they are, retries, due. */
  readonly messages: readonly MessageRun[]
  /** Number, id of the link. */
  readonly parking: readonly (readonly [number, string])[]
  readonly replay: readonly [number, number]
  readonly processed: number
  readonly isStopped: boolean
}

type MessageRun = readonly [number, number, number, number]

export function toDocument({ id, settings, state }: Group): GroupDocument {
  return {
    stream: id.stream,
    name: id.name,
    settings: changedSettings(settings),
    next: state.next,
    messages: toRuns(state.messages),
    parking: state.parking.map(({ number, parkedId }) => [number, parkedId]),
    replay: [state.replay.from, state.replay.to],
    processed: state.processed,
    isStopped: state.isStopped,
  }
}

export function fromDocument(document: GroupDocument): Group {
  const [from, to] = document.replay
  return {
    id: { stream: document.stream as StreamName, name: document.name as GroupName },
    settings: { ...DEFAULT_GROUP_SETTINGS, ...document.settings },
    state: {
      next: document.next,
      messages: document.messages.flatMap(fromRun),
      parking: document.parking.map(([number, parkedId]) => ({
        number,
        parkedId: parkedId as EventId,
      })),
      replay: { from, to },
      processed: document.processed,
      isStopped: document.isStopped,
    },
  }
}

/** What one fetch hands out mostly is one run, however many messages it has. */
function toRuns(messages: readonly GroupMessage[]): readonly MessageRun[] {
  const runs: [number, number, number, number][] = []
  for (const { number, retryCount, dueAtMs } of messages) {
    const last = runs.at(-1)
    const isNext = last !== undefined && last[0] + last[1] === number
    if (isNext && last[2] === retryCount && last[3] === dueAtMs) last[1]++
    else runs.push([number, 1, retryCount, dueAtMs])
  }
  return runs
}

function fromRun([first, count, retryCount, dueAtMs]: MessageRun): GroupMessage[] {
  return Array.from({ length: count }, (_, at) => ({ number: first + at, retryCount, dueAtMs }))
}
