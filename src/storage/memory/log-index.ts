/** What the memory engine looks up by: hash, event id in a stream, and number in a sequence. */
import type { EventHash, EventId, Position, StoredEvent } from '../../domain/event.ts'
import { type SequenceKey, type SequenceRule, streamSequence } from '../../domain/sequence.ts'
import type { StreamName } from '../../domain/stream-name.ts'

/** The facts of an event that its index entries are made from. */
export type IndexedFacts = {
  readonly stream: StreamName
  readonly eventId: EventId
  readonly eventType: string
}

export class MemoryIndex {
  readonly hashes = new Map<EventHash, Position>()
  private readonly eventIds = new Map<string, Position>()
  private readonly anyIds = new Map<EventId, Position>()
  private readonly sequences = new Map<SequenceKey, Position[]>()
  private readonly sequenceRule: SequenceRule

  constructor(sequenceRule: SequenceRule) {
    this.sequenceRule = sequenceRule
  }

  eventId(stream: StreamName, eventId: EventId): Position | undefined {
    return this.eventIds.get(eventIdKey(stream, eventId))
  }

  eventIdAnywhere(eventId: EventId): Position | undefined {
    return this.anyIds.get(eventId)
  }

  /** The positions of the members by their number; empty where there is no such sequence. */
  sequence(key: SequenceKey): readonly Position[] {
    return this.sequences.get(key) ?? []
  }

  /** -1: the stream has no events. */
  lastVersion(stream: StreamName): number {
    return this.sequence(streamSequence(stream)).length - 1
  }

  /** Takes in the event that follows those added before. */
  add({ position, hash }: StoredEvent, { stream, eventId, eventType }: IndexedFacts): void {
    const version = this.lastVersion(stream) + 1
    this.hashes.set(hash, position)
    this.eventIds.set(eventIdKey(stream, eventId), position)
    this.anyIds.set(eventId, position)
    for (const key of this.sequenceRule({ stream, eventType, version })) {
      const positions = this.sequences.get(key)
      if (positions) positions.push(position)
      else this.sequences.set(key, [position])
    }
  }

  equals(other: MemoryIndex): boolean {
    return (
      isSameMap(this.hashes, other.hashes) &&
      isSameMap(this.eventIds, other.eventIds) &&
      isSameMap(this.anyIds, other.anyIds) &&
      isSameMap(this.sequences, other.sequences)
    )
  }
}

/** A name of a stream holds no `/`, so that no two pairs share a key. */
const eventIdKey = (stream: StreamName, eventId: EventId): string => `${stream}/${eventId}`

function isSameMap(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => String(b.get(key)) === String(value))
}
