/**
 * Writes pending events into the files of an index. Links go in before anything points to the new events;
 * the head of the index, which is not written here, comes last.
 */
import { ENTRY_BYTES, HASH_AT, laneOffset, readU40 } from './entry.ts'
import { fingerprintAt } from './fingerprint.ts'
import type { IndexPoint } from './head-file.ts'
import type { IndexFiles } from './index-files.ts'
import type { IndexKeys } from './index-keys.ts'
import type { KnownSequence } from './known-sequences.ts'
import type { PendingEvents } from './pending-events.ts'

/** Members of a sequence from one hint to the next: a reader walks half as many links. */
const HINT_EVERY = 16

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
  const { entryBytes, count } = pending
  files.writeEntries(from.count, entryBytes)
  files.links.write(from.count, entryBytes)
  const repeats: number[] = []
  for (let number = 0; number < count; number++) {
    const position = from.count + number
    files.hashes.add(fingerprintAt(entryBytes, number * ENTRY_BYTES + HASH_AT), position)
    if (!files.ids.addSome(pending.fingerprint(number), position)) repeats.push(number)
  }
  writeSequences(files, keys, pending, from, syncedCount)
  flushRepeats(files, keys, pending, from, repeats)
}

/** @param numbers of the pending events, from 0, whose ids are there so often that `ids` had no room for them */
export function flushRepeats(
  files: IndexFiles,
  keys: IndexKeys,
  pending: PendingEvents,
  from: IndexPoint,
  numbers: readonly number[],
): void {
  for (const number of numbers) {
    const { stream, eventId } = pending.named(number)
    files.repeats.add(keys.ofRepeat(stream, eventId), from.count + number)
  }
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
