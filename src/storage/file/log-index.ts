/**
 * What is known about the events of a log besides their text: where each stands, which follow it in its
 * sequences, and which hash and id it has.
 *
 * The part up to `persisted` is in the index files; what was found in the log behind that is `pending` in
 * memory, with the same answers, until `flush` writes it. Every question takes `end`: only events below that
 * position exist for the asker.
 *
 * Nothing here is truth. The log is, and `log-follower.ts` feeds it.
 */
import { type EventHash, TOMBSTONE_TYPE } from '../../domain/event.ts'
import type { ReadDirection, SequenceHead } from '../../domain/ports.ts'
import { type SequenceKey, type SequenceRule, streamSequence } from '../../domain/sequence.ts'
import { BoundedMap } from '../../kit/bounded-map.ts'
import { sha256Bytes } from '../../kit/sha256.ts'
import { Entry, type EntryFacts, type Lane, laneOf, NO_MARKS, type StreamMarks } from './entry.ts'
import type { IndexPoint } from './head-file.ts'
import type { IndexFiles, Link } from './index-files.ts'
import type { SequenceSlot } from './sequence-table.ts'

/** An event as the index takes it in. */
export type IndexedEvent = EntryFacts & {
  readonly stream: string
  readonly eventType: string
  readonly eventId: string
  /** Whether it names a producer. */
  readonly isOwned: boolean
}

type Member = { readonly key: SequenceKey; readonly lane: number; readonly head: Lane }

/** Heads and entries kept in memory: enough for what is written to again and again. */
const MOST_KEPT = 16_384
const MOST_FINGERPRINTS = 2048
/** Members of a sequence from one hint to the next: a reader walks half as many links, a writer saves the rest. */
const HINT_EVERY = 8

type Pending = { readonly entry: Entry; readonly event: IndexedEvent; readonly members: Member[] }

export class LogIndex {
  private persistedPoint: IndexPoint
  private files: IndexFiles | undefined
  private readonly storeId: string
  private readonly rule: SequenceRule
  private pending: Pending[] = []
  private sequences: number
  /** Heads that pending events have moved. */
  private readonly pendingHeads = new Map<SequenceKey, SequenceHead>()
  /** Other heads that were asked for. Every event passes through `add`, so that they are never stale. */
  private readonly heads = new BoundedMap<SequenceKey, SequenceHead>(MOST_KEPT)
  private readonly entries = new BoundedMap<number, Entry>(MOST_KEPT)
  /** Of an id that is looked for and then put in. */
  private readonly idFingerprints = new BoundedMap<string, Buffer>(MOST_FINGERPRINTS)
  private readonly pendingHashes = new Map<string, number>()
  private readonly pendingIds = new Map<string, number>()
  /** Of equal ids the first. */
  private readonly pendingAnyIds = new Map<string, number>()

  /** @param files absent while nothing was ever written */
  constructor(
    storeId: string,
    rule: SequenceRule,
    persisted: IndexPoint,
    files: IndexFiles | undefined,
  ) {
    this.storeId = storeId
    this.rule = rule
    this.persistedPoint = persisted
    this.files = files
    this.sequences = persisted.sequences
  }

  get persisted(): IndexPoint {
    return this.persistedPoint
  }

  /** Events it knows, in files and in memory. */
  get count(): number {
    return this.persistedPoint.count + this.pending.length
  }

  get pendingCount(): number {
    return this.pending.length
  }

  get sequenceCount(): number {
    return this.sequences
  }

  get openedFiles(): IndexFiles | undefined {
    return this.files
  }

  close(): void {
    this.files?.close()
    this.files = undefined
  }

  entry(position: number): Entry {
    const pending = this.pending[position - this.persistedPoint.count]
    if (pending) return pending.entry
    const kept = this.entries.get(position)
    if (kept) return kept
    // Whoever reads an event checks it against the hash before it: both in one read.
    const first = Math.max(0, position - 1)
    const found = this.opened().entries(first, position - first + 1)
    found.forEach((entry, index) => {
      this.entries.set(first + index, entry)
    })
    return found[position - first] as Entry
  }

