/**
 * Events that an index knows but that are not in its files yet: in the order of the log, and by what they
 * are asked for. Which files they go to is `index-flush.ts`.
 *
 * Their entries stand in a row as they will in the file; nothing else is made for each event, since whatever is
 * kept until the next flush has to be moved by the garbage collector.
 */
import {
  ENTRY_BYTES,
  Entry,
  type EntryFacts,
  HASH_AT,
  type Lane,
  laneIn,
  laneOffset,
} from './entry.ts'
import type { Fingerprint } from './fingerprint.ts'
import type { KnownSequence } from './known-sequences.ts'

/** An event as the index takes it in. */
export type IndexedEvent = EntryFacts & {
  readonly stream: string
  readonly eventType: string
  readonly eventId: string
  /** Whether it names a producer. */
  readonly isOwned: boolean
}

/** Entries that there is room for at first, and the most whose room is used again. */
const FIRST_ENTRIES = 16
const MOST_KEPT = 4096
const NO_BYTES: Buffer = Buffer.alloc(0)
const NO_NUMBERS: Uint32Array = new Uint32Array(0)

export class PendingEvents {
  private streams: string[] = []
  private eventIds: string[] = []
  private members: (readonly KnownSequence[])[] = []
  private entries = NO_BYTES
  /** Of their ids, each a place and a mark. */
  private fingerprints = NO_NUMBERS
  private first = 0
  /** Of equal ids the first, which is mostly the only one. */
  private readonly ids = new Map<string, number>()
  /** By stream and id, the others. */
  private readonly otherIds = new Map<string, number>()
  /** Of as many events as `hashed` says: nobody asks for them while there are only appends. */
  private readonly hashes = new Map<string, number>()
  private hashed = 0

  get count(): number {
    return this.streams.length
  }

  /** The sequences of each, its stream's first. */
  get memberships(): readonly (readonly KnownSequence[])[] {
    return this.members
  }

  /** The entries of all, in a row; valid until one is pushed. */
  get entryBytes(): Buffer {
    return this.firstEntries(this.count)
  }

  firstEntries(count: number): Buffer {
    return this.entries.subarray(0, count * ENTRY_BYTES)
  }

  /** A copy of the entry of the event with this number among the pending ones. */
  entry(number: number): Entry | undefined {
    if (number < 0 || number >= this.count) return undefined
    const at = number * ENTRY_BYTES
    return new Entry(Buffer.from(this.entries.subarray(at, at + ENTRY_BYTES)))
  }

  lane(number: number, lane: number): Lane | undefined {
    if (number < 0 || number >= this.count) return undefined
    return laneIn(this.entries, number * ENTRY_BYTES + laneOffset(lane))
  }

  /** What the event with this number is called. */
  named(number: number): { readonly stream: string; readonly eventId: string } {
    const [stream, eventId] = [this.streams[number], this.eventIds[number]]
    if (stream === undefined || eventId === undefined) throw new RangeError('It is not pending')
    return { stream, eventId }
  }

  /** Of the ids of all, each a place and a mark; valid as long as `entryBytes`. */
  get idFingerprints(): Uint32Array {
    return this.fingerprints.subarray(0, this.count * 2)
  }

  /** A view of where the entry of the next event goes: it is pending once it is pushed. */
  nextEntry(): Entry {
    const at = this.count * ENTRY_BYTES
    if (at === this.entries.length) this.grow()
    return new Entry(this.entries.subarray(at, at + ENTRY_BYTES))
  }

  findHash(hash: string): number | undefined {
    for (; this.hashed < this.count; this.hashed++) {
      this.hashes.set(this.hashOf(this.hashed), this.first + this.hashed)
    }
    return this.hashes.get(hash)
  }

  findId(stream: string, eventId: string): number | undefined {
    const position = this.ids.get(eventId)
    if (position === undefined) return undefined
    const isOwn = this.streams[position - this.first] === stream
    return isOwn ? position : this.otherIds.get(`${stream}/${eventId}`)
  }

  findAnyId(eventId: string): number | undefined {
    return this.ids.get(eventId)
  }

  /**
   * Takes in the event whose entry was written last.
   * @param id       the fingerprint of its id
   * @param position behind that of the last one
   */
  push(
    { stream, eventId }: IndexedEvent,
    members: readonly KnownSequence[],
    id: Fingerprint,
    position: number,
  ): void {
    const number = this.count
    this.first = position - number
    this.streams.push(stream)
    this.eventIds.push(eventId)
    this.members.push(members)
    this.fingerprints[2 * number] = id.place
    this.fingerprints[2 * number + 1] = id.mark
    this.noteId(stream, eventId, position)
  }

  /** Takes the last one out again. @returns its sequences, each with the member before it */
  pop(): { readonly sequence: KnownSequence; readonly previous: number }[] {
    const number = this.count - 1
    const members = this.members.pop() as readonly KnownSequence[]
    const left = members.map((sequence) => {
      const { previous } = this.lane(number, sequence.lane) as Lane
      return { sequence, previous }
    })
    const { stream, eventId } = this.named(number)
    this.streams.pop()
    this.eventIds.pop()
    if (this.hashed > number) {
      this.hashed = number
      this.hashes.delete(this.hashOf(number))
    }
    if (this.ids.get(eventId) === this.first + number) this.ids.delete(eventId)
    else this.otherIds.delete(`${stream}/${eventId}`)
    return left
  }

  /** Takes the first ones out, as many as are in the files by now. */
  drop(count: number): void {
    this.streams = this.streams.slice(count)
    this.eventIds = this.eventIds.slice(count)
    this.members = this.members.slice(count)
    this.first += count
    this.hashed = 0
    this.hashes.clear()
    this.ids.clear()
    this.otherIds.clear()
    if (this.count > 0) {
      this.entries.copyWithin(0, count * ENTRY_BYTES)
      this.fingerprints.copyWithin(0, count * 2)
    } else if (this.entries.length > MOST_KEPT * ENTRY_BYTES) {
      this.entries = NO_BYTES
      this.fingerprints = NO_NUMBERS
    }
    for (let number = 0; number < this.count; number++) {
      const { stream, eventId } = this.named(number)
      this.noteId(stream, eventId, this.first + number)
    }
  }

  private noteId(stream: string, eventId: string, position: number): void {
    if (!this.ids.has(eventId)) this.ids.set(eventId, position)
    else this.otherIds.set(`${stream}/${eventId}`, position)
  }

  private hashOf(number: number): string {
    const at = number * ENTRY_BYTES + HASH_AT
    return this.entries.toString('hex', at, at + 32)
  }

  private grow(): void {
    const room = Math.max(FIRST_ENTRIES, this.count * 2)
    // A thread that writes them beside other work reads them here.
    const entries = Buffer.from(new SharedArrayBuffer(room * ENTRY_BYTES))
    entries.set(this.entries)
    this.entries = entries
    const fingerprints = new Uint32Array(new SharedArrayBuffer(room * 8))
    fingerprints.set(this.fingerprints)
    this.fingerprints = fingerprints
  }
}
