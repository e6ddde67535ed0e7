/**
 * A whole folder of the original Apie, taken over or written: its events and its content, where the
 * original's default settings put them below the folder it runs in.
 *
 *     events/default/   the log: `original-events.ts`
 *     media/            the content: `original-content.ts`
 */
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import { linkedEvents } from '../../domain/linked-event.ts'
import type {
  ContentEngine,
  ImportCount,
  LinkedEvent,
  LogEngine,
  Progress,
} from '../../domain/ports.ts'
import type { Disk } from './disk.ts'
import {
  countOriginalContent,
  exportOriginalContent,
  importOriginalContent,
} from './original-content.ts'
import { readOriginalEvents, writeOriginalEvents } from './original-events.ts'

/** Where imported events and content go. */
export type ImportTarget = {
  readonly log: Pick<LogEngine, 'head' | 'findHash' | 'importEvents'>
  readonly content: ContentEngine
}

/**
 * Takes a folder over into a log that is empty or holds the beginning of the same history. All events and
 * all content are checked before anything is stored, and content comes before the events that may speak of
 * it. Run again after a failure, it goes on where it stopped. A folder that holds an `index` itself is taken
 * for a log without content.
 * @param mediaTypeOf media type for a file name
 * @param progress counts each event and each blob twice: when it is checked and when it is stored
 * @throws AppError `import-refused`
 */
export async function importOriginal(
  disk: Disk,
  folder: string,
  target: ImportTarget,
  mediaTypeOf: (filename: string) => string,
  progress?: Progress,
): Promise<{ events: ImportCount; content: ImportCount }> {
  const isLog = disk.status(join(folder, 'index')) !== undefined
  const events = isLog ? folder : eventsFolder(folder)
  const media = join(folder, 'media')
  const isWithContent = !isLog && disk.list(media) !== undefined
  const blobs = isWithContent ? countOriginalContent(disk, media) : 0
  let steps = 2 * blobs
  const history = readOriginalEvents(disk, events, (done, all) => progress?.(done, steps + 2 * all))
  const total = await checkHistory(history, target.log)
  steps += 2 * total
  const content = isWithContent
    ? await importOriginalContent(disk, media, target.content, mediaTypeOf, (done) =>
        progress?.(total + done, steps),
      )
    : { imported: 0, alreadyThere: 0 }
  const before = steps - total
  const taken = await target.log.importEvents(readOriginalEvents(disk, events), (done) =>
    progress?.(before + done, steps),
  )
  return { events: taken, content }
}

/** Since each hash covers all before it, two histories agree where the last event that both have is the same. */
async function checkHistory(
  events: AsyncIterable<LinkedEvent>,
  log: ImportTarget['log'],
): Promise<number> {
  const { count } = await log.head()
  let total = 0
  let shared: LinkedEvent | undefined
  for await (const event of events) {
    if (total++ < count) shared = event
  }
  if (shared && (await log.findHash(shared.hash)) !== Math.min(total, count) - 1) {
    throw new AppError('import-refused', 'The log holds another history than the folder')
  }
  return total
}

/**
 * Writes the events up to the head as it is now, and the content, into a folder that is missing or empty.
 * The `index` of the events comes last: where it stands, the export is whole.
 * @throws AppError `usage` where the folder holds anything, `output-failed` where nothing can be made in it
 */
export async function exportOriginal(
  disk: Disk,
  folder: string,
  store: { readonly log: LogEngine; readonly content: ContentEngine },
  progress?: Progress,
): Promise<{ events: number; content: number }> {
  beginFolder(disk, folder)
  const { count } = await store.log.head()
  const content = await exportOriginalContent(disk, join(folder, 'media'), store.content)
  const events = linkedEvents(store.log, count)
  const report = progress && ((done: number) => progress(done, count))
  const written = await writeOriginalEvents(disk, eventsFolder(folder), events, report)
  await disk.syncFolder(folder)
  return { events: written, content }
}

function beginFolder(disk: Disk, folder: string): void {
  try {
    const isEmpty = (disk.list(folder) ?? []).length === 0
    if (!isEmpty) throw new AppError('usage', 'The folder to export to must be missing or empty')
    for (const path of [folder, join(folder, 'events')]) disk.makeFolder(path)
  } catch (error) {
    const osCode = error instanceof AppError ? error.facts?.['osCode'] : undefined
    if (osCode === undefined) throw error
    // Else it would pass for a failure of the data folder.
    const above = osCode === 'ENOENT' ? ': the folder that it is to be made in is not there' : ''
    const problem = `The folder to export to cannot be made or written (${osCode})${above}`
    throw new AppError('output-failed', problem, {}, error)
  }
}

function eventsFolder(folder: string): string {
  return join(folder, 'events', 'default')
}
