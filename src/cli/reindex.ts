/** `apie reindex`: makes everything that is derived from the log anew. */
import { AppError } from '../domain/app-error.ts'
import { type CommandCall, EXIT } from './command.ts'
import { counted } from './counted.ts'
import { withProgress } from './progress.ts'

export async function runReindex(call: CommandCall): Promise<number> {
  const store = await call.services.openStore('existing')
  try {
    const { reindex } = store
    if (!reindex) throw new AppError('usage', 'This engine has no index to rebuild')
    await withProgress(call.terminal, 'reindex', (progress) => reindex(progress))
    const { count } = await store.log.head()
    await call.terminal.out(`reindexed ${counted(count, 'events')}\n`)
    return EXIT.ok
  } finally {
    await store.close()
  }
}
