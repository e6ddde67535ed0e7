/**
 * The appends of a process that wait for a database: they queue, and all that wait are stored together.
 * How they are stored is the engine's own.
 */
import type { AppendOutcome, AppendRequest } from '../../domain/ports.ts'
import type { Plan, Waiting } from './append-plan.ts'

/** Most events, and most bytes of them as they were sent, that are stored together; one append always is. */
export type GroupLimits = { readonly events: number; readonly bytes: number }

const LIMITS: GroupLimits = { events: 1000, bytes: 8 << 20 }

/** Stores a batch and tells what it came to; where it throws, nobody knows or nothing was stored. */
export type StoreBatch = (batch: readonly Waiting[]) => Promise<Plan>

export class AppendQueue {
  private readonly store: StoreBatch
  private readonly limits: GroupLimits
  private waiting: Waiting[] = []
  private running: Promise<void> | undefined

  constructor(store: StoreBatch, limits = LIMITS) {
    this.store = store
    this.limits = limits
  }

  append(request: AppendRequest): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, resolve, reject })
      this.running ??= this.work()
    })
  }

  /** Resolves when none waits any more. */
  async idle(): Promise<void> {
    await this.running
  }

  private async work(): Promise<void> {
    // One turn of the loop later, so that what comes together goes together.
    await undefined
    while (this.waiting.length > 0) {
      const batch = takeBatch(this.waiting, this.limits)
      try {
        settle(await this.store(batch))
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    // In the same turn as the look at the queue: an append that comes next starts it again.
    this.running = undefined
  }
}

function settle({ appended, retries, refusals }: Plan): void {
  for (const { waiting, outcome } of [...appended, ...retries]) waiting.resolve(outcome)
  for (const { waiting, error } of refusals) waiting.reject(error)
}

/** Takes the first of those that wait, as many as fit. */
function takeBatch(waiting: Waiting[], limits: GroupLimits): readonly Waiting[] {
  let events = 0
  let bytes = 0
  let length = 0
  while (length < waiting.length) {
    const { request } = waiting[length] as Waiting
    events += request.events.length
    for (const { body, metadata } of request.events) {
      bytes += body.kind === 'json' ? body.text.length : body.bytes.length
      bytes += metadata?.length ?? 0
    }
    if (length > 0 && (events > limits.events || bytes > limits.bytes)) break
    length++
  }
  return waiting.splice(0, length)
}
