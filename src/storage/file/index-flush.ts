/**
 * Writes pending events into the files of an index. Links go in before anything points to the new events;
 * the head of the index, which is not written here, comes last.
 */
import { ENTRY_BYTES, laneOffset, readU40 } from './entry.ts'
import { fingerprintAt } from './fingerprint.ts'
import type { IndexPoint } from './head-file.ts'
import type { IndexFiles } from './index-files.ts'
import type { IndexKeys } from './index-keys.ts'
import type { KnownSequence } from './known-sequences.ts'
import type { PendingEvents } from './pending-events.ts'

/** Members of a sequence from one hint to the next: a reader walks half as many links, a writer saves the rest. */
const HINT_EVERY = 8

/** Where the hash stands in an entry. */
const HASH_AT = 32

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
  const { all, entryBytes } = pending
  files.writeEntries(from.count, entryBytes)
  files.links.write(from.count, entryBytes)
  let position = from.count
  let hashAt = HASH_AT
  for (const { stream, eventId } of all) {
    files.keys.add(fingerprintAt(entryBytes, hashAt), position)
    files.keys.add(keys.ofId(stream, eventId), position)
    files.ids.addSome(keys.ofAnyId(eventId), position)
    position++
    hashAt += ENTRY_BYTES
  }
  keys.forgetIds()
  writeSequences(files, keys, pending, from, syncedCount)
}

function writeSequences(
  files: IndexFiles,
  keys: IndexKeys,
  pending: PendingEvents,
  from: IndexPoint,
  syncedCount: number,
): void {
  let number = from.sequences
  const moved = new Set<KnownSequence>()
  const { entryBytes } = pending
  let position = from.count
  let entryAt = 0
  for (const members of pending.memberships) {
    for (const sequence of members) {
      const own = readU40(entryBytes, entryAt + laneOffset(sequence.lane)) - 1
      if (own === 0) files.sequences.add(keys.ofSequence(sequence.key), number++, position)
      else if (own % HINT_EVERY === 0) moved.add(sequence)
    }
    position++
    entryAt += ENTRY_BYTES
  }
  for (const { key, position: last } of moved) {
    const slot = files.sequences.find(keys.ofSequence(key), number)
    if (slot) files.sequences.hint(slot, last, syncedCount)
  }
}
