/** What the memory engine looks up by: hash, event id in a stream, and number in a sequence. */
import {
  type EventHash,
  type EventId,
  type Position,
  type StoredEvent,
  TOMBSTONE_TYPE,
} from '../../domain/event.ts'
import type { StreamState } from '../../domain/ports.ts'
import type { ProducerId } from '../../domain/producer.ts'
import { type SequenceKey, type SequenceRule, streamSequence } from '../../domain/sequence.ts'
import type { StreamName } from '../../domain/stream-name.ts'

/** The facts of an event that its index entries are made from. */
export type IndexedFacts = {
  readonly stream: StreamName
  readonly eventId: EventId
  readonly eventType: string
  readonly producer?: ProducerId
}

export class MemoryIndex {
  readonly hashes = new Map<EventHash, Position>()
  private readonly states = new Map<StreamName, StreamState>()
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

  streamState(stream: StreamName): StreamState {
    return this.states.get(stream) ?? { isDeleted: false }
  }

  /** Takes in the event that follows those added before. */
  add({ position, hash }: StoredEvent, facts: IndexedFacts): void {
    const { stream, eventId, eventType } = facts
    const version = this.lastVersion(stream) + 1
    this.hashes.set(hash, position)
    this.eventIds.set(eventIdKey(stream, eventId), position)
    this.anyIds.set(eventId, position)
    this.noteState(facts)
    for (const key of this.sequenceRule({ stream, eventType, version })) {
      const positions = this.sequences.get(key)
      if (positions) positions.push(position)
      else this.sequences.set(key, [position])
    }
  }

  private noteState({ stream, eventType, producer }: IndexedFacts): void {
    const owner = this.streamState(stream).owner ?? producer
    const isDeleted = eventType === TOMBSTONE_TYPE
    if (owner || isDeleted) this.states.set(stream, { ...(owner && { owner }), isDeleted })
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
