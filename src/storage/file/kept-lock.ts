/**
 * Keeps the lock of a log from one batch to the next in a process that appends again and again: making and
 * removing the lock folder costs as much as storing dozens of events, and waits for the journal of the file
 * system while that is busy with a sync.
 *
 * Nobody waits for it longer than for a batch: whoever finds the lock taken leaves word (`lock.ts`), and the
 * holder lets go before its next batch, or within a moment where it has none. While batches come it is renewed beside
 * them; where that does not come about, it is let go long before it would count as left behind.
 */
import { monotonicMs } from '../../kit/monotonic.ts'
import type { HeldLock, Lock } from './lock.ts'

/** How long it is kept without need, ms, and how often it is looked meanwhile whether somebody waits. */
const IDLE_MS = 30
const LOOK_MS = 3
/** Age at which it is renewed, and at which it is let go, ms. */
const RENEW_MS = 400
const MOST_MS = 800
/** How long the others go first once they have waited, ms. */
const YIELD_MS = 8

export class KeptLock {
  private readonly lock: Lock
  private readonly isKept: boolean
  private held: HeldLock | undefined
  private sinceMs = 0
  private renewing: Promise<void> | undefined
  private timer: NodeJS.Timeout | undefined

  /** @param isKept false: it is let go with every `rest` */
  constructor(lock: Lock, isKept: boolean) {
    this.lock = lock
    this.isKept = isKept
  }

  /** @throws AppError `lock-timeout` */
  async take(): Promise<HeldLock> {
    clearTimeout(this.timer)
    const { held } = this
    const isWanted = held?.isWanted() ?? false
    const ageMs = monotonicMs() - this.sinceMs
    if (held && !isWanted && ageMs < MOST_MS) {
      if (ageMs >= RENEW_MS) this.renewing ??= this.renew(held)
      return held
    }
    this.release()
    if (isWanted) await new Promise((resolve) => setTimeout(resolve, YIELD_MS))
    const taken = await this.lock.acquire()
    this.held = taken
    this.sinceMs = monotonicMs()
    return taken
  }

  private async renew(held: HeldLock): Promise<void> {
    const now = monotonicMs()
    const isNew = (await held.renew?.()) ?? false
    if (isNew && held === this.held) this.sinceMs = now
    this.renewing = undefined
  }

  /** There is nothing to write for now. */
  rest(): void {
    const { held } = this
    if (!held) return
    if (!this.isKept || held.isWanted()) this.release()
    else this.rested(held, monotonicMs())
  }

  private rested(held: HeldLock, sinceMs: number): void {
    this.timer = setTimeout(() => {
      if (held.isWanted() || monotonicMs() - sinceMs >= IDLE_MS) this.release()
      else this.rested(held, sinceMs)
    }, LOOK_MS)
  }

  release(): void {
    clearTimeout(this.timer)
    const { held } = this
    this.held = undefined
    held?.release()
  }
}
