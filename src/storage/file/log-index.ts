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
import { AppError } from '../../domain/app-error.ts'
import type { EventHash } from '../../domain/event.ts'
import type { ReadDirection, SequenceHead } from '../../domain/ports.ts'
import { type SequenceKey, type SequenceRule, streamSequence } from '../../domain/sequence.ts'
import { type Entry, type Lane, laneOf, marksAfter, NO_MARKS, type StreamMarks } from './entry.ts'
import { EntryReader } from './entry-reader.ts'
import { fingerprintAt } from './fingerprint.ts'
import type { IndexPoint } from './head-file.ts'
import type { IndexFiles } from './index-files.ts'
import { batchOf, writeRepeats } from './index-flush.ts'
import { IndexKeys } from './index-keys.ts'
import { advance, goBack, type KnownSequence, KnownSequences } from './known-sequences.ts'
import { checkedLane, descendBelow, membersFrom, skipBehind } from './lane-walk.ts'
import { type IndexedEvent, PendingEvents } from './pending-events.ts'
import { storedHead } from './stored-head.ts'
import { storedIds } from './stored-ids.ts'

/** Positions within a hash table, and the number of the event that names an owner, have 32 bits in the index. */
export const MOST_EVENTS = 2 ** 32 - 1

export class LogIndex {
  private persistedPoint: IndexPoint
  private files: IndexFiles | undefined
  private readonly keys: IndexKeys
  private readonly rule: SequenceRule
  private readonly pending = new PendingEvents()
  private sequences: number
  private readonly known = new KnownSequences()
  private readonly entries = new EntryReader()

  /** @param files absent while nothing was ever written */
  constructor(
    storeId: string,
    rule: SequenceRule,
    persisted: IndexPoint,
    files: IndexFiles | undefined,
  ) {
    this.keys = new IndexKeys(storeId)
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
    return this.persistedPoint.count + this.pending.count
  }

  get pendingCount(): number {
    return this.pending.count
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
    const pending = this.pending.entry(position - this.persistedPoint.count)
    return pending ?? this.entries.entry(this.opened(), position)
  }

  /** Entries from one position to another (exclusive), for reading many in a row. */
  entriesBetween(from: number, to: number): Entry[] {
    const { count } = this.persistedPoint
    const entries = from < count ? this.opened().entries(from, Math.min(to, count) - from) : []
    for (let position = Math.max(from, count); position < to; position++) {
      entries.push(this.entry(position))
    }
    return entries
  }

  findHash(hash: EventHash, end: number): number | undefined {
    const pending = this.pending.findHash(hash)
    if (pending !== undefined) return pending < end ? pending : undefined
    if (this.persistedPoint.count === 0) return undefined
    const upTo = Math.min(end, this.persistedPoint.count)
    const found = this.opened().hashes.find(fingerprintAt(Buffer.from(hash, 'hex'), 0), upTo)
    return found.find((position) => this.entry(position).hash === hash)
  }

  /** Positions whose event may have this id in this stream; the caller looks at the events. */
  findEventId(stream: string, eventId: string, end: number): readonly number[] {
    const pending = this.pending.findId(stream, eventId)
    if (pending !== undefined) return pending < end ? [pending] : []
    if (this.persistedPoint.count === 0) return []
    const upTo = Math.min(end, this.persistedPoint.count)
    return storedIds(this.opened(), this.keys, stream, eventId, upTo)
  }

  /** Positions whose event may have this id, in whatever stream; the caller looks at the events. */
  findEventIdAnywhere(eventId: string, end: number): readonly number[] {
    const { count } = this.persistedPoint
    const persisted =
      count === 0 ? [] : this.opened().ids.find(this.keys.ofId(eventId), Math.min(end, count))
    const pending = this.pending.findAnyId(eventId)
    return pending === undefined || pending >= end ? persisted : [pending, ...persisted]
  }

  sequenceHead(key: SequenceKey, end: number): SequenceHead | undefined {
    return this.headBelow(this.sequence(key), end)
  }

  /** Version of the last event of a stream, -1 where it has none. */
  lastVersion(stream: string, end: number): number {
    return this.headBelow(this.streamOf(stream), end)?.number ?? -1
  }

  /** Number of a member of a sequence, by its position. */
  numberAt(key: SequenceKey, position: number): number {
    return this.lane(position, laneOf(key)).number
  }

  /** What the last event of a stream says of it. */
  streamMarks(stream: string, end: number): StreamMarks {
    const own = this.streamOf(stream)
    if (own.position < end) return this.marksOf(own)
    const head = this.headBelow(own, end)
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
    if (!head) return []
    const lane = laneOf(key)
    const laneAt = (position: number) => this.lane(position, lane)
    const passedAt = (position: number) => this.passedLane(position, lane)
    return membersFrom(head, from, direction, limit, laneAt, passedAt)
  }

