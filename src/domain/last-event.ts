/** Whether a log can really be read: its end, which an index speaks of, may be gone. */
import { AppError } from './app-error.ts'
import type { LogEngine } from './ports.ts'

/**
 * The number of events, once the last of them was read and compared with the chain.
 * @throws AppError `log-damaged`; what reading throws
 */
export async function countToLastEvent(log: Pick<LogEngine, 'head' | 'read'>): Promise<number> {
  const { count } = await log.head()
  if (count > 0 && (await log.read(count - 1)) === undefined) {
    throw new AppError('log-damaged', 'The last event of the log is missing', { count })
  }
  return count
}
