/**
 * What is known of one request: the state of each attempt, and what follows from them. The table of states
 * stands in `docs/broker.md`. Nothing here reads, writes or waits.
 */
import type { AttemptPayload } from './event-classes.ts'

export type AttemptState = 'initial' | 'pending' | 'success' | 'failure' | 'timeout'
export type OverallState = Exclude<AttemptState, 'initial'>

/** What the next requests get; requests keep what was in force when they were made. */
export type Configuration = {
  readonly retries: number
  /** Seconds; 0: no timeout. */
  readonly timeout: number
}

/** In force before the first `configuration` event. */
export const FIRST_CONFIGURATION: Configuration = { retries: 0, timeout: 0 }

/** Negative values leave a setting as it is. */
export function configured(before: Configuration, change: Configuration): Configuration {
  return {
    retries: change.retries >= 0 ? change.retries : before.retries,
    timeout: change.timeout >= 0 ? change.timeout : before.timeout,
  }
}

export class RequestRecord {
  /** Attempts that there may be: the retries and one. */
  readonly attempts: number
  /** Seconds that each may take; 0: any time. */
  readonly timeout: number
  /** Sparse, and made with the first attempt: neither a million retries nor a million requests cost much. */
  private states: AttemptState[] | undefined
  private leading = 0
  private hasSuccess = false

  constructor({ retries, timeout }: Configuration) {
    this.attempts = retries + 1
    this.timeout = timeout
  }

  stateOf(attempt: number): AttemptState {
    return this.states?.[attempt] ?? 'initial'
  }

  /** Number of attempts from the first one on that are no longer `initial`. */
  get next(): number {
    return this.leading
  }

  get hasSucceeded(): boolean {
    return this.hasSuccess
  }

  get overall(): OverallState {
    if (this.hasSuccess) return 'success'
    if (this.leading < this.attempts) return 'pending'
    const last = this.stateOf(this.attempts - 1)
    return last === 'initial' ? 'pending' : last
  }

  /** No attempt will be started any more. */
  get isSettled(): boolean {
    return this.overall !== 'pending'
  }

  /** The attempt that is to be started now: the first one, or the one after an attempt that has ended badly. */
  get startable(): number | undefined {
    if (this.isSettled || this.leading >= this.attempts) return undefined
    return this.leading > 0 && this.stateOf(this.leading - 1) === 'pending'
      ? undefined
      : this.leading
  }

  /**
   * Takes in what happened to an attempt.
   * @returns false where there is no such attempt, or where it changes nothing: a timeout of an attempt that
   * is not pending, a failure of one that has succeeded, a start of one that was started
   */
  apply(event: AttemptPayload): boolean {
    const { attempt } = event
    if (attempt >= this.attempts) return false
    const state = this.stateOf(attempt)
    switch (event.class) {
      case 'api-request':
        return state === 'initial' && this.change(attempt, 'pending')
      case 'api-response':
        return this.change(attempt, 'success')
      case 'api-failure':
        return state !== 'success' && this.change(attempt, 'failure')
      case 'api-timeout':
        return state === 'pending' && this.change(attempt, 'timeout')
      default:
        return event satisfies never
    }
  }

  private change(attempt: number, state: AttemptState): boolean {
    this.states ??= []
    this.states[attempt] = state
    if (state === 'success') this.hasSuccess = true
    while (this.leading < this.attempts && this.states[this.leading] !== undefined) this.leading++
    return true
  }
}
