/** The last member of a sequence, found in the files of an index: from its first or a hint along the links. */
import type { SequenceKey } from '../../domain/sequence.ts'
import { damagedIndex } from './damaged-index.ts'
import { laneOf } from './entry.ts'
import type { IndexPoint } from './head-file.ts'
import type { IndexFiles } from './index-files.ts'
import type { IndexKeys } from './index-keys.ts'

/**
 * @param point how far the files may be believed
 * @returns its position, -1 where the sequence has no members
 * @throws AppError `index-damaged`
 */
export function storedHead(
  files: IndexFiles,
  keys: IndexKeys,
  key: SequenceKey,
  { count, sequences }: IndexPoint,
): number {
  const slot = files.sequences.find(keys.ofSequence(key), sequences)
  if (!slot && !files.sequences.isWhole(sequences)) throw damagedIndex('has lost sequences')
  if (!slot || slot.first >= count) return -1
  const lane = laneOf(key)
  const hints = slot.hints.filter((hint) => hint < count)
  for (let position = Math.max(slot.first, ...hints); ; ) {
    const next = files.links.next(position, lane)
    if (next <= position || next >= count) return position
    if (files.lane(next, lane)?.previous !== position) return position
    position = next
  }
}
