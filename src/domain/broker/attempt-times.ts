/**
 * When something is due, by a clock that never goes back. How long ago an event was written is the only thing
 * that the clocks of machines are asked for, and a clock that says "in the future" is taken for "now": a wait
 * is then as long as it would be from now on, and never longer.
 */
import { sha256Hex } from '../../kit/sha256.ts'
import type { ProcessorOptions, RunState } from './processor-ports.ts'
import type { TrackedRequest } from './requests.ts'

/** The same moment by both clocks. */
export type Moment = { readonly wallMs: number; readonly steadyMs: number }

/** When an event was written, by the steady clock of this process. */
export function steadyTimeOf(createdAt: string, now: Moment): number {
  const ageMs = Math.max(0, now.wallMs - (Date.parse(createdAt) || now.wallMs))
  return now.steadyMs - ageMs
}

/** Time that an attempt may take, ms. */
function limitOf({ record }: TrackedRequest, options: ProcessorOptions): number {
  return record.timeout > 0 ? record.timeout * 1000 : options.callLimitMs
}

/** Of a pending attempt of another run: when it began by the clocks of machines, and when it was first met here. */
export type ForeignTimes = { readonly startedMs: number; readonly metMs: number }

/**
 * When others may end an attempt. Its run is gone: after the rest of the timeout, and at once where there is
 * none. It may live: when it has had time to do it itself. It is known to live: the same, and the clocks of
 * machines, which may be wrong, are not asked.
 */
export function endDue(
  request: TrackedRequest,
  { startedMs, metMs }: ForeignTimes,
  state: RunState,
  options: ProcessorOptions,
): number {
  const graceMs = limitOf(request, options) + options.graceMs
  switch (state) {
    case 'gone':
      return startedMs + request.record.timeout * 1000
    case 'alive':
      return metMs + graceMs
    case 'unknown':
      return startedMs + graceMs
    default:
      return state satisfies never
  }
}

/** Longest wait between two attempts, ms. */
const LONGEST_BACKOFF_MS = 86_400_000

/**
 * Wait between the end of the attempt before `attempt` and its start, ms. It varies by a number that follows
 * from the request, so that every processor comes to the same.
 */
export function backoffOf(
  { uuid }: TrackedRequest,
  attempt: number,
  { backoffMs, jitter }: Pick<ProcessorOptions, 'backoffMs' | 'jitter'>,
): number {
  if (backoffMs === 0 || attempt === 0) return 0
  const whole = Math.min(LONGEST_BACKOFF_MS, backoffMs * 2 ** Math.min(attempt - 1, 40))
  if (jitter === 0) return whole
  const chance = Number.parseInt(sha256Hex(`${uuid} ${attempt}`).slice(0, 8), 16) / 0xffffffff
  return Math.round(whole * (1 - jitter + 2 * jitter * chance))
}
