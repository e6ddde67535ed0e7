/** The loop around a processor: when it makes a step, what it waits for, and how it ends. */
import { pauseAfter, reportFailure } from './passing-failures.ts'
import { Processor } from './processor.ts'
import type { ProcessorParts } from './processor-ports.ts'

export type ProcessorMode = 'for-ever' | 'until-idle'

/** Failures in a row after which a run that is to end gives up. */
const MOST_FAILURES = 5
/** Longest time that the end of a run takes, ms. */
const STOP_MS = 700
/** Longest wait for anything, ms. */
const LONGEST_WAIT_MS = 60_000
/** Steps between two checkpoints. */
const CHECKPOINT_STEPS = 100

/**
 * Processes until the signal is aborted; `until-idle` also ends when nothing is due and no call is under way.
 * @throws AppError where the engine fails for good
 */
export async function runProcessor(
  parts: ProcessorParts,
  mode: ProcessorMode,
  signal: AbortSignal,
): Promise<void> {
  let waking = new AbortController()
  const wake = () => waking.abort()
  const processor = new Processor(parts, wake)
  signal.addEventListener('abort', wake)
  let failures = 0
  try {
    for (let steps = 1; !signal.aborted; steps++) {
      waking = new AbortController()
      try {
        const { count } = await parts.stream.log.head()
        const hasMore = await processor.step()
        failures = 0
        if (steps % CHECKPOINT_STEPS === 0) await processor.noteCheckpoint()
        if (hasMore || signal.aborted) continue
        if (mode === 'until-idle' && processor.isIdle) return
        await waitFor(parts, count, processor.nextDue, waking)
      } catch (error) {
        failures++
        if (mode === 'until-idle' && failures >= MOST_FAILURES) throw error
        await pauseAfter(error, failures, parts, signal)
      }
    }
  } finally {
    signal.removeEventListener('abort', wake)
    await withinStopTime(parts, processor)
  }
}

async function withinStopTime(parts: ProcessorParts, processor: Processor): Promise<void> {
  const end = async () => {
    await processor.stop()
    await processor.noteCheckpoint()
  }
  let callOff = () => {}
  const late = new Promise<void>((resolve) => {
    callOff = parts.timers.after(STOP_MS, resolve)
  })
  const ended = end().catch((error: unknown) => reportFailure(parts.report, error))
  await Promise.race([ended, late])
  callOff()
}

/** Until the log has grown beyond `count`, the time has come, or something else has happened. */
async function waitFor(
  { stream, timers }: ProcessorParts,
  count: number,
  dueMs: number,
  waking: AbortController,
): Promise<void> {
  const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(0, dueMs - timers.now()))
  const callOff = timers.after(waitMs, () => waking.abort())
  try {
    await stream.log.waitForMore(count, waking.signal)
  } finally {
    callOff()
    waking.abort()
  }
}
