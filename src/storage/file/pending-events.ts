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
  private readonly moved = new Map<SequenceKey, KnownHead>()
  private readonly hashes = new Map<string, number>()
  private readonly ids = new Map<string, number>()
  /** Of equal ids the first. */
  private readonly anyIds = new Map<string, number>()

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
    return this.hashes.get(hash)
  }

  findId(stream: string, eventId: string): number | undefined {
    return this.ids.get(`${stream}/${eventId}`)
  }

  findAnyId(eventId: string): number | undefined {
    return this.anyIds.get(eventId)
  }

  push(pending: Pending, position: number): void {
    const { event, members } = pending
    this.list.push(pending)
    for (const { key, head } of members) {
      this.moved.set(key, { number: head.number, position, skip: head.skip })
    }
    this.hashes.set(event.hash, position)
    this.ids.set(`${event.stream}/${event.eventId}`, position)
    if (!this.anyIds.has(event.eventId)) this.anyIds.set(event.eventId, position)
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
    const position = this.hashes.get(event.hash)
    this.hashes.delete(event.hash)
    this.ids.delete(`${event.stream}/${event.eventId}`)
    if (this.anyIds.get(event.eventId) === position) this.anyIds.delete(event.eventId)
    return dropped
  }

  clear(): void {
    this.list = []
    this.moved.clear()
    this.hashes.clear()
    this.ids.clear()
    this.anyIds.clear()
  }
}
