/** What goes on behind failures of the engine that pass: which those are, and how long to wait before the next try. */
import { AppError, type ErrorCode } from '../app-error.ts'
import type { Report, Timers } from './processor-ports.ts'

const PASSING: ReadonlySet<ErrorCode> = new Set([
  'index-behind',
  'lock-timeout',
  'outcome-unknown',
  'storage-full',
  'storage-read-only',
  'storage-unavailable',
])

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 30_000

export type PauseParts = {
  readonly timers: Pick<Timers, 'after'>
  readonly report: Report
}

/**
 * Tells of a failure and waits, until the signal is aborted at most.
 * @param failures in a row, this one included; the more, the longer
 * @throws what does not pass
 */
export async function pauseAfter(
  error: unknown,
  failures: number,
  { timers, report }: PauseParts,
  signal: AbortSignal,
): Promise<void> {
  const isPassing = error instanceof AppError && PASSING.has(error.code)
  if (!isPassing) throw error
  reportFailure(report, error)
  const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20))
  await new Promise<void>((resolve) => {
    const done = () => {
      callOff()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const callOff = timers.after(pauseMs, done)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}

export function reportFailure(report: Report, error: unknown): void {
  const code = error instanceof AppError ? error.code : 'internal'
  report('error', error instanceof Error ? error.message : String(error), { code })
}
