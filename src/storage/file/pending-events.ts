/**
 * Events that an index knows but that are not in its files yet: in the order of the log, and by what they
 * are asked for. Which files they go to is `index-flush.ts`.
 *
 * Their entries stand in a row as they will in the file; nothing else is made for each event, since whatever is
 * kept until the next flush has to be moved by the garbage collector.
 */
import { ENTRY_BYTES, Entry, type EntryFacts, type Lane, laneIn, laneOffset } from './entry.ts'
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
const NO_BYTES = Buffer.alloc(0)

export class PendingEvents {
  private list: IndexedEvent[] = []
  private members: (readonly KnownSequence[])[] = []
  private entries = NO_BYTES
  private first = 0
  /** Of equal ids the first, which is mostly the only one. */
  private readonly ids = new Map<string, number>()
  /** By stream and id, the others. */
  private readonly otherIds = new Map<string, number>()
  /** Of as many events as `hashed` says: nobody asks for them while there are only appends. */
  private readonly hashes = new Map<string, number>()
  private hashed = 0

  get count(): number {
    return this.list.length
  }

  get all(): readonly IndexedEvent[] {
    return this.list
  }

  /** The sequences of each, its stream's first. */
  get memberships(): readonly (readonly KnownSequence[])[] {
    return this.members
  }

  /** The entries of all, in a row; valid until one is pushed. */
  get entryBytes(): Buffer {
    return this.firstEntries(this.list.length)
  }

  firstEntries(count: number): Buffer {
    return this.entries.subarray(0, count * ENTRY_BYTES)
  }

  /** A copy of the entry of the event with this number among the pending ones. */
  entry(number: number): Entry | undefined {
    if (number < 0 || number >= this.list.length) return undefined
    const at = number * ENTRY_BYTES
    return new Entry(Buffer.from(this.entries.subarray(at, at + ENTRY_BYTES)))
  }

  lane(number: number, lane: number): Lane | undefined {
    if (number < 0 || number >= this.list.length) return undefined
    return laneIn(this.entries, number * ENTRY_BYTES + laneOffset(lane))
  }

  /** A view of where the entry of the next event goes: it is pending once it is pushed. */
  nextEntry(): Entry {
    const at = this.list.length * ENTRY_BYTES
    if (at === this.entries.length) this.grow()
    return new Entry(this.entries.subarray(at, at + ENTRY_BYTES))
  }

  findHash(hash: string): number | undefined {
    for (; this.hashed < this.list.length; this.hashed++) {
      const { hash: own } = this.list[this.hashed] as IndexedEvent
      this.hashes.set(own, this.first + this.hashed)
    }
    return this.hashes.get(hash)
  }

  findId(stream: string, eventId: string): number | undefined {
    const position = this.ids.get(eventId)
    if (position === undefined) return undefined
    const isOwn = this.list[position - this.first]?.stream === stream
    return isOwn ? position : this.otherIds.get(`${stream}/${eventId}`)
  }

  findAnyId(eventId: string): number | undefined {
    return this.ids.get(eventId)
  }

  /**
   * Takes in the event whose entry was written last.
   * @param position behind that of the last one
   */
  push(event: IndexedEvent, members: readonly KnownSequence[], position: number): void {
    this.first = position - this.list.length
    this.list.push(event)
    this.members.push(members)
    this.noteId(event, position)
  }

  /** Takes the last one out again. @returns its sequences, each with the member before it */
  pop(): { readonly sequence: KnownSequence; readonly previous: number }[] {
    const members = this.members.pop() as readonly KnownSequence[]
    const left = members.map((sequence) => {
      const { previous } = this.lane(this.list.length - 1, sequence.lane) as Lane
      return { sequence, previous }
    })
    const event = this.list.pop() as IndexedEvent
    if (this.hashed > this.list.length) {
      this.hashed = this.list.length
      this.hashes.delete(event.hash)
    }
    const isFirst = this.ids.get(event.eventId) === this.first + this.list.length
    if (isFirst) this.ids.delete(event.eventId)
    else this.otherIds.delete(`${event.stream}/${event.eventId}`)
    return left
  }

  /** Takes the first ones out, as many as are in the files by now. */
  drop(count: number): void {
    const rest = this.list.slice(count)
    this.members = this.members.slice(count)
    if (rest.length > 0) this.entries.copyWithin(0, count * ENTRY_BYTES)
    else if (this.entries.length > MOST_KEPT * ENTRY_BYTES) this.entries = NO_BYTES
    this.hashed = 0
    this.hashes.clear()
    this.ids.clear()
    this.otherIds.clear()
    this.first += count
    this.list = rest
    for (const [number, event] of rest.entries()) this.noteId(event, this.first + number)
  }

  private noteId({ stream, eventId }: IndexedEvent, position: number): void {
    if (!this.ids.has(eventId)) this.ids.set(eventId, position)
    else this.otherIds.set(`${stream}/${eventId}`, position)
  }

  private grow(): void {
    const { length } = this.entries
    const larger = Buffer.allocUnsafe(Math.max(FIRST_ENTRIES * ENTRY_BYTES, length * 2))
    larger.set(this.entries)
    this.entries = larger
  }
}
