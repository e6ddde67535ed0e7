/**
 * Writes pending events into the files of an index. Links go in before anything points to the new events;
 * the head of the index, which is not written here, comes last.
 */
import { ENTRY_BYTES, type Lane } from './entry.ts'
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
  for (const [at, members] of pending.memberships.entries()) {
    for (const sequence of members) {
      const { number: own } = pending.lane(at, sequence.lane) as Lane
      if (own === 0) files.sequences.add(keys.ofSequence(sequence.key), number++, from.count + at)
      else if (own % HINT_EVERY === 0) moved.add(sequence)
    }
  }
  for (const { key, position } of moved) {
    const slot = files.sequences.find(keys.ofSequence(key), number)
    if (slot) files.sequences.hint(slot, position, syncedCount)
  }
}
