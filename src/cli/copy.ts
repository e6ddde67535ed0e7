/** `apie copy`: moves a whole store between engines. */
import { AppError } from '../domain/app-error.ts'
import { type CopyCounts, copyStore } from '../domain/copy-store.ts'
import type { ImportCount } from '../domain/ports.ts'
import { type CommandCall, EXIT } from './command.ts'
import { counted } from './counted.ts'
import { withProgress } from './progress.ts'
import { notingFailures } from './store-of-failure.ts'

export async function runCopy(call: CommandCall): Promise<number> {
  const { services, terminal, options } = call
  const [from, to] = [options['from'], options['to']].map((url) =>
    typeof url === 'string' && url !== '' ? url : undefined,
  )
  if (to === undefined) throw new AppError('usage', 'copy needs --to URL')
  if (to === (from ?? services.settings().store)) {
    throw new AppError('usage', '--from and --to name the same store')
  }
  const source = await services.openStore('existing', from)
  try {
    const target = await services.openStore('create', to)
    try {
      // The store that was opened last is taken for the one that failed.
      const noted = notingFailures(source, from ?? services.settings().store)
      const counts = await withProgress(terminal, 'copy', (progress) =>
        copyStore(noted, target, progress),
      )
      await terminal.out(summary(counts))
      return EXIT.ok
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

function summary({ events, content, records }: CopyCounts): string {
  const copied = ({ imported, alreadyThere }: ImportCount) =>
    `${imported} copied, ${alreadyThere} there before`
  const lines = [
    `events: ${copied(events)}`,
    `content: ${copied(content)}`,
    `records: ${copied(records)}, ${records.removed} removed`,
  ]
  if (events.whole > 0) {
    lines.push(
      `The store of --to holds ${counted(events.whole, 'events')} whole that the one of --from has scavenged: run "apie scavenge" on it, too`,
    )
  }
  return `${lines.join('\n')}\n`
}
