/**
 * Reads events of a log: each is found by its index entry and checked against the hash that the chain gave it.
 * Which positions are asked for is `file-log.ts`.
 */
import type { AppError } from '../../domain/app-error.ts'
import {
  chainHash,
  EMPTY_HASH,
  type EventHash,
  type Position,
  parseStoredEvent,
  type StoredEvent,
} from '../../domain/event.ts'
import type { MaybeLater } from '../../kit/maybe-later.ts'
import type { Entry } from './entry.ts'
import type { LinePiece } from './line-pieces.ts'
import type { LogFollower } from './log-follower.ts'
import { type LineEvent, NOWHERE, readLine } from './log-line.ts'
import { joinTexts, rewriteLines, type TextPoint } from './log-texts.ts'
import { type LineRun, type Segment, splitLines } from './segment.ts'

/** Most bytes of events that one run or page holds, unless a single event is larger. */
export const RUN_BYTES = 4 << 20
const BACKWARDS_EVENTS = 512
/** Most bytes that are read while everything else waits. */
const SMALL_BYTES = 65_536
/** Bytes between two events from which on they are read apart. */
const GAP_BYTES = 4096

export class EventReader {
  private readonly follower: LogFollower

  constructor(follower: LogFollower) {
    this.follower = follower
  }

  /** Runs of events from one position to another (exclusive), at most to the end. */
  forwards(from: Position, to: Position): AsyncGenerator<readonly StoredEvent[], void> {
    const linesOf = (segment: Segment, start: number) => segment.lines(start, segment.size())
    return this.along(from, to, linesOf, (run, point) => this.eventsOf(run, point))
  }

  /** As `LogEngine.readTexts`: checked like events that are read one by one. */
  async *texts(from: Position, to: Position, separator: number): AsyncGenerator<Buffer, void> {
    const piecesOf = (segment: Segment, start: number): AsyncIterable<LineRun | LinePiece> =>
      segment.isScavenged
        ? segment.lines(start, segment.size())
        : segment.pieces(start, segment.size())
    const take = (piece: LineRun | LinePiece, point: TextPoint) =>
      this.textsOf(piece, point, separator)
    for await (const texts of this.along(from, to, piecesOf, take)) yield* texts
  }

  /**
   * Goes along the log, from the line on that holds the first event.
   * @param piecesOf what a segment holds from an offset on, in pieces
   * @param take     moves the point over a piece; told is what was wanted of it
   */
  private async *along<P, T extends readonly unknown[]>(
    from: Position,
    to: Position,
    piecesOf: (segment: Segment, start: number) => AsyncIterable<P>,
    take: (piece: P, point: TextPoint) => T,
  ): AsyncGenerator<T, void> {
    const end = Math.min(to, await this.follower.snapshot())
    for (let at = from; at < end; ) {
      const entry = this.follower.index.entry(at)
      const segment = this.follower.openSegment(entry.segment)
      // The line may hold events before `at`: its own first position is told by the line.
      let start = at
      while (start > 0 && this.sharesLine(start - 1, entry)) start--
      const point = { count: start, hash: this.hashBefore(start), from: at, to: end }
      for await (const piece of piecesOf(segment, entry.lineOffset)) {
        const taken = take(piece, point)
        // The lines follow from each other; that they are those of this log, the last one proves.
        if (this.hashBefore(point.count) !== point.hash) throw this.damagedAt(point.count - 1)
        if (taken.length > 0) yield taken
        at = Math.max(at, point.count)
        if (at >= end) return
      }
      if (at < end && this.follower.index.entry(at).segment === entry.segment) {
        throw this.damagedAt(at)
      }
    }
  }

  /** Takes `point` over a run of lines. @returns the events among them that are wanted */
  private eventsOf(run: LineRun, point: TextPoint): StoredEvent[] {
    const events: StoredEvent[] = []
    for (const { line, offset } of run) {
      const meaning = readLine(line, offset, point)
      if (meaning.kind === 'seal' || meaning.kind === 'moved') break
      if (meaning.kind === 'damage') throw this.damagedAt(point.count)
      if (meaning.kind === 'void') continue
      for (const event of meaning.events) {
        if (point.count >= point.from && point.count < point.to) {
          events.push(storedEvent(point.count, event))
        }
        point.count++
        point.hash = event.hash
      }
      if (point.count >= point.to) break
    }
    return events
  }

