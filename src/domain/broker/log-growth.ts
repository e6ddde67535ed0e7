/** Waiting for a log to grow. */
import type { LogEngine } from '../ports.ts'

/** Time between two looks, ms. */
const LOOK_MS = 100

/** Resolves when the log has more than `count` events, or when the signal is aborted. */
export async function waitForMore(
  log: LogEngine,
  count: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && (await log.head()).count <= count) await pause(signal)
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, LOOK_MS)
    signal.addEventListener('abort', done)
  })
}
