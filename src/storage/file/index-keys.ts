/** What a store's index finds things by: fingerprints that differ from store to store. */
import type { SequenceKey } from '../../domain/sequence.ts'
import { BoundedMap } from '../../kit/bounded-map.ts'
import { sha256Bytes } from '../../kit/sha256.ts'
import { type Fingerprint, fingerprintOf } from './fingerprint.ts'
import type { SequenceFingerprint } from './sequence-table.ts'

const MOST_KEPT = 8192

export class IndexKeys {
  private readonly storeId: string
  /** Of ids that are looked for and then put in. */
  private readonly ids = new Map<string, Fingerprint>()
  /** Of sequences that are written to again and again. */
  private readonly sequences = new BoundedMap<SequenceKey, SequenceFingerprint>(MOST_KEPT)

  constructor(storeId: string) {
    this.storeId = storeId
  }

  /** Of an event id that is looked for in whatever stream; kept for `takeId`. */
  ofId(eventId: string): Fingerprint {
    const known = this.ids.get(eventId)
    if (known) return known
    const fingerprint = fingerprintOf(`${this.storeId}/e/${eventId}`)
    if (this.ids.size >= MOST_KEPT) this.ids.clear()
    this.ids.set(eventId, fingerprint)
    return fingerprint
  }

  /** Of an event id that is put in: it is not asked for again. */
  takeId(eventId: string): Fingerprint {
    const fingerprint = this.ofId(eventId)
    this.ids.delete(eventId)
    return fingerprint
  }

  /** Of an event id in a stream. */
  ofRepeat(stream: string, eventId: string): Fingerprint {
    return fingerprintOf(`${this.storeId}/i/${stream}/${eventId}`)
  }

  ofSequence(key: SequenceKey): SequenceFingerprint {
    const known = this.sequences.get(key)
    if (known) return known
    const fingerprint = sha256Bytes(`${this.storeId}/${key}`).subarray(0, 16)
    this.sequences.set(key, fingerprint)
    return fingerprint
  }
}