  /** The same as texts. Of a piece of bytes those that can be are rewritten where they stand. */
  private textsOf(piece: LineRun | LinePiece, point: TextPoint, separator: number): Buffer[] {
    const join = (run: LineRun) => joinTexts(this.eventsOf(run, point), separator)
    if (!('bytes' in piece)) return [join(piece)].filter(isFilled)
    const { bytes, offset } = piece
    const { length, read } = rewriteLines(bytes, offset, point, separator)
    const rest = point.count < point.to ? splitLines(bytes.subarray(read), offset + read) : []
    return [bytes.subarray(0, length), join(rest)].filter(isFilled)
  }

  /** Like `forwards`, from the last event to the first. */
  async *backwards(from: Position, to: Position): AsyncGenerator<readonly StoredEvent[], void> {
    const end = Math.min(to, await this.follower.snapshot())
    for (let high = end; high > from; ) {
      const events = await this.readBlock(Math.max(from, high - BACKWARDS_EVENTS), high)
      yield events.reverse()
      high -= events.length
    }
  }

  /**
   * The last events below `high`, down to `low` or as many as fit a run, in the order of the log; events that
   * stand close together are read in one go.
   */
  private async readBlock(low: number, high: number): Promise<StoredEvent[]> {
    const first = Math.max(0, low - 1)
    const entries = this.follower.index.entriesBetween(first, high)
    let start = entries.length - 1
    let bytes = entries[start]?.length ?? 0
    while (start > low - first) {
      bytes += entries[start - 1]?.length ?? 0
      if (bytes > RUN_BYTES) break
      start--
    }
    const events: StoredEvent[] = []
    while (start < entries.length) {
      const end = endOfGroup(entries, start)
      const previous = entries[start - 1]?.hash ?? this.hashBefore(first + start)
      events.push(...(await this.readGroup(entries.slice(start, end), first + start, previous)))
      start = end
    }
    return events
  }

  /** Events of one file that stand close together, checked like single ones, and read as such where they fail. */
  private async readGroup(
    entries: readonly Entry[],
    position: Position,
    previous: EventHash,
  ): Promise<StoredEvent[]> {
    const [first] = entries
    const last = entries.at(-1)
    if (!first || !last) return []
    const segment = this.follower.openSegment(first.segment)
    if (!segment.isScavenged) {
      const reading = this.readBytes(segment, first.offset, last.offset + last.length)
      const found = checkedGroup(entries, await reading, position, previous)
      if (found) return found
    }
    const single: StoredEvent[] = []
    for (let at = 0; at < entries.length; at++) single.push(await this.readEvent(position + at))
    return single
  }

  private sharesLine(position: number, entry: Entry): boolean {
    const other = this.follower.index.entry(position)
    return other.segment === entry.segment && other.lineOffset === entry.lineOffset
  }

  /** The hash that the event at position `count` links to. */
  hashBefore(count: number): EventHash {
    return count === 0 ? EMPTY_HASH : this.follower.index.entry(count - 1).hash
  }

  /** The event with an id in a stream, among those below `end`. */
  readById(stream: string, eventId: string, end: number): MaybeLater<StoredEvent | undefined> {
    const positions = this.follower.index.findEventId(stream, eventId, end)
    return positions.length === 0 ? undefined : this.readNamed(stream, eventId, positions)
  }

  private async readNamed(
    stream: string,
    eventId: string,
    positions: readonly Position[],
  ): Promise<StoredEvent | undefined> {
    for (const position of positions) {
      const stored = await this.readEvent(position)
      const event = parseStoredEvent(stored)
      if (event.stream === stream && event.eventId.toLowerCase() === eventId) return stored
    }
    return undefined
  }