  /** Entries from one position to another (exclusive), for reading many in a row. */
  entriesBetween(from: number, to: number): Entry[] {
    const { count } = this.persistedPoint
    const persisted = from < count ? this.opened().entries(from, Math.min(to, count) - from) : []
    const pending = this.pending.slice(Math.max(0, from - count), Math.max(0, to - count))
    return [...persisted, ...pending.map(({ entry }) => entry)]
  }

  findHash(hash: EventHash, end: number): number | undefined {
    const pending = this.pendingHashes.get(hash)
    if (pending !== undefined) return pending < end ? pending : undefined
    if (this.persistedPoint.count === 0) return undefined
    const upTo = Math.min(end, this.persistedPoint.count)
    const found = this.opened().keys.find(Buffer.from(hash, 'hex'), upTo)
    return found.find((position) => this.entry(position).hash === hash)
  }

  /** Positions whose event may have this id in this stream; the caller looks at the events. */
  findEventId(stream: string, eventId: string, end: number): number[] {
    const pending = this.pendingIds.get(`${stream}/${eventId}`)
    if (pending !== undefined) return pending < end ? [pending] : []
    if (this.persistedPoint.count === 0) return []
    const upTo = Math.min(end, this.persistedPoint.count)
    return this.opened().keys.find(this.idFingerprint(stream, eventId), upTo)
  }

  /** Positions whose event may have this id, in whatever stream; the caller looks at the events. */
  findEventIdAnywhere(eventId: string, end: number): number[] {
    const { count } = this.persistedPoint
    const persisted =
      count === 0
        ? []
        : this.opened().ids.find(this.anyIdFingerprint(eventId), Math.min(end, count))
    const pending = this.pendingAnyIds.get(eventId)
    return pending === undefined || pending >= end ? persisted : [pending, ...persisted]
  }

  sequenceHead(key: SequenceKey, end: number): SequenceHead | undefined {
    const lane = laneOf(key)
    let head = this.pendingHeads.get(key) ?? this.heads.get(key)
    if (!head) {
      head = this.persistedHead(key, lane)
      if (head) this.heads.set(key, head)
    }
    while (head && head.position >= end) {
      const { previous } = this.lane(head.position, lane)
      head = previous < 0 ? undefined : { number: head.number - 1, position: previous }
    }
    return head
  }

  /** What the last event of a stream says of it. */
  streamMarks(stream: string, end: number): StreamMarks {
    const head = this.sequenceHead(streamSequence(stream), end)
    return head ? this.entry(head.position).marks : NO_MARKS
  }

  /** Members from number `from` on, in reading order, at most `limit`. */
  members(
    key: SequenceKey,
    from: number,
    direction: ReadDirection,
    limit: number,
    end: number,
  ): SequenceHead[] {
    const head = this.sequenceHead(key, end)
    if (!head || limit < 1 || from < 0) return []
    const isForwards = direction === 'forwards'
    if (isForwards && from > head.number) return []
    const last = isForwards ? Math.min(from + limit - 1, head.number) : Math.min(from, head.number)
    const count = isForwards ? last - from + 1 : Math.min(limit, last + 1)
    const members = this.descend(key, this.seek(head, laneOf(key), last), count)
    return isForwards ? members.reverse() : members
  }

  /** Takes in the events behind the last one: all of them, or none where that fails. */
  add(events: readonly IndexedEvent[]): void {
    const before = this.pending.length
    try {
      for (const event of events) this.addOne(event)
    } catch (error) {
      this.dropLast(this.pending.length - before)
      throw error
    }
  }

  /** Forgets the last events again, as many as were not written by `flush`. */
  dropLast(count: number): void {
    for (let left = count; left > 0; left--) {
      const dropped = this.pending.pop()
      if (!dropped) return
      const { event, members } = dropped
      for (const { key, head } of members) {
        if (head.number > 0) {
          this.pendingHeads.set(key, { number: head.number - 1, position: head.previous })
        } else {
          this.pendingHeads.delete(key)
          this.sequences--
        }
      }
      this.pendingHashes.delete(event.hash)
      this.pendingIds.delete(`${event.stream}/${event.eventId}`)
      if (this.pendingAnyIds.get(event.eventId) === this.count) {
        this.pendingAnyIds.delete(event.eventId)
      }
    }
  }

