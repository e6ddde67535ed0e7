/** `apie import`: takes over a folder of the original Apie, hashes and all. */
import { type CommandCall, EXIT } from './command.ts'
import { withProgress } from './progress.ts'

export async function runImport(call: CommandCall): Promise<number> {
  const { services, terminal, words } = call
  const [folder = ''] = words
  await services.checkOriginal(folder)
  const store = await services.openStore('create')
  try {
    const { events, content } = await withProgress(terminal, 'import', (progress) =>
      services.importOriginal(store, folder, progress),
    )
    await terminal.out(
      `events: ${events.imported} imported, ${events.alreadyThere} there before\n` +
        `content: ${content.imported} imported, ${content.alreadyThere} there before\n`,
    )
    await terminal.err(
      'Accounts stay behind: "apie user import FILE" takes over those of a passwd file.\n',
    )
    return EXIT.ok
  } finally {
    await store.close()
  }
}
