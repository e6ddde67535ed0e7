/**
 * `apie reindex`: makes everything that is derived from the log anew. As what a backup is restored with it also
 * sets back consumers and groups that are ahead of the log, for which a database has no other command either.
 */
import { AppError } from '../domain/app-error.ts'
import { setBackPositionsAhead } from '../domain/positions-ahead.ts'
import { type CommandCall, EXIT } from './command.ts'
import { counted } from './counted.ts'
import { withProgress } from './progress.ts'

export async function runReindex(call: CommandCall): Promise<number> {
  const { services, terminal } = call
  const store = await services.openStore('existing')
  try {
    const { reindex, log, records } = store
    if (reindex) {
      await withProgress(terminal, 'reindex', (progress) => reindex(progress))
      const { count } = await log.head()
      await terminal.out(`reindexed ${counted(count, 'events')}\n`)
    }
    const clock = { now: () => Date.now() }
    const setBack = await setBackPositionsAhead({ log, records, clock })
    if (setBack > 0) {
      const positions = counted(setBack, 'positions')
      await terminal.out(`set back ${positions} of consumers and groups to the end of the log\n`)
    } else if (!reindex) throw new AppError('usage', 'This engine has no index to rebuild')
    return EXIT.ok
  } finally {
    await store.close()
  }
}