  /**
   * Takes in the events behind the last one: all of them, or none where that fails.
   * @throws AppError `storage-full` where there would be more than `MOST_EVENTS`
   */
  add(events: readonly IndexedEvent[]): void {
    if (this.count + events.length > MOST_EVENTS) {
      throw new AppError('storage-full', `A log holds at most ${MOST_EVENTS} events`)
    }
    const before = this.pending.count
    try {
      for (const event of events) this.addOne(event)
    } catch (error) {
      this.dropLast(this.pending.count - before)
      throw error
    }
  }

  /** Forgets the last events again, as many as were not written by `flush`. */
  dropLast(count: number): void {
    for (let left = Math.min(count, this.pending.count); left > 0; left--) {
      for (const { sequence, previous } of this.pending.pop()) {
        goBack(sequence, previous)
        if (sequence.number < 0) this.sequences--
      }
    }
  }

  /** Everything that can fail comes before the first change. */
  private addOne(event: IndexedEvent): void {
    const position = this.count
    const members = this.memberships(event)
    const own = members[0] as KnownSequence
    const marks = marksAfter(this.marksOf(own), event, own.number + 1)
    const entry = this.pending.nextEntry()
    entry.setFacts(event)
    entry.marks = marks
    let sequences = this.sequences
    for (const sequence of members) {
      const { lane, number, position: previous } = sequence
      const skip = skipBehind(sequence, (at) => this.lane(at, lane))
      entry.setLane(lane, number + 1, previous, skip)
      sequence.nextSkip = skip
      if (number < 0) sequences++
    }
    entry.sequences = sequences
    this.sequences = sequences
    for (const sequence of members) advance(sequence, position)
    own.marks = marks
    this.pending.push(event, members, this.keys.takeId(event.eventId), position)
  }

  /** Writes what is pending into the files; afterwards the index reaches to `point`. */
  flush(files: IndexFiles, point: IndexPoint, syncedCount: number): void {
    const places = files.write(batchOf(this.pending, this.keys, this.persistedPoint, syncedCount))
    writeRepeats(files, this.keys, this.pending, this.persistedPoint, places)
    this.hold(files)
    this.reach(point)
  }

  /**
   * Like `flush`, beside other work: until the files are written, and where that fails, all of it stays pending.
   * @returns false where the index was closed meanwhile
   */
  async flushBeside(files: IndexFiles, point: IndexPoint, syncedCount: number): Promise<boolean> {
    const { keys, pending, persistedPoint } = this
    this.hold(files)
    const places = await files.writeBeside(batchOf(pending, keys, persistedPoint, syncedCount))
    if (this.files !== files) return false
    writeRepeats(files, keys, pending, persistedPoint, places)
    this.reach(point)
    return true
  }

  private hold(files: IndexFiles): void {
    if (this.files !== files) this.files?.close()
    this.files = files
  }

  private reach(point: IndexPoint): void {
    const from = this.persistedPoint.count
    const count = point.count - from
    this.entries.keep(from, this.pending.firstEntries(count))
    this.pending.drop(count)
    this.persistedPoint = point
  }

  /** What the last event of a stream says of it. */
  private marksOf(own: KnownSequence): StreamMarks {
    if (own.number < 0) return NO_MARKS
    own.marks ??= this.entry(own.position).marks
    return own.marks
  }

  /** The sequences that an event will belong to, its stream's first. */
  private memberships({ stream, eventType }: IndexedEvent): readonly KnownSequence[] {
    return this.known.memberships(stream, eventType, (version) =>
      this.rule({ stream, eventType, version }).map((key) => this.sequence(key)),
    )
  }

  private streamOf(stream: string): KnownSequence {
    return this.known.ofStream(stream) ?? this.sequence(streamSequence(stream))
  }

  private sequence(key: SequenceKey): KnownSequence {
    const known = this.known.find(key)
    if (known) return known
    const { count } = this.persistedPoint
    const position =
      count === 0 ? -1 : storedHead(this.opened(), this.keys, key, this.persistedPoint)
    const number = position < 0 ? -1 : this.lane(position, laneOf(key)).number
    return this.known.keep(key, number, position, count)
  }

  /** The last member of a sequence below position `end`. */
  private headBelow(known: KnownSequence, end: number): SequenceHead | undefined {
    return descendBelow(known, end, (position) => this.lane(position, known.lane))
  }

  private lane(position: number, lane: number): Lane {
    const { count } = this.persistedPoint
    const found =
      position >= 0 && position < count
        ? this.entries.entryLane(this.opened(), position, lane)
        : this.pending.lane(position - count, lane)
    return checkedLane(found, position, lane)
  }

  /** Like `lane`, where nothing else is wanted of the event. */
  private passedLane(position: number, lane: number): Lane {
    const isPersisted = position >= 0 && position < this.persistedPoint.count
    if (!isPersisted) return this.lane(position, lane)
    return checkedLane(this.entries.lane(this.opened(), position, lane), position, lane)
  }

  private opened(): IndexFiles {
    if (!this.files) throw new RangeError('The index has no files')
    return this.files
  }
}
