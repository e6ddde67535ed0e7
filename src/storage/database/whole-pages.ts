/** Pages of a log in a database that lack nothing: where a number is missing, somebody deleted what had it. */
import type { Position, StoredEvent } from '../../domain/event.ts'
import type { ReadDirection } from '../../domain/ports.ts'
import type { MaybeLater } from '../../kit/maybe-later.ts'
import { damagedEvent } from './event-link.ts'

/** Numbers have no gaps. @returns index of the first that is another one than it must be, or -1 */
export function gapIn(numbers: readonly number[], first: number, direction: ReadDirection): number {
  const step = direction === 'forwards' ? 1 : -1
  return numbers.findIndex((number, at) => number !== first + step * at)
}

/** Some events of a part of the log, from that end of it on at which reading begins. */
export type LogPage = {
  readonly positions: readonly Position[]
  /** The events at these positions, proven. */
  events(): MaybeLater<readonly StoredEvent[]>
}

/** Whether a page may have these positions; one that may not is worth another look where rows can be late. */
export type IsWhole = (positions: readonly Position[]) => boolean

/**
 * Each run begins where the one before it ended, or the log is damaged there. Where the log ends is only asked for
 * once an event is not where it could be: most readers know it.
 * @param pageOf a page of the part from one position to another (exclusive)
 * @param countOf events in the log
 * @param to exclusive
 * @throws AppError `log-damaged`
 */
export async function* wholeRuns(
  pageOf: (from: Position, to: Position, isWhole: IsWhole) => Promise<LogPage>,
  countOf: () => Promise<number>,
  from: Position,
  to: Position,
  direction: ReadDirection,
): AsyncGenerator<readonly StoredEvent[]> {
  const isForwards = direction === 'forwards'
  let start = Math.max(0, from)
  let end = Math.min(to, Number.MAX_SAFE_INTEGER)
  let isWithin = false
  const gapAmong = (positions: readonly Position[]) =>
    positions.length === 0 ? 0 : gapIn(positions, isForwards ? start : end - 1, direction)
  while (start < end) {
    const page = await pageOf(start, end, (found) => !isWithin || gapAmong(found) < 0)
    const { length } = page.positions
    const gap = gapAmong(page.positions)
    if (gap >= 0) {
      if (isWithin) throw damagedEvent(isForwards ? start + gap : end - 1 - gap)
      // Below the count everything is there, also what came meanwhile, when it is read again.
      end = Math.min(end, await countOf())
      isWithin = true
      continue
    }
    yield await page.events()
    if (isForwards) start += length
    else end -= length
  }
}
