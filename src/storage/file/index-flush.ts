/**
 * Writes pending events into the files of an index. Links go in before anything points to the new events;
 * the head of the index, which is not written here, comes last.
 */
import type { SequenceKey } from '../../domain/sequence.ts'
import type { IndexPoint } from './head-file.ts'
import type { IndexFiles, Link } from './index-files.ts'
import type { IndexKeys } from './index-keys.ts'
import type { Pending, PendingEvents } from './pending-events.ts'

/** Members of a sequence from one hint to the next: a reader walks half as many links, a writer saves the rest. */
const HINT_EVERY = 8

/**
 * @param from where the files end
 * @param syncedCount events up to which they are synced
 */
export function flushPending(
  files: IndexFiles,
  keys: IndexKeys,
  pending: PendingEvents,
  from: IndexPoint,
  syncedCount: number,
): void {
  const { all } = pending
  files.writeEntries(
    from.count,
    all.map(({ entry }) => entry),
  )
  files.writeLinks(links(all, from.count))
  let position = from.count
  for (const { entry, event } of all) {
    files.keys.add(entry.fingerprint, position)
    files.keys.add(keys.ofId(event.stream, event.eventId), position)
    files.ids.addSome(keys.ofAnyId(event.eventId), position)
    position++
  }
  writeSequences(files, keys, pending, from, syncedCount)
}

function links(pending: readonly Pending[], first: number): Link[] {
  const found: Link[] = []
  let to = first
  for (const { members } of pending) {
    for (const { lane, head } of members) {
      if (head.previous >= 0) found.push({ from: head.previous, lane, to })
    }
    to++
  }
  return found
}

function writeSequences(
  files: IndexFiles,
  keys: IndexKeys,
  { all, heads }: PendingEvents,
  from: IndexPoint,
  syncedCount: number,
): void {
  let number = from.sequences
  let position = from.count
  const moved = new Set<SequenceKey>()
  for (const { members } of all) {
    for (const { key, head } of members) {
      if (head.number === 0) files.sequences.add(keys.ofSequence(key), number++, position)
      else if (head.number % HINT_EVERY === 0) moved.add(key)
    }
    position++
  }
  for (const key of moved) {
    const head = heads.get(key)
    const slot = head && files.sequences.find(keys.ofSequence(key), number)
    if (slot) files.sequences.hint(slot, head.position, syncedCount)
  }
}