  /** @throws AppError `log-damaged` where the bytes do not have the hash that the chain gave them */
  async readEvent(position: Position, isAgain = false): Promise<StoredEvent> {
    const entry = this.follower.index.entry(position)
    const segment = this.follower.openSegment(entry.segment)
    if (segment.isScavenged) return this.readMoved(position, entry)
    const { offset, length, hash } = entry
    const reading = this.readBytes(segment, offset, offset + length)
    const json = reading instanceof Promise ? await reading : reading
    if (json.length < length || chainHash(this.hashBefore(position), json) !== hash) {
      const left = await this.findLeft(position, entry)
      if (left) return left
      if (isAgain) throw this.damagedAt(position)
      // The file may have been scavenged, and the index built anew from what is there now.
      this.follower.forgetSegment(entry.segment)
      return this.readEvent(position, true)
    }
    return { position, hash, json }
  }

  /** From a file that was scavenged, by its line: within it, events no longer stand where they stood. */
  private async readMoved(position: Position, entry: Entry): Promise<StoredEvent> {
    const { segment, lineOffset, hash } = entry
    const line = await this.follower.openSegment(segment).lineAt(lineOffset)
    const meaning = readLine(line ?? Buffer.alloc(0), lineOffset, NOWHERE)
    if (meaning.kind !== 'damage') throw this.damagedAt(position)
    const found = meaning.events[position - meaning.position]
    if (found?.hash !== hash) throw this.damagedAt(position)
    return storedEvent(position, found)
  }

  /** What was taken over of an event that had lost its body: it stands alone in its line, which proves it. */
  private async findLeft(position: Position, entry: Entry): Promise<StoredEvent | undefined> {
    const { segment, lineOffset, offset, length, hash } = entry
    const opened = this.follower.openSegment(segment)
    const line = await this.readBytes(opened, lineOffset, offset + length)
    const point = { count: position, hash: this.hashBefore(position) }
    const meaning = readLine(line, lineOffset, point)
    const found = meaning.kind === 'commit' ? meaning.events[0] : undefined
    return found?.isScavenged && found.hash === hash ? storedEvent(position, found) : undefined
  }

  /** What the file has from one offset to another; an index that is wrong names any. */
  private readBytes(segment: Segment, from: number, to: number): MaybeLater<Buffer> {
    const { disk } = this.follower.options
    const wanted = Math.max(0, to - from)
    if (wanted <= SMALL_BYTES) {
      const bytes = Buffer.allocUnsafe(wanted)
      return bytes.subarray(0, disk.readAt(segment.fd, bytes, from))
    }
    return segment.using(async () => {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(to, segment.size()) - from))
      return bytes.subarray(0, await disk.readMuch(segment.fd, bytes, from))
    })
  }

  damagedAt(position: number): AppError {
    const what = this.follower.options.name === undefined ? 'event' : 'entry'
    return this.follower.end.damaged(`The ${what} at position ${position} is damaged`, { position })
  }
}

const isFilled = ({ length }: Buffer): boolean => length > 0

function storedEvent(position: Position, { json, hash, isScavenged }: LineEvent): StoredEvent {
  return isScavenged ? { position, hash, json, isScavenged } : { position, hash, json }
}

/**
 * The events of a group from the bytes between the first and the last of them; `undefined` where one of them
 * does not have the hash that the chain gave it.
 */
function checkedGroup(
  entries: readonly Entry[],
  bytes: Buffer,
  position: Position,
  previous: EventHash,
): StoredEvent[] | undefined {
  const events: StoredEvent[] = []
  let before = previous
  for (const { offset, length, hash } of entries) {
    const start = offset - (entries[0]?.offset ?? 0)
    const json = bytes.subarray(start, start + length)
    if (json.length < length || chainHash(before, json) !== hash) return undefined
    events.push({ position: position + events.length, hash, json })
    before = hash
  }
  return events
}

/** Where the run of entries that begins at `start` ends: at another file, or behind a gap. */
function endOfGroup(entries: readonly Entry[], start: number): number {
  let end = start + 1
  for (; end < entries.length; end++) {
    const [before, next] = [entries[end - 1], entries[end]]
    if (!before || next?.segment !== before.segment) break
    if (next.offset - (before.offset + before.length) > GAP_BYTES) break
  }
  return end
}
