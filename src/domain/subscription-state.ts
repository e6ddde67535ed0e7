/**
 * How far a subscription group is, as values: each function makes the next state from the last one. Reading
 * events, keeping states and parking is `subscriptions.ts`.
 *
 * 1. Every event below `next` is done, or in `messages`, or in `parking`, or parked: none is lost.
 * 2. An event number stands in `messages` once, so one consumer at a time holds it. Whoever holds a message
 *    loses it at `dueAtMs`; nobody watches the time, the next fetch finds out.
 * 3. `parking` says what is on its way into the stream of parked messages and under which event id, so that
 *    whoever finds it there, after a kill too, completes it without parking anything twice.
 */
import type { EventId } from './event.ts'

export type GroupMessage = {
  /** Of the event in the stream that the group reads. */
  readonly number: number
  /** How often it was handed out before and came back. */
  readonly retryCount: number
  /** Milliseconds since 1970-01-01T00:00:00Z; 0: nobody holds it. */
  readonly dueAtMs: number
}

/** `parkedId`: event id of the link in the stream of parked messages. */
export type ParkingMessage = { readonly number: number; readonly parkedId: EventId }

export type GroupState = {
  /** Number of the next event that was never handed out. */
  readonly next: number
  /** Handed out or waiting for a retry, by number. */
  readonly messages: readonly GroupMessage[]
  readonly parking: readonly ParkingMessage[]
  /** Numbers in the stream of parked messages that are to be handed out again: `from` to before `to`. */
  readonly replay: { readonly from: number; readonly to: number }
  /** How many messages consumers are done with. */
  readonly processed: number
  /** True where a consumer said stop: nothing is handed out until the group is changed or restarted. */
  readonly isStopped: boolean
}

/** What becomes of messages that a consumer gives back. */
export const GIVE_BACK_ACTIONS = ['park', 'retry', 'skip', 'stop'] as const
export type GiveBackAction = (typeof GIVE_BACK_ACTIONS)[number]

/** Holds for ever. */
export const NEVER_DUE = Number.MAX_SAFE_INTEGER

/** How a group treats messages that come back. */
export type RetryLimits = { readonly maxRetryCount: number; readonly newId: () => EventId }

/** @param next number of the first event to hand out; @param parked how many messages are parked already */
export function newGroupState(next: number, parked: number): GroupState {
  const replay = { from: parked, to: parked }
  return { next, messages: [], parking: [], replay, processed: 0, isStopped: false }
}

/** The lowest number that is not done yet. */
export function checkpointOf({ next, messages, parking }: GroupState): number {
  return Math.min(next, ...[...messages, ...parking].map(({ number }) => number))
}

/** Numbers of the next event in the stream of a group, and in that of its parked messages. */
export type StreamEnds = { readonly stream: number; readonly parked: number }

/**
 * Set back to where the streams end: events of higher numbers are none of those that were handed out once. The
 * same state where it speaks of none.
 */
export function withinStreams(state: GroupState, ends: StreamEnds): GroupState {
  const { messages, parking, replay } = state
  if (state.next <= ends.stream && replay.to <= ends.parked) return state
  const isThere = ({ number }: { readonly number: number }) => number < ends.stream
  return {
    ...state,
    next: Math.min(state.next, ends.stream),
    messages: messages.filter(isThere),
    parking: parking.filter(isThere),
    replay: {
      from: Math.min(replay.from, ends.parked),
      to: Math.min(replay.to, ends.parked),
    },
  }
}

const isWaiting = ({ dueAtMs }: GroupMessage): boolean => dueAtMs === 0

/** Messages that nobody holds, by number. */
export function waitingMessages({ messages }: GroupState): readonly GroupMessage[] {
  return messages.filter(isWaiting)
}

/**
 * Takes back what was held too long; what a clock that was ahead has handed out for longer than `timeoutMs`
 * counts as that. The same state where nothing was.
 */
