/** The calls of the API that this run of a processor has under way, and what is to be written of each. */
import type { AttemptPayload } from './event-classes.ts'
import type { ApiResult, ProcessorOptions, ProcessorParts } from './processor-ports.ts'
import type { TrackedRequest } from './requests.ts'

type OwnCall = {
  readonly request: TrackedRequest
  readonly attempt: number
  /** Steady time at which its timeout elapses, and at which nobody waits for it any more. */
  readonly timeoutAt: number
  readonly limitAt: number
  readonly controller: AbortController
  result: ApiResult | undefined
}

/** Something to be written, and what to do when that is done. */
export type Due = {
  readonly request: TrackedRequest
  readonly payload: AttemptPayload
  readonly written?: () => void
}

type Parts = Pick<ProcessorParts, 'callApi' | 'timers'> & { readonly options: ProcessorOptions }

export class OwnCalls {
  private readonly calls = new Map<string, OwnCall>()
  private readonly parts: Parts
  private readonly wake: () => void

  /** @param wake told whenever a call has ended */
  constructor(parts: Parts, wake: () => void) {
    this.parts = parts
    this.wake = wake
  }

  /** Calls whose attempt is pending. */
  get pending(): number {
    let count = 0
    for (const call of this.calls.values()) if (isPending(call)) count++
    return count
  }

  get size(): number {
    return this.calls.size
  }

  /** When the next call needs attention, by steady time. */
  get nextDue(): number {
    let next = Number.POSITIVE_INFINITY
    for (const call of this.calls.values()) {
      next = Math.min(next, call.limitAt, isPending(call) ? call.timeoutAt : next)
    }
    return next
  }

  start(request: TrackedRequest, attempt: number, text: string): void {
    const { timers, options, callApi } = this.parts
    const now = timers.now()
    const timeoutMs = request.record.timeout * 1000
    const call: OwnCall = {
      request,
      attempt,
      timeoutAt: timeoutMs > 0 ? now + timeoutMs : Number.POSITIVE_INFINITY,
      limitAt: now + Math.max(options.callLimitMs, timeoutMs),
      controller: new AbortController(),
      result: undefined,
    }
    this.calls.set(keyOf(request, attempt), call)
    const take = (result: ApiResult) => {
      if (call.controller.signal.aborted) return
      call.result = result
      this.wake()
    }
    callApi({ text, key: `${request.uuid}:${attempt}`, signal: call.controller.signal }).then(
      take,
      (error: unknown) => take({ kind: 'failure', reason: String(error) }),
    )
  }

  /** What is to be written now; calls that nothing will be written of any more are let go. */
  due(): Due[] {
    const due: Due[] = []
    for (const call of [...this.calls.values()]) {
      const payload = this.payloadOf(call)
      if (payload) due.push({ request: call.request, payload, written: () => this.written(call) })
    }
    this.trim()
    return due
  }

  /** Aborts everything; what is pending is then due as a failure for `reason`. */
  interrupt(reason: string): void {
    for (const call of [...this.calls.values()]) {
      if (!isPending(call)) this.drop(call)
      else if (!call.result) this.abort(call, reason)
    }
  }

  private payloadOf(call: OwnCall): AttemptPayload | undefined {
    const { attempt, result } = call
    const now = this.parts.timers.now()
    if (!result && isPending(call) && now >= call.timeoutAt) {
      if (!this.parts.options.lateResponses) call.controller.abort()
      return { class: 'api-timeout', attempt }
    }
    if (!result && now >= call.limitAt) this.abort(call, this.limitReason())
    if (call.result?.kind === 'response') {
      const { text, encoding } = call.result
      return { class: 'api-response', attempt, response: text, ...(encoding ? { encoding } : {}) }
    }
    if (call.result && isPending(call)) {
      return { class: 'api-failure', attempt, failure: call.result.reason }
    }
    // Somebody else has ended the attempt, or a late call has failed: only a response would still count.
    if (!isPending(call) && (call.result || !this.parts.options.lateResponses)) this.drop(call)
    return undefined
  }

  private written(call: OwnCall): void {
    const isAwaited = this.parts.options.lateResponses && !call.result
    if (!isAwaited) this.drop(call)
  }

  /** As many calls may be late as may be pending; the oldest ones are given up. */
  private trim(): void {
    const late = [...this.calls.values()].filter((call) => !isPending(call) && !call.result)
    const surplus = Math.max(0, late.length - this.parts.options.maxParallel)
    for (const call of late.slice(0, surplus)) this.drop(call)
  }

  private limitReason(): string {
    return `no answer within ${this.parts.options.callLimitMs / 1000} s`
  }

  private abort(call: OwnCall, reason: string): void {
    call.controller.abort()
    call.result = { kind: 'failure', reason }
  }

  private drop(call: OwnCall): void {
    call.controller.abort()
    this.calls.delete(keyOf(call.request, call.attempt))
  }
}

const isPending = ({ request, attempt }: OwnCall): boolean =>
  request.record.stateOf(attempt) === 'pending'

export const keyOf = ({ id }: TrackedRequest, attempt: number): string => `${id} ${attempt}`
