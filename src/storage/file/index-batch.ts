/**
 * Writes events that stand in a row into the files of an index: in this thread, or in another one beside it
 * (`index-thread.ts`), in either case with the same writes in the same order.
 */
import { ENTRY_BYTES, HASH_AT } from './entry.ts'
import { fingerprintAt } from './fingerprint.ts'
import type { IndexBatch, KeyPlaces } from './index-job.ts'
import type { KeyTable } from './key-table.ts'
import type { LinkFile } from './link-file.ts'
import type { SequenceTable } from './sequence-table.ts'

/** What is written to of the files of an index (`index-files.ts`). */
type BatchFiles = {
  readonly links: LinkFile
  readonly hashes: KeyTable
  readonly ids: KeyTable
  readonly sequences: SequenceTable
  writeEntries(position: number, entries: Buffer): void
}

/**
 * Links go in before anything points to the new events.
 * @param rest is called before the keys of each event are put in, with its number in the batch
 */
export function writeBatch(
  files: BatchFiles,
  { first, entries, ids, sequences }: IndexBatch,
  rest?: (number: number) => void,
): KeyPlaces {
  const bytes = Buffer.from(entries.buffer, entries.byteOffset, entries.length)
  const count = bytes.length / ENTRY_BYTES
  const places = new Float64Array(count * 2)
  files.writeEntries(first, bytes)
  files.links.write(first, bytes)
  for (let number = 0; number < count; number++) {
    rest?.(number)
    const position = first + number
    const hash = fingerprintAt(bytes, number * ENTRY_BYTES + HASH_AT)
    places[2 * number] = files.hashes.add(hash, position)
    places[2 * number + 1] = files.ids.addSome(idAt(ids, number), position)
  }
  files.sequences.write(sequences)
  return places
}

/** The numbers of the events in a batch whose ids have no place. */
export function withoutPlace(places: KeyPlaces): number[] {
  const numbers: number[] = []
  for (let at = 1; at < places.length; at += 2) if (places[at] === -1) numbers.push((at - 1) / 2)
  return numbers
}

/** Takes in where another thread has put the keys of a batch. */
export function notePlaces(
  { hashes, ids: idTable }: Pick<BatchFiles, 'hashes' | 'ids'>,
  { first, entries, ids }: IndexBatch,
  places: KeyPlaces,
): void {
  const bytes = Buffer.from(entries.buffer, entries.byteOffset, entries.length)
  for (let number = 0; number * 2 < places.length; number++) {
    const mark = fingerprintAt(bytes, number * ENTRY_BYTES + HASH_AT).mark
    hashes.notePlace(mark, first + number, places[2 * number] ?? -1)
    idTable.notePlace(ids[2 * number + 1] ?? 0, first + number, places[2 * number + 1] ?? -1)
  }
}

const idAt = (ids: Uint32Array, number: number) => ({
  place: ids[2 * number] ?? 0,
  mark: ids[2 * number + 1] ?? 0,
})