export function takeBackDue(
  state: GroupState,
  nowMs: number,
  limits: RetryLimits,
  timeoutMs: number,
): GroupState {
  const isOver = ({ dueAtMs }: GroupMessage) =>
    dueAtMs <= nowMs || (dueAtMs !== NEVER_DUE && dueAtMs > nowMs + timeoutMs)
  const isDue = (message: GroupMessage) => !isWaiting(message) && isOver(message)
  return retried(state, isDue, limits)
}

/** Hands out the messages with these numbers, which nobody must hold, until `dueAtMs`. */
export function handOut(
  state: GroupState,
  numbers: ReadonlySet<number>,
  dueAtMs: number,
): GroupState {
  const messages = state.messages.map((message) =>
    numbers.has(message.number) ? { ...message, dueAtMs } : message,
  )
  return { ...state, messages }
}

/** Adds messages that nobody holds yet; numbers that are there already stay as they are. */
export function withMessages(state: GroupState, added: readonly number[]): GroupState {
  const known = new Set(state.messages.map(({ number }) => number))
  const fresh = [...new Set(added)].filter((number) => !known.has(number))
  const messages = [
    ...state.messages,
    ...fresh.map((number) => ({ number, retryCount: 0, dueAtMs: 0 })),
  ]
  return { ...state, messages: messages.sort((a, b) => a.number - b.number) }
}

/** Done with. Numbers that nobody was handed are passed over; a message that is overdue still counts. */
export function acknowledged(state: GroupState, numbers: ReadonlySet<number>): GroupState {
  return dropped(state, heldWith(numbers))
}

/** Done with whatever has these numbers. */
export function withoutNumbers(state: GroupState, numbers: ReadonlySet<number>): GroupState {
  return dropped(state, ({ number }) => numbers.has(number))
}

/** Given back by whoever was handed them. */
export function givenBack(
  state: GroupState,
  numbers: ReadonlySet<number>,
  action: GiveBackAction,
  limits: RetryLimits,
): GroupState {
  const isMeant = heldWith(numbers)
  switch (action) {
    case 'retry':
      return retried(state, isMeant, limits)
    case 'park':
      return retried(state, isMeant, { ...limits, maxRetryCount: -1 })
    case 'skip':
      return dropped(state, isMeant)
    case 'stop':
      return { ...released(state, isMeant), isStopped: true }
    default:
      return action satisfies never
  }
}

/** Nobody holds anything any more, and what was stopped goes on. */
export function restarted(state: GroupState): GroupState {
  return { ...released(state, () => true), isStopped: false }
}

/** What is parked for good leaves the list of what is on its way there. */
export function parked(state: GroupState, ids: ReadonlySet<EventId>): GroupState {
  return { ...state, parking: state.parking.filter(({ parkedId }) => !ids.has(parkedId)) }
}

const heldWith = (numbers: ReadonlySet<number>) => (message: GroupMessage) =>
  !isWaiting(message) && numbers.has(message.number)

function dropped(state: GroupState, isMeant: (message: GroupMessage) => boolean): GroupState {
  const messages = state.messages.filter((message) => !isMeant(message))
  const count = state.messages.length - messages.length
  return count === 0 ? state : { ...state, messages, processed: state.processed + count }
}

function released(state: GroupState, isMeant: (message: GroupMessage) => boolean): GroupState {
  const messages = state.messages.map((message) =>
    isMeant(message) ? { ...message, dueAtMs: 0 } : message,
  )
  return { ...state, messages }
}

function retried(
  state: GroupState,
  isMeant: (message: GroupMessage) => boolean,
  { maxRetryCount, newId }: RetryLimits,
): GroupState {
  if (!state.messages.some(isMeant)) return state
  const messages: GroupMessage[] = []
  const parking = [...state.parking]
  for (const message of state.messages) {
    if (!isMeant(message)) messages.push(message)
    else if (message.retryCount < maxRetryCount) {
      messages.push({ ...message, retryCount: message.retryCount + 1, dueAtMs: 0 })
    } else parking.push({ number: message.number, parkedId: newId() })
  }
  return { ...state, messages, parking }
}
