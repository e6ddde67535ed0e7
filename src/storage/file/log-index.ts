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
import { BoundedMap } from '../../kit/bounded-map.ts'
import { Entry, type Lane, laneOf, marksAfter, NO_MARKS, type StreamMarks } from './entry.ts'
import { EntryReader } from './entry-reader.ts'
import { fingerprintAt } from './fingerprint.ts'
import type { IndexPoint } from './head-file.ts'
import type { IndexFiles } from './index-files.ts'
import { flushPending } from './index-flush.ts'
import { IndexKeys } from './index-keys.ts'
import { checkedLane, descend, laneBehind, seek } from './lane-walk.ts'
import { type IndexedEvent, type KnownHead, type Member, PendingEvents } from './pending-events.ts'
import type { SequenceSlot } from './sequence-table.ts'

/** Positions within a hash table, and the number of the event that names an owner, have 32 bits in the index. */
export const MOST_EVENTS = 2 ** 32 - 1

/** Heads kept in memory: enough for what is written to again and again. */
const MOST_KEPT = 16_384
/** Of a sequence without members, such as the metadata of most streams. */
const NONE = 'none'

export class LogIndex {
  private persistedPoint: IndexPoint
  private files: IndexFiles | undefined
  private readonly keys: IndexKeys
  private readonly rule: SequenceRule
  private readonly pending = new PendingEvents()
  private sequences: number
  /** Heads that were asked for, and sequences that have none. Every event passes through `add`: never stale. */
  private readonly heads = new BoundedMap<SequenceKey, KnownHead | typeof NONE>(MOST_KEPT)
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
    const pending = this.pending.all[position - this.persistedPoint.count]
    return pending ? pending.entry : this.entries.entry(this.opened(), position)
  }

  /** Entries from one position to another (exclusive), for reading many in a row. */
  entriesBetween(from: number, to: number): Entry[] {
    const { count } = this.persistedPoint
    const persisted = from < count ? this.opened().entries(from, Math.min(to, count) - from) : []
    const pending = this.pending.all.slice(Math.max(0, from - count), Math.max(0, to - count))
    return [...persisted, ...pending.map(({ entry }) => entry)]
  }

  findHash(hash: EventHash, end: number): number | undefined {
    const pending = this.pending.findHash(hash)
    if (pending !== undefined) return pending < end ? pending : undefined
    if (this.persistedPoint.count === 0) return undefined
    const upTo = Math.min(end, this.persistedPoint.count)
    const found = this.opened().keys.find(fingerprintAt(Buffer.from(hash, 'hex'), 0), upTo)
    return found.find((position) => this.entry(position).hash === hash)
  }

  /** Positions whose event may have this id in this stream; the caller looks at the events. */
  findEventId(stream: string, eventId: string, end: number): readonly number[] {
    const pending = this.pending.findId(stream, eventId)
    if (pending !== undefined) return pending < end ? [pending] : []
    if (this.persistedPoint.count === 0) return []
    const upTo = Math.min(end, this.persistedPoint.count)
    return this.opened().keys.find(this.keys.ofId(stream, eventId), upTo)
  }

  /** Positions whose event may have this id, in whatever stream; the caller looks at the events. */
  findEventIdAnywhere(eventId: string, end: number): readonly number[] {
    const { count } = this.persistedPoint
    const persisted =
      count === 0 ? [] : this.opened().ids.find(this.keys.ofAnyId(eventId), Math.min(end, count))
    const pending = this.pending.findAnyId(eventId)
    return pending === undefined || pending >= end ? persisted : [pending, ...persisted]
  }

  sequenceHead(key: SequenceKey, end: number): SequenceHead | undefined {
    const latest = this.latestHead(key)
    if (!latest) return undefined
    const lane = laneOf(key)
    let { number, position } = latest
    while (position >= end) {
      position = this.lane(position, lane).previous
      if (position < 0) return undefined
      number--
    }
    return { number, position }
  }

  /** Number of a member of a sequence, by its position. */
  numberAt(key: SequenceKey, position: number): number {
    return this.lane(position, laneOf(key)).number
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
    const lane = laneOf(key)
    const first = seek(head, last, (position) => this.passedLane(position, lane))
    const members = descend(first, count, (position) => this.lane(position, lane))
    return isForwards ? members.reverse() : members
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
    for (let left = count; left > 0; left--) {
      const dropped = this.pending.pop()
      if (!dropped) return
      for (const { head } of dropped.members) if (head.number === 0) this.sequences--
    }
  }

  /** Everything that can fail comes before the first change. */
  private addOne(event: IndexedEvent): void {
    const position = this.count
    const entry = Entry.of(event)
    const members = this.memberships(event)
    entry.marks = this.marksWith(event, members[0]?.head)
    for (const { lane, head } of members) {
      entry.setLane(lane, head)
      if (head.number === 0) this.sequences++
    }
    entry.sequences = this.sequences
    this.pending.push({ entry, event, members }, position)
  }

  /** Writes what is pending into the files; afterwards the index reaches to `point`. */
  flush(files: IndexFiles, point: IndexPoint, syncedCount: number): void {
    const { pending } = this
    flushPending(files, this.keys, pending, this.persistedPoint, syncedCount)
    if (this.files !== files) this.files?.close()
    this.files = files
    let position = this.persistedPoint.count
    for (const { entry } of pending.all) this.entries.keep(position++, entry)
    for (const [key, head] of pending.heads) this.heads.set(key, head)
    this.persistedPoint = point
    pending.clear()
  }

  private marksWith(event: IndexedEvent, own: Lane | undefined): StreamMarks {
    const before = own && own.previous >= 0 ? this.entry(own.previous).marks : NO_MARKS
    return marksAfter(before, event, own?.number ?? 0)
  }

  private memberships(event: IndexedEvent): Member[] {
    const { stream, eventType } = event
    const later = this.rule({ stream, eventType, version: 1 })
    const [own] = later
    const first = own === undefined ? undefined : this.nextMember(own)
    const keys =
      first && first.head.number > 0 ? later : this.rule({ stream, eventType, version: 0 })
    return keys.map((key) => (first && key === own ? first : this.nextMember(key)))
  }

  private nextMember(key: SequenceKey): Member {
    const lane = laneOf(key)
    const head = laneBehind(this.latestHead(key), (position) => this.lane(position, lane))
    return { key, lane, head }
  }

  private latestHead(key: SequenceKey): KnownHead | undefined {
    const known = this.pending.heads.get(key) ?? this.heads.get(key)
    if (known) return known === NONE ? undefined : known
    const found = this.persistedHead(key, laneOf(key))
    this.heads.set(key, found ?? NONE)
    return found
  }

  private persistedHead(key: SequenceKey, lane: number): KnownHead | undefined {
    const slot = this.findSlot(key)
    if (!slot) return undefined
    const end = this.persistedPoint.count
    const known = slot.hints.filter((hint) => hint < end)
    const files = this.opened()
    let position = Math.max(slot.first, ...known)
    for (;;) {
      const next = files.link(position, lane)
      if (next <= position || next >= end) break
      if (files.lane(next, lane)?.previous !== position) break
      position = next
    }
    const { number, skip } = this.lane(position, lane)
    return { number, position, skip }
  }

  private findSlot(key: SequenceKey): SequenceSlot | undefined {
    const { count, sequences } = this.persistedPoint
    if (count === 0) return undefined
    const slot = this.opened().sequences.find(this.keys.ofSequence(key), sequences)
    return slot && slot.first < count ? slot : undefined
  }

  private lane(position: number, lane: number): Lane {
    return checkedLane(position < 0 ? undefined : this.entry(position).lane(lane), position, lane)
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
