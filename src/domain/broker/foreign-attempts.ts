/**
 * Attempts that are pending and that other runs of processors began. They end them by themselves, unless
 * they were killed: then somebody else has to.
 */
import { endDue, type ForeignTimes } from './attempt-times.ts'
import { type Due, keyOf } from './own-calls.ts'
import type { Presence, ProcessorOptions, RunState } from './processor-ports.ts'
import type { TrackedRequest } from './requests.ts'

type ForeignAttempt = {
  readonly request: TrackedRequest
  readonly attempt: number
  /** The run that calls; absent where the event does not tell. */
  readonly run: string | undefined
  readonly times: ForeignTimes
  state: RunState
}

/** Time between two looks at whether a run lives, ms. */
const LOOK_MS = 1000

export class ForeignAttempts {
  private readonly attempts = new Map<string, ForeignAttempt>()
  private readonly presence: Presence
  private readonly options: ProcessorOptions
  private nextLook = 0

  constructor(presence: Presence, options: ProcessorOptions) {
    this.presence = presence
    this.options = options
  }

  /** Steady time of the next look, or of the next end that is due. */
  get nextDue(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { request, times, state } of this.attempts.values()) {
      next = Math.min(next, endDue(request, times, state, this.options))
      if (state !== 'gone') next = Math.min(next, this.nextLook)
    }
    return next
  }

  add(
    request: TrackedRequest,
    attempt: number,
    run: string | undefined,
    times: ForeignTimes,
  ): void {
    const state = run === undefined ? 'gone' : 'alive'
    this.attempts.set(keyOf(request, attempt), { request, attempt, run, times, state })
    this.nextLook = 0
  }

  /** Takes note of an attempt that has ended. */
  remove(request: TrackedRequest, attempt: number): void {
    this.attempts.delete(keyOf(request, attempt))
  }

  /** The ends that are due by now. */
  async due(now: number): Promise<Due[]> {
    if (this.attempts.size === 0) return []
    if (now >= this.nextLook) await this.look(now)
    const due: Due[] = []
    for (const { request, attempt, times, state } of this.attempts.values()) {
      if (now < endDue(request, times, state, this.options)) continue
      const payload =
        request.record.timeout > 0
          ? ({ class: 'api-timeout', attempt } as const)
          : ({ class: 'api-failure', attempt, failure: INTERRUPTED } as const)
      due.push({ request, payload })
    }
    return due
  }

  private async look(now: number): Promise<void> {
    const runs = new Map<string, RunState>()
    for (const attempt of [...this.attempts.values()]) {
      const { run } = attempt
      if (run === undefined || attempt.state === 'gone') continue
      const state = runs.get(run) ?? (await this.presence.stateOf(run))
      runs.set(run, state)
      attempt.state = state
    }
    this.nextLook = now + LOOK_MS
  }
}

/** What an attempt failed of whose processor ended before its call did. */
const INTERRUPTED = 'interrupted'
