/** What is written into an index, made of keys alone. */
import { ENTRY_BYTES, HASH_AT } from '../../src/storage/file/entry.ts'
import type { Fingerprint } from '../../src/storage/file/fingerprint.ts'
import type { IndexBatch } from '../../src/storage/file/index-job.ts'

const spread = (position: number): Fingerprint => ({
  place: Math.imul(position + 1, 0x9e3779b1) >>> 0,
  mark: position + 1,
})

/** Events from one position on, whose hashes and ids have the same keys; all else of them is nothing. */
export function keysBatch(
  first: number,
  count: number,
  keyOf: (position: number) => Fingerprint = spread,
): IndexBatch {
  const entries = new Uint8Array(new SharedArrayBuffer(count * ENTRY_BYTES))
  const view = new DataView(entries.buffer)
  const ids = new Uint32Array(new SharedArrayBuffer(count * 8))
  for (let number = 0; number < count; number++) {
    const { place, mark } = keyOf(first + number)
    view.setUint32(number * ENTRY_BYTES + HASH_AT, place, true)
    view.setUint32(number * ENTRY_BYTES + HASH_AT + 4, mark, true)
    ids.set([place, mark], number * 2)
  }
  const none = { keys: new Uint8Array(0), positions: new Float64Array(0), begun: 0 }
  return { first, entries, ids, sequences: { ...none, firstNumber: 0, synced: 0 } }
}
