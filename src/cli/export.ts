/** `apie export`: a folder in the original layout, or the events as lines on standard output. */

import type { StoredEvent } from '../domain/event.ts'
import { eventTextSize, writeEventText } from '../domain/event-text.ts'
import type { Progress, Store } from '../domain/ports.ts'
import { type CommandCall, EXIT } from './command.ts'
import { counted } from './counted.ts'
import { withProgress } from './progress.ts'
import type { Terminal } from './terminal.ts'

export async function runExport(call: CommandCall): Promise<number> {
  const { services, terminal, words } = call
  const [folder] = words
  const store = await services.openStore('existing')
  try {
    await withProgress(terminal, 'export', async (progress) => {
      if (folder === undefined) return exportLines(store, terminal, progress)
      const { events, content } = await services.exportOriginal(store, folder, progress)
      await terminal.out(`exported ${counted(events, 'events')} and ${counted(content, 'files')}\n`)
    })
    return EXIT.ok
  } finally {
    await store.close()
  }
}

/** Each event as readers get it, hash included, and a line feed; up to the head as it is now. */
async function exportLines(store: Store, terminal: Terminal, progress: Progress): Promise<void> {
  const { count } = await store.log.head()
  let done = 0
  for await (const run of store.log.readLog(0, count, 'forwards')) {
    await terminal.out(linesOf(run))
    done += run.length
    progress(done, count)
  }
}

function linesOf(run: readonly StoredEvent[]): Buffer {
  const size = run.reduce((sum, event) => sum + eventTextSize(event) + 1, 0)
  const into = Buffer.allocUnsafe(size)
  let end = 0
  for (const event of run) {
    end = writeEventText(event, into, end)
    into[end++] = 0x0a
  }
  return into.subarray(0, end)
}
