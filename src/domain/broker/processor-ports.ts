/** What a processor needs of the world. Tests put a model in its place. */
import type { Clock } from '../ports.ts'
import type { BrokerEventId } from './broker-event.ts'
import type { BrokerStream } from './broker-stream.ts'
import type { Checkpoint } from './checkpoint.ts'

/** One call of the API. */
export type ApiCall = {
  readonly text: string
  /** The same for this attempt for ever; sent as `Idempotency-Key`. */
  readonly key: string
  /** Aborted when the answer is no longer wanted. */
  readonly signal: AbortSignal
}

export type ApiResult =
  | { readonly kind: 'response'; readonly text: string; readonly encoding?: 'base64' }
  | { readonly kind: 'failure'; readonly reason: string }

/** A run has certainly ended; certainly lives; or nobody here can tell. */
export type RunState = 'gone' | 'alive' | 'unknown'

/** Says which runs of processors still live. */
export type Presence = {
  /** Makes this run known to others, once and before it calls anything. */
  announce(): Promise<void>
  /** Takes that back when nothing of it is under way any more. */
  withdraw(): Promise<void>
  stateOf(run: string): Promise<RunState>
}

/** Time that never goes back. */
export type Timers = {
  /** Milliseconds since some start. */
  now(): number
  /** @returns what calls it off */
  after(ms: number, wake: () => void): () => void
}

export type ReportLevel = 'debug' | 'info' | 'warning' | 'error'
export type Report = (
  level: ReportLevel,
  message: string,
  facts?: Readonly<Record<string, string | number>>,
) => void

export type ProcessorOptions = {
  /** Calls at once. */
  readonly maxParallel: number
  /** Longest time of a call whose request has no timeout, and of one that may answer late, ms. */
  readonly callLimitMs: number
  /** Time that a run which may be alive has more than its due to end an attempt itself, ms. */
  readonly graceMs: number
  /** Wait before the second attempt, ms; doubles with each further one. */
  readonly backoffMs: number
  /** Part of that wait, 0 to 1, by which it varies. */
  readonly jitter: number
  /** Keep a call running after its timeout. */
  readonly lateResponses: boolean
}

export type ProcessorParts = {
  readonly stream: BrokerStream
  readonly checkpoint: Checkpoint
  /** Name of this run of a processor, unlike any other. */
  readonly run: string
  readonly presence: Presence
  readonly callApi: (call: ApiCall) => Promise<ApiResult>
  readonly clock: Clock
  readonly timers: Timers
  readonly report: Report
  readonly options: ProcessorOptions
  /** Leave requests up to this event alone. */
  readonly startAfter?: BrokerEventId
}
