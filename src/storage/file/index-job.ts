/**
 * A part of an index that is to be written: events that stand in a row. It is numbers, and bytes in memory that
 * threads share, so that nothing of it has to be copied where another thread writes it.
 */

export type IndexBatch = {
  /** Position of the first event. */
  readonly first: number
  /** The entries of all (`entry.ts`). */
  readonly entries: Uint8Array
  /** Of the id of each event, place and mark (`fingerprint.ts`). */
  readonly ids: Uint32Array
  readonly sequences: SequenceMoves
}

/** What events have changed of sequences. */
export type SequenceMoves = {
  /** Their fingerprints in a row: of those that began, in the order of their numbers, and then of others. */
  readonly keys: Uint8Array
  /** Of those that began the first member, of the others a late one. */
  readonly positions: Float64Array
  /** How many began, and the number of the first of them. */
  readonly begun: number
  readonly firstNumber: number
  /** Events up to which the index is on disk. */
  readonly synced: number
}

/** Of each event the offsets of its keys in `hashes` and in `ids`; -1: it has no place there. */
export type KeyPlaces = Float64Array

/** A batch for another thread. */
export type IndexJob = {
  /** The six files, open. */
  readonly fds: readonly number[]
  readonly batch: IndexBatch
  /**
   * What the thread has read of the files it keeps from one batch to the next of a run: within one, nobody else of
   * this process writes to them.
   */
  readonly run: number
  /** Whether the index has fallen behind. */
  readonly isUrgent: boolean
}