  /** Everything that can fail comes before the first change. */
  private addOne(event: IndexedEvent): void {
    const position = this.count
    const entry = Entry.of(event)
    const members = this.memberships(event)
    entry.marks = this.marksWith(event, members[0]?.head)
    for (const { key, lane, head } of members) {
      entry.setLane(lane, head)
      if (head.number === 0) this.sequences++
      this.pendingHeads.set(key, { number: head.number, position })
    }
    entry.sequences = this.sequences
    this.pending.push({ entry, event, members })
    this.pendingHashes.set(event.hash, position)
    this.pendingIds.set(`${event.stream}/${event.eventId}`, position)
    if (!this.pendingAnyIds.has(event.eventId)) this.pendingAnyIds.set(event.eventId, position)
  }

  /**
   * Writes what is pending into the files; afterwards the index reaches to `point`. Links go in before
   * anything points to the new events, the head of the index (not written here) comes last.
   */
  flush(files: IndexFiles, point: IndexPoint, syncedCount: number): void {
    const first = this.persistedPoint.count
    files.writeEntries(
      first,
      this.pending.map(({ entry }) => entry),
    )
    files.writeLinks(this.pendingLinks())
    this.pending.forEach(({ entry, event }, index) => {
      files.keys.add(entry.fingerprint, first + index)
      files.keys.add(this.idFingerprint(event.stream, event.eventId), first + index)
      files.ids.addSome(this.anyIdFingerprint(event.eventId), first + index)
    })
    this.flushSequences(files, syncedCount)
    if (this.files !== files) this.files?.close()
    this.files = files
    this.persistedPoint = point
    for (const [index, { entry }] of this.pending.entries()) this.entries.set(first + index, entry)
    this.pending = []
    for (const [key, head] of this.pendingHeads) this.heads.set(key, head)
    this.pendingHeads.clear()
    this.pendingHashes.clear()
    this.pendingIds.clear()
    this.pendingAnyIds.clear()
  }

  /** Positions and lanes of all pending events; for checking an index against a log. */
  pendingEntries(): readonly Entry[] {
    return this.pending.map(({ entry }) => entry)
  }

  private marksWith(event: IndexedEvent, own: Lane | undefined): StreamMarks {
    const before = own && own.previous >= 0 ? this.entry(own.previous).marks : NO_MARKS
    return marksAfter(before, event, own?.number ?? 0)
  }

  private memberships(event: IndexedEvent): Member[] {
    const members = new Map<SequenceKey, Member>()
    const join = (key: SequenceKey): Member => {
      const lane = laneOf(key)
      const member = members.get(key) ?? { key, lane, head: this.nextLane(key, lane) }
      members.set(key, member)
      return member
    }
    const { stream, eventType } = event
    const [own] = this.rule({ stream, eventType, version: 1 })
    const version = own === undefined ? 0 : join(own).head.number
    for (const key of this.rule({ stream, eventType, version })) join(key)
    return [...members.values()]
  }

  /** The lane of the next member of a sequence. */
  private nextLane(key: SequenceKey, lane: number): Lane {
    const head = this.sequenceHead(key, this.count)
    if (!head) return { number: 0, previous: -1, skip: -1 }
    // Clearing the lowest set bit of number + 1 is reached from the member before by clearing its own
    // lowest bits, one for each zero at the end.
    let skip = head.position
    for (let ones = head.number + 1; ones % 2 === 1; ones = Math.floor(ones / 2)) {
      skip = this.lane(skip, lane).skip
      if (skip < 0) break
    }
    return { number: head.number + 1, previous: head.position, skip }
  }

  private persistedHead(key: SequenceKey, lane: number): SequenceHead | undefined {
    const slot = this.findSlot(key)
    if (!slot) return undefined
    const end = this.persistedPoint.count
    const known = slot.hints.filter((hint) => hint < end)
    const files = this.opened()
    let position = Math.max(slot.first, ...known)
    for (;;) {
      const next = files.link(position, lane)
      if (next <= position || next >= end) break
      if (files.entry(next).lane(lane)?.previous !== position) break
      position = next
    }
    return { number: this.lane(position, lane).number, position }
  }

