/** What a store's index finds things by: fingerprints that differ from store to store. */
import type { SequenceKey } from '../../domain/sequence.ts'
import { BoundedMap } from '../../kit/bounded-map.ts'
import { sha256Bytes } from '../../kit/sha256.ts'
import { type Fingerprint, fingerprintOf } from './fingerprint.ts'
import type { SequenceFingerprint } from './sequence-table.ts'

const MOST_KEPT = 8192

type KeptId = Fingerprint & { readonly stream: string }

export class IndexKeys {
  private readonly storeId: string
  /** Of ids that are looked for and then put in, by the id alone. */
  private readonly ids = new Map<string, KeptId>()
  /** Of sequences that are written to again and again. */
  private readonly sequences = new BoundedMap<SequenceKey, SequenceFingerprint>(MOST_KEPT)

  constructor(storeId: string) {
    this.storeId = storeId
  }

  /** Of an event id in a stream. */
  ofId(stream: string, eventId: string): Fingerprint {
    const known = this.ids.get(eventId)
    if (known?.stream === stream) return known
    const { place, mark } = fingerprintOf(`${this.storeId}/i/${stream}/${eventId}`)
    const fingerprint = { stream, place, mark }
    if (this.ids.size >= MOST_KEPT) this.ids.clear()
    this.ids.set(eventId, fingerprint)
    return fingerprint
  }

  /** Those that were looked for are in, or are not asked for again. */
  forgetIds(): void {
    this.ids.clear()
  }

  /** Of an event id in whatever stream. */
  ofAnyId(eventId: string): Fingerprint {
    return fingerprintOf(`${this.storeId}/e/${eventId}`)
  }

  ofSequence(key: SequenceKey): SequenceFingerprint {
    const known = this.sequences.get(key)
    if (known) return known
    const fingerprint = sha256Bytes(`${this.storeId}/${key}`).subarray(0, 16)
    this.sequences.set(key, fingerprint)
    return fingerprint
  }
}
