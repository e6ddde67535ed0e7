/** The events with an id in a stream, found in the files of an index. */
import type { IndexFiles } from './index-files.ts'
import type { IndexKeys } from './index-keys.ts'
import { SOME } from './key-table.ts'

/** @returns positions below `end` whose event may have this id in this stream */
export function storedIds(
  files: IndexFiles,
  keys: IndexKeys,
  stream: string,
  eventId: string,
  end: number,
): readonly number[] {
  const found = files.ids.find(keys.ofId(eventId), end)
  // Of an id that many streams have, `ids` knows the first few only.
  if (found.length < SOME) return found
  return [...files.repeats.find(keys.ofRepeat(stream, eventId), end), ...found]
}
