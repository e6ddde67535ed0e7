/**
 * How the sequences of the domain lie in the columns of `apie_event`: each kind has a column for the key of
 * the sequence and one for the number in it.
 *
 * A key is the first 16 bytes of SHA-256 of the domain's key: as short for a long name as for a short one,
 * and two names with the same key are beyond finding.
 */
import type { EventId } from '../../domain/event.ts'
import type { SequenceKey } from '../../domain/sequence.ts'
import { BoundedMap } from '../../kit/bounded-map.ts'
import { sha256Bytes } from '../../kit/sha256.ts'

export const KEY_BYTES = 16
const KNOWN_KEYS = 10_000

/** Kinds of sequences, by the first letter of the domain's keys. */
export type Kind = 's' | 'b' | 't' | 'c' | 'n'

/** Columns of a kind; `$streams` is one sequence and needs no key. */
export const COLUMNS: Readonly<Record<Kind, { readonly key?: string; readonly number: string }>> = {
  s: { key: 'stream_key', number: 'version' },
  b: { key: 'stream_type_key', number: 'stream_type_number' },
  t: { key: 'type_key', number: 'type_number' },
  c: { key: 'category_key', number: 'category_number' },
  n: { number: 'streams_number' },
}

export function kindOf(sequence: SequenceKey): Kind {
  const kind = sequence[0]
  if (kind === 's' || kind === 'b' || kind === 't' || kind === 'c') return kind
  return 'n'
}

const known = new BoundedMap<string, Buffer>(KNOWN_KEYS)

export function keyOf(sequence: SequenceKey): Buffer {
  const found = known.get(sequence)
  if (found) return found
  const made = Buffer.from(sha256Bytes(sequence).subarray(0, KEY_BYTES))
  known.set(sequence, made)
  return made
}

/** A UUID as its 16 bytes; imported events may have other ids, which are hashed. */
export function eventKey(eventId: EventId): Buffer {
  const bytes = Buffer.from(eventId.replaceAll('-', ''), 'hex')
  if (eventId.length === 36 && bytes.length === KEY_BYTES) return bytes
  return Buffer.from(sha256Bytes(eventId).subarray(0, KEY_BYTES))
}
