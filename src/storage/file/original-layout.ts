/**
 * A whole folder of the original Apie, taken over or written: its events and its content, where the
 * original's default settings put them below the folder it runs in.
 *
 *     events/default/   the log: `original-events.ts`
 *     media/            the content: `original-content.ts`
 */
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import { EMPTY_HASH } from '../../domain/event.ts'
import type { ContentEngine, LogEngine, Progress } from '../../domain/ports.ts'
import type { Disk } from './disk.ts'
import { exportOriginalContent, importOriginalContent } from './original-content.ts'
import { type ChainedEvent, readOriginalEvents, writeOriginalEvents } from './original-events.ts'

/** What was taken over, and what was there already. */
export type ImportCount = { readonly imported: number; readonly alreadyThere: number }

/** Where imported events and content go. */
export type ImportTarget = {
  /** Appends events with the hashes they have. @throws AppError `import-refused` on another history */
  importEvents(events: AsyncIterable<ChainedEvent>, progress?: Progress): Promise<ImportCount>
  readonly content: ContentEngine
  /** Media type for a file name. */
  mediaTypeOf(filename: string): string
}

/**
 * Takes a folder over. All events are checked before anything is stored, and content comes before the
 * events that may speak of it. Run again after a failure, it goes on where it stopped. A folder that holds
 * an `index` itself is taken for a log without content.
 * @throws AppError `import-refused`
 */
export async function importOriginal(
  disk: Disk,
  folder: string,
  target: ImportTarget,
  progress?: Progress,
): Promise<{ events: ImportCount; content: ImportCount }> {
  const isLog = disk.status(join(folder, 'index')) !== undefined
  const events = isLog ? folder : eventsFolder(folder)
  const media = join(folder, 'media')
  let total = 0
  for await (const _ of readOriginalEvents(disk, events)) total++
  const content =
    isLog || disk.list(media) === undefined
      ? { imported: 0, alreadyThere: 0 }
      : await importOriginalContent(disk, media, target.content, target.mediaTypeOf)
  const report: Progress | undefined = progress && ((done) => progress(done, total))
  const taken = await target.importEvents(readOriginalEvents(disk, events), report)
  return { events: taken, content }
}

/**
 * Writes the events up to the head as it is now, and the content, into a folder that is missing or empty.
 * The `index` of the events comes last: where it stands, the export is whole.
 * @throws AppError `usage` where the folder holds anything
 */
export async function exportOriginal(
  disk: Disk,
  folder: string,
  store: { readonly log: LogEngine; readonly content: ContentEngine },
  progress?: Progress,
): Promise<{ events: number; content: number }> {
  if ((disk.list(folder) ?? []).length > 0) {
    throw new AppError('usage', 'The folder to export to must be missing or empty')
  }
  for (const path of [folder, join(folder, 'events')]) disk.makeFolder(path)
  const { count } = await store.log.head()
  const content = await exportOriginalContent(disk, join(folder, 'media'), store.content)
  const events = chainedEvents(store.log, count)
  const report = progress && ((done: number) => progress(done, count))
  const written = await writeOriginalEvents(disk, eventsFolder(folder), events, report)
  await disk.syncFolder(folder)
  return { events: written, content }
}

async function* chainedEvents(log: LogEngine, count: number): AsyncGenerator<ChainedEvent> {
  let previous = EMPTY_HASH
  for await (const run of log.readLog(0, count, 'forwards')) {
    for (const { json, hash } of run) {
      yield { json, hash, previous }
      previous = hash
    }
  }
}

function eventsFolder(folder: string): string {
  return join(folder, 'events', 'default')
}
