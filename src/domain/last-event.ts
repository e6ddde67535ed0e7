/** Whether a log can really be read: its end, which an index speaks of, may be gone. */
import { AppError } from './app-error.ts'
import type { StoredEvent } from './event.ts'
import type { LogEngine } from './ports.ts'

/**
 * The number of events, and the last of them, which was compared with the chain.
 * @throws AppError `log-damaged`; what reading throws
 */
export async function readLastEvent(
  log: Pick<LogEngine, 'head' | 'read'>,
): Promise<{ readonly count: number; readonly event?: StoredEvent }> {
  const { count } = await log.head()
  if (count === 0) return { count }
  const event = await log.read(count - 1)
  if (event === undefined) {
    throw new AppError('log-damaged', 'The last event of the log is missing', { count })
  }
  return { count, event }
}