  private findSlot(key: SequenceKey): SequenceSlot | undefined {
    const { count, sequences } = this.persistedPoint
    if (count === 0) return undefined
    const slot = this.opened().sequences.find(this.sequenceFingerprint(key), sequences)
    return slot && slot.first < count ? slot : undefined
  }

  private lane(position: number, lane: number): Lane {
    const found = this.entry(position).lane(lane)
    // Links lead backwards: what does not is no index, and must not be followed for ever.
    if (!found || found.previous >= position || found.skip >= position) {
      throw new RangeError(`Position ${position} is not in lane ${lane} of the index`)
    }
    return found
  }

  /** From a member down to the one with `number`. */
  private seek(head: SequenceHead, lane: number, number: number): SequenceHead {
    let at = head
    while (at.number > number) {
      const { previous, skip } = this.lane(at.position, lane)
      const skipped = clearLowestBit(at.number + 1) - 1
      at =
        skip >= 0 && skipped >= number
          ? { number: skipped, position: skip }
          : { number: at.number - 1, position: previous }
    }
    return at
  }

  private descend(key: SequenceKey, from: SequenceHead, count: number): SequenceHead[] {
    const lane = laneOf(key)
    const members: SequenceHead[] = [from]
    for (let { number, position } = from; members.length < count; ) {
      position = this.lane(position, lane).previous
      number--
      members.push({ number, position })
    }
    return members
  }

  private pendingLinks(): Link[] {
    return this.pending.flatMap(({ members }, index) =>
      members
        .filter(({ head }) => head.previous >= 0)
        .map(({ lane, head }) => ({
          from: head.previous,
          lane,
          to: this.persistedPoint.count + index,
        })),
    )
  }

  private flushSequences(files: IndexFiles, syncedCount: number): void {
    let number = this.persistedPoint.sequences
    const moved = new Set<SequenceKey>()
    this.pending.forEach(({ members }, index) => {
      for (const { key, head } of members) {
        if (head.number > 0) {
          if (head.number % HINT_EVERY === 0) moved.add(key)
          continue
        }
        const position = this.persistedPoint.count + index
        files.sequences.add(this.sequenceFingerprint(key), number, position)
        number++
      }
    })
    for (const key of moved) {
      const head = this.pendingHeads.get(key)
      const slot = head && files.sequences.find(this.sequenceFingerprint(key), number)
      if (slot) files.sequences.hint(slot, head.position, syncedCount)
    }
  }

  private opened(): IndexFiles {
    if (!this.files) throw new RangeError('The index has no files')
    return this.files
  }

  private idFingerprint(stream: string, eventId: string): Buffer {
    const key = `${this.storeId}/i/${stream}/${eventId}`
    const known = this.idFingerprints.get(key)
    if (known) return known
    const fingerprint = sha256Bytes(key).subarray(0, 8)
    this.idFingerprints.set(key, fingerprint)
    return fingerprint
  }

  private anyIdFingerprint(eventId: string): Buffer {
    return sha256Bytes(`${this.storeId}/e/${eventId}`).subarray(0, 8)
  }

  private sequenceFingerprint(key: SequenceKey): Buffer {
    return sha256Bytes(`${this.storeId}/${key}`).subarray(0, 16)
  }
}

/** What is settled about a stream once the event with `version` is in. */
export function marksAfter(
  before: StreamMarks,
  { isOwned, eventType }: Pick<IndexedEvent, 'isOwned' | 'eventType'>,
  version: number,
): StreamMarks {
  const ownedFrom = before.ownedFrom < 0 && isOwned ? version : before.ownedFrom
  return { ownedFrom, isDeleted: eventType === TOMBSTONE_TYPE }
}

/** Bit operators work on 32 bits only; numbers of events go beyond. */
function clearLowestBit(value: number): number {
  if (value < 2 ** 31) return value & (value - 1)
  const low = value % 2 ** 31
  return low === 0 ? clearLowestBit(value / 2 ** 31) * 2 ** 31 : value - low + clearLowestBit(low)
}
