/**
 * What is known of sequences in memory: the last member of each, and which sequences the events of a stream and type
 * belong to. Every event of the log passes through here, so that nothing in it is ever stale.
 *
 * There is one object for a sequence, which moves with each event: an append of many events words no keys and makes
 * no objects. The number of them is bounded; what goes is marked, for whoever still holds it.
 */
import type { SequenceKey } from '../../domain/sequence.ts'
import { BoundedMap } from '../../kit/bounded-map.ts'
import { laneOf, type StreamMarks } from './entry.ts'

/** Sequences that are kept in each of two halves; those that events are pending of are kept besides. */
const HALF = 8192
/** Streams whose sequences are known by the type of an event, and such types of each. */
const MOST_STREAMS = 8192
const MOST_TYPES = 8

export const UNKNOWN_SKIP = -2

/** A sequence and its last member. */
export type KnownSequence = {
  readonly key: SequenceKey
  readonly lane: number
  /** -1: it has no members. */
  number: number
  /** Of the last member; -1: there is none. */
  position: number
  /** Of the last member; `UNKNOWN_SKIP` where its entry was not looked at. */
  skip: number
  /** That of the next member, while it is worked out. */
  nextSkip: number
  /** What the last event says of its stream, where that is known. */
  marks: StreamMarks | undefined
  /** Whether it was asked for since that was last noted. */
  isUsed: boolean
  /** Another object may stand for the sequence by now. */
  isDropped: boolean
}

type StreamSequences = {
  readonly own: KnownSequence
  readonly types: string[]
  /** By the place of the type. */
  readonly members: (readonly KnownSequence[])[]
}

export class KnownSequences {
  private younger = new Map<SequenceKey, KnownSequence>()
  private older = new Map<SequenceKey, KnownSequence>()
  private most = HALF
  private readonly streams = new BoundedMap<string, StreamSequences>(MOST_STREAMS)

  /** Whoever asks for some sequences in a row has all of them: what was found now is not dropped by the next. */
  find(key: SequenceKey): KnownSequence | undefined {
    const young = this.younger.get(key)
    if (young) return young
    const old = this.older.get(key)
    if (!old) return undefined
    this.older.delete(key)
    this.younger.set(key, old)
    return old
  }

  /**
   * Takes in a sequence that is not known, as the index files have it.
   * @param persisted events in the index files: a sequence with a later member is kept
   */
  keep(key: SequenceKey, number: number, position: number, persisted: number): KnownSequence {
    if (this.younger.size >= this.most) this.dropUnused(persisted)
    const known: KnownSequence = {
      key,
      lane: laneOf(key),
      number,
      position,
      skip: UNKNOWN_SKIP,
      nextSkip: UNKNOWN_SKIP,
      marks: undefined,
      isUsed: false,
      isDropped: false,
    }
    this.younger.set(key, known)
    return known
  }

  /** The sequence of a stream itself, where one of its events was met before. */
  ofStream(stream: string): KnownSequence | undefined {
    const own = this.streams.get(stream)?.own
    if (own === undefined || own.isDropped) return undefined
    own.isUsed = true
    return own
  }

  /**
   * The sequences that an event will belong to, its stream's first.
   * @param sequencesOf as the rule of the log has them for an event of this version
   */
  memberships(
    stream: string,
    eventType: string,
    sequencesOf: (version: number) => readonly KnownSequence[],
  ): readonly KnownSequence[] {
    const known = this.membersOf(stream, eventType)
    const later = known ?? sequencesOf(1)
    const own = later[0] as KnownSequence
    if (own.number < 0) return sequencesOf(0)
    if (!known) this.noteMembers(stream, eventType, later)
    return later
  }

  /** The sequences of an event that is not the first of its stream, its own first. */
  membersOf(stream: string, eventType: string): readonly KnownSequence[] | undefined {
    const known = this.streams.get(stream)
    const place = known?.types.indexOf(eventType) ?? -1
    const members = known?.members[place]
    if (!members) return undefined
    for (const member of members) {
      if (member.isDropped) return undefined
      member.isUsed = true
    }
    return members
  }

  /** @param members as the rule of the log has them, none of them dropped */
  noteMembers(stream: string, eventType: string, members: readonly KnownSequence[]): void {
    const own = members[0] as KnownSequence
    const known = this.streams.get(stream)
    if (known?.own !== own) {
      this.streams.set(stream, { own, types: [eventType], members: [members] })
      return
    }
    const before = known.types.indexOf(eventType)
    const place = before < 0 ? known.types.length % MOST_TYPES : before
    known.types[place] = eventType
    known.members[place] = members
  }

  /** What was used stays, as long as it leaves room for others. */
  private dropUnused(persisted: number): void {
    const kept = new Map<SequenceKey, KnownSequence>()
    for (const [key, known] of this.older) {
      const isWanted = known.isUsed && kept.size < HALF / 2
      if (isWanted || known.position >= persisted) kept.set(key, known)
      else known.isDropped = true
      known.isUsed = false
    }
    this.older = this.younger
    this.younger = kept
    // Where many are pending they are not looked through again at once.
    this.most = Math.max(HALF, kept.size * 2)
  }
}

/** Moves a sequence on to an event that has become its last member. */
export function advance(known: KnownSequence, position: number): void {
  known.number++
  known.position = position
  known.skip = known.nextSkip
  known.marks = undefined
}

/** Takes the last member away again; `previous` is the one before it. */
export function goBack(known: KnownSequence, previous: number): void {
  known.number--
  known.position = previous
  known.skip = UNKNOWN_SKIP
  known.marks = undefined
}
