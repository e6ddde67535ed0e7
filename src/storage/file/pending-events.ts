/**
 * Events that an index knows but that are not in its files yet: in the order of the log, and by what they
 * are asked for. Which files they go to is `index-flush.ts`.
 */
import type { SequenceHead } from '../../domain/ports.ts'
import type { SequenceKey } from '../../domain/sequence.ts'
import type { Entry, EntryFacts, Lane } from './entry.ts'

/** An event as the index takes it in. */
export type IndexedEvent = EntryFacts & {
  readonly stream: string
  readonly eventType: string
  readonly eventId: string
  /** Whether it names a producer. */
  readonly isOwned: boolean
}

/** An event as member of a sequence. */
export type Member = { readonly key: SequenceKey; readonly lane: number; readonly head: Lane }

export type Pending = {
  readonly entry: Entry
  readonly event: IndexedEvent
  readonly members: readonly Member[]
}

/** Last member of a sequence, and the skip pointer of its lane where that is known. */
export type KnownHead = SequenceHead & { readonly skip?: number }

export class PendingEvents {
  private list: Pending[] = []
  private first = 0
  private readonly moved = new Map<SequenceKey, KnownHead>()
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

  get all(): readonly Pending[] {
    return this.list
  }

  /** Heads that these events have moved. */
  get heads(): ReadonlyMap<SequenceKey, KnownHead> {
    return this.moved
  }

  findHash(hash: string): number | undefined {
    for (; this.hashed < this.list.length; this.hashed++) {
      const { event } = this.list[this.hashed] as Pending
      this.hashes.set(event.hash, this.first + this.hashed)
    }
    return this.hashes.get(hash)
  }

  findId(stream: string, eventId: string): number | undefined {
    const position = this.ids.get(eventId)
    if (position === undefined) return undefined
    const isOwn = this.list[position - this.first]?.event.stream === stream
    return isOwn ? position : this.otherIds.get(`${stream}/${eventId}`)
  }

  findAnyId(eventId: string): number | undefined {
    return this.ids.get(eventId)
  }

  /** @param position behind that of the last one */
  push(pending: Pending, position: number): void {
    const { event, members } = pending
    this.first = position - this.list.length
    this.list.push(pending)
    for (const { key, head } of members) {
      this.moved.set(key, { number: head.number, position, skip: head.skip })
    }
    if (!this.ids.has(event.eventId)) this.ids.set(event.eventId, position)
    else this.otherIds.set(`${event.stream}/${event.eventId}`, position)
  }

  /** Takes the last one out again. */
  pop(): Pending | undefined {
    const dropped = this.list.pop()
    if (!dropped) return undefined
    const { event, members } = dropped
    for (const { key, head } of members) {
      if (head.number > 0) this.moved.set(key, { number: head.number - 1, position: head.previous })
      else this.moved.delete(key)
    }
    if (this.hashed > this.list.length) {
      this.hashed = this.list.length
      this.hashes.delete(event.hash)
    }
    const isFirst = this.ids.get(event.eventId) === this.first + this.list.length
    if (isFirst) this.ids.delete(event.eventId)
    else this.otherIds.delete(`${event.stream}/${event.eventId}`)
    return dropped
  }

  clear(): void {
    this.list = []
    this.hashed = 0
    this.moved.clear()
    this.hashes.clear()
    this.ids.clear()
    this.otherIds.clear()
  }
}
