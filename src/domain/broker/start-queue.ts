/** Requests whose next attempt is to be started: those that are ready, and those that wait for their time. */
import { backoffOf } from './attempt-times.ts'
import type { ProcessorOptions } from './processor-ports.ts'
import type { TrackedRequest } from './requests.ts'

export class StartQueue {
  private readonly ready = new Set<TrackedRequest>()
  /** Steady time at which they become ready. */
  private readonly delayed = new Map<TrackedRequest, number>()
  private readonly options: Pick<ProcessorOptions, 'backoffMs' | 'jitter'>
  private nextDelayed = Number.POSITIVE_INFINITY

  constructor(options: Pick<ProcessorOptions, 'backoffMs' | 'jitter'>) {
    this.options = options
  }

  /** Steady time at which the next one becomes ready. */
  get nextDue(): number {
    return this.nextDelayed
  }

  get isEmpty(): boolean {
    return this.ready.size === 0
  }

  /** Puts a request where it belongs after its record has changed. @param since steady time of the change */
  update(request: TrackedRequest, since: number): void {
    this.remove(request)
    const attempt = request.record.startable
    if (attempt === undefined) return
    const waitMs = backoffOf(request, attempt, this.options)
    if (waitMs === 0) this.ready.add(request)
    else this.delay(request, since + waitMs)
  }

  remove(request: TrackedRequest): void {
    this.ready.delete(request)
    this.delayed.delete(request)
  }

  /** At most `most` requests that are ready; they stay until their record has changed. */
  peek(most: number, now: number): TrackedRequest[] {
    if (now >= this.nextDelayed) this.ripen(now)
    const found: TrackedRequest[] = []
    for (const request of this.ready) {
      if (found.length >= most) break
      found.push(request)
    }
    return found
  }

  private ripen(now: number): void {
    this.nextDelayed = Number.POSITIVE_INFINITY
    for (const [request, dueMs] of this.delayed) {
      if (dueMs > now) this.nextDelayed = Math.min(this.nextDelayed, dueMs)
      else {
        this.delayed.delete(request)
        this.ready.add(request)
      }
    }
  }

  private delay(request: TrackedRequest, dueMs: number): void {
    this.delayed.set(request, dueMs)
    this.nextDelayed = Math.min(this.nextDelayed, dueMs)
  }
}
