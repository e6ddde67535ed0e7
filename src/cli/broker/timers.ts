/** Time for what goes on and on. */
import type { Timers } from '../../domain/broker/processor-ports.ts'
import { monotonicMs } from '../../kit/monotonic.ts'

export const timers: Timers = {
  now: monotonicMs,
  after: (ms, wake) => {
    const timer = setTimeout(wake, Math.min(ms, 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}
