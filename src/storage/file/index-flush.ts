/** What pending events come to in the files of an index. How it is written is `index-batch.ts`. */
import { ENTRY_BYTES, laneOffset, readU40 } from './entry.ts'
import type { IndexPoint } from './head-file.ts'
import { withoutPlace } from './index-batch.ts'
import type { IndexFiles } from './index-files.ts'
import type { IndexBatch, KeyPlaces, SequenceMoves } from './index-job.ts'
import type { IndexKeys } from './index-keys.ts'
import type { KnownSequence } from './known-sequences.ts'
import type { PendingEvents } from './pending-events.ts'

/** Members of a sequence from one hint to the next: a reader walks half as many links. */
const HINT_EVERY = 32

/**
 * @param from where the files end
 * @param synced events up to which they are synced
 */
export function batchOf(
  pending: PendingEvents,
  keys: IndexKeys,
  from: IndexPoint,
  synced: number,
): IndexBatch {
  return {
    first: from.count,
    entries: pending.entryBytes,
    ids: pending.idFingerprints,
    sequences: movesOf(pending, keys, from, synced),
  }
}

/** Writes of the first pending events those whose ids are there so often that they had no room in `ids`. */
export function writeRepeats(
  files: IndexFiles,
  keys: IndexKeys,
  pending: PendingEvents,
  from: IndexPoint,
  places: KeyPlaces,
): void {
  for (const number of withoutPlace(places)) {
    const { stream, eventId } = pending.named(number)
    files.repeats.add(keys.ofRepeat(stream, eventId), from.count + number)
  }
}

function movesOf(
  pending: PendingEvents,
  keys: IndexKeys,
  from: IndexPoint,
  synced: number,
): SequenceMoves {
  const begun: KnownSequence[] = []
  const positions: number[] = []
  const moved = new Set<KnownSequence>()
  const { entryBytes } = pending
  let position = from.count
  let entryAt = 0
  for (const members of pending.memberships) {
    for (const sequence of members) {
      const own = readU40(entryBytes, entryAt + laneOffset(sequence.lane)) - 1
      if (own === 0) {
        begun.push(sequence)
        positions.push(position)
      } else if (own % HINT_EVERY === 0) moved.add(sequence)
    }
    position++
    entryAt += ENTRY_BYTES
  }
  const all = [...begun, ...moved]
  return {
    keys: Buffer.concat(all.map(({ key }) => keys.ofSequence(key))),
    positions: Float64Array.from([...positions, ...Array.from(moved, (known) => known.position)]),
    begun: begun.length,
    firstNumber: from.sequences,
    synced,
  }
}
