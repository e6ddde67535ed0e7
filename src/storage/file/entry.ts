/**
 * One entry of `index/…/entries`: 144 bytes about one event, little-endian, at position × 144.
 *
 *      0  u32  number of the log file            20  u48  createdAt, ms
 *      4  u32  offset of the event's JSON        26  u40  sequences there are once this event is in
 *      8  u32  length of the JSON                31  u8   1: the stream was ended
 *     12  u32  offset of its line                32  32 B hash
 *     16  u32  number + 1 of the owning event      64  5 lanes × 15 B, then 5 B 0
 *
 * Whom its stream belongs to, and whether it was ended, is said by every event from that one on: the number
 * in the stream of the first event that names a producer (0: none does so far).
 *
 * A lane is the event as member of one sequence, three u40: its number + 1 (0: not a member), the
 * position + 1 of the member before it, and the position + 1 of the member whose number + 1 is this one's
 * with the lowest set bit cleared. With these two links any number is reached from any later member in
 * O(log² n) steps.
 */
import { type EventHash, TOMBSTONE_TYPE } from '../../domain/event.ts'
import type { SequenceKey } from '../../domain/sequence.ts'
import { type Fingerprint, fingerprintAt } from './fingerprint.ts'

export const ENTRY_BYTES = 144
export const LANES = 5
export const LANE_BYTES = 15
/** Where the hash stands. */
export const HASH_AT = 32
const LANES_AT = 64

/** The kinds of sequences, by the first letter of their keys; each has its lane in every entry. */
const laneLetters = 'sbtcn'

/** Which lane the members of a sequence use. */
export function laneOf(key: SequenceKey): number {
  const lane = laneLetters.indexOf(key.charAt(0))
  if (lane < 0) throw new RangeError(`No lane for the sequence ${key}`)
  return lane
}

/** An event as member of a sequence. `previous` and `skip` are positions, -1 where there is none. */
export type Lane = { readonly number: number; readonly previous: number; readonly skip: number }

/** What is settled about a stream once an event is in. */
export type StreamMarks = {
  /** Number in the stream of the first event that names a producer, -1 where none does. */
  readonly ownedFrom: number
  readonly isDeleted: boolean
}

export const NO_MARKS: StreamMarks = { ownedFrom: -1, isDeleted: false }

/** What is settled about a stream once the event with `version` is in. */
export function marksAfter(
  before: StreamMarks,
  { isOwned, eventType }: { readonly isOwned: boolean; readonly eventType: string },
  version: number,
): StreamMarks {
  const ownedFrom = before.ownedFrom < 0 && isOwned ? version : before.ownedFrom
  const isDeleted = eventType === TOMBSTONE_TYPE
  const isSame = ownedFrom === before.ownedFrom && isDeleted === before.isDeleted
  return isSame ? before : { ownedFrom, isDeleted }
}

/** What an entry says of its event. */
export type EntryFacts = {
  readonly segment: number
  readonly offset: number
  readonly length: number
  readonly lineOffset: number
  readonly createdAtMs: number
  readonly hash: EventHash
}

/** Where a lane stands in its entry. */
export const laneOffset = (index: number): number => LANES_AT + index * LANE_BYTES

/** The lane that stands in `bytes` at `at`. */
export function laneIn(bytes: Buffer, at: number): Lane | undefined {
  const number = readU40(bytes, at) - 1
  if (number < 0) return undefined
  return { number, previous: readU40(bytes, at + 5) - 1, skip: readU40(bytes, at + 10) - 1 }
}

/** A number of 5 bytes; quicker than one of any length. */
export function readU40(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt8(at + 4) * 2 ** 32
}

function writeU40(bytes: Buffer, value: number, at: number): void {
  const low = value >>> 0
  bytes.writeUInt32LE(low, at)
  bytes[at + 4] = (value - low) / 2 ** 32
}

/** A view of the bytes of one entry. */
export class Entry {
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  static of(facts: EntryFacts): Entry {
    const entry = new Entry(Buffer.allocUnsafe(ENTRY_BYTES))
    entry.setFacts(facts)
    return entry
  }

  /** Makes it the entry of an event that is in no sequence yet. */
  setFacts(facts: EntryFacts): void {
    const { bytes } = this
    bytes.fill(0)
    bytes.writeUInt32LE(facts.segment, 0)
    bytes.writeUInt32LE(facts.offset, 4)
    bytes.writeUInt32LE(facts.length, 8)
    bytes.writeUInt32LE(facts.lineOffset, 12)
    bytes.writeUIntLE(facts.createdAtMs, 20, 6)
    bytes.write(facts.hash, 32, 'hex')
  }

  get segment(): number {
    return this.bytes.readUInt32LE(0)
  }
  get offset(): number {
    return this.bytes.readUInt32LE(4)
  }
  get length(): number {
    return this.bytes.readUInt32LE(8)
  }
  get lineOffset(): number {
    return this.bytes.readUInt32LE(12)
  }
  get createdAtMs(): number {
    return this.bytes.readUIntLE(20, 6)
  }
  get hash(): EventHash {
    return this.bytes.toString('hex', 32, 64) as EventHash
  }
  get fingerprint(): Fingerprint {
    return fingerprintAt(this.bytes, 32)
  }
  /** How many sequences there are once this event is in. */
  get sequences(): number {
    return this.bytes.readUIntLE(26, 5)
  }
  set sequences(count: number) {
    this.bytes.writeUIntLE(count, 26, 5)
  }

  get marks(): StreamMarks {
    return { ownedFrom: this.bytes.readUInt32LE(16) - 1, isDeleted: this.bytes[31] === 1 }
  }
  set marks({ ownedFrom, isDeleted }: StreamMarks) {
    this.bytes.writeUInt32LE(ownedFrom + 1, 16)
    this.bytes[31] = isDeleted ? 1 : 0
  }

  lane(index: number): Lane | undefined {
    return laneIn(this.bytes, laneOffset(index))
  }

  setLane(index: number, number: number, previous: number, skip: number): void {
    const at = laneOffset(index)
    writeU40(this.bytes, number + 1, at)
    writeU40(this.bytes, previous + 1, at + 5)
    writeU40(this.bytes, skip + 1, at + 10)
  }
}
