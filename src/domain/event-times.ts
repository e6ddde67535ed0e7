/** From times to positions: the events of a log stand in the order of their times. */
import { type Position, parseStoredEvent } from './event.ts'
import type { LogEngine } from './ports.ts'

/**
 * Position of the first event between `low` and `high` (exclusive) that was created at `timeMs` or later; `high`
 * where there is none. Looks at few events, however many there are.
 */
export async function firstPositionAt(
  log: LogEngine,
  timeMs: number,
  low: Position,
  high: Position,
): Promise<Position> {
  let [from, to] = [low, high]
  while (from < to) {
    const middle = Math.floor((from + to) / 2)
    const event = await log.read(middle)
    const isBefore = event !== undefined && Date.parse(parseStoredEvent(event).createdAt) < timeMs
    if (isBefore) from = middle + 1
    else to = middle
  }
  return from
}
