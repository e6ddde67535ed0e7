/**
 * The questions that are asked of the log; each has an index, and gets what was committed before it. Events are proven
 * by the chain before anybody gets them, and those that should be there are missed.
 */

import type { Filter, FindCursor } from 'mongodb'
import type { EventHash, EventId, Position, StoredEvent } from '../../domain/event.ts'
import type {
  LogHead,
  ReadDirection,
  SequenceEvent,
  SequenceHead,
  StreamState,
} from '../../domain/ports.ts'
import type { SequenceKey } from '../../domain/sequence.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import { damagedEvent } from '../database/event-link.ts'
import { gapIn, type IsWhole, wholeRuns } from '../database/whole-pages.ts'
import type { Connection } from './connection.ts'
import { type EventDocument, pointOf } from './documents.ts'
import { LAST_OF_STREAM, stateOf } from './log-state.ts'
import { lookAgain } from './looks.ts'
import { readHashes, toProvenEvent } from './proven-events.ts'
import { numberIn, type Place, placeOf } from './sequences.ts'
import { lastCommit, type Visible } from './visible.ts'

/** Most events, and most bytes of their texts but for the first, that are handed out at once. */
const PAGE_EVENTS = 500
const PAGE_BYTES = 1 << 20

const TEXT = { hash: 1, json: 1, scavenged: 1 } as const

type Found = Pick<EventDocument, '_id'> | null
const highestOf = (found: Found): number => found?._id ?? -1
const highestIn = (found: readonly EventDocument[]): number =>
  found.reduce((most, { _id }) => Math.max(most, _id), -1)

/** A filter that leaves out what is not yet visible. */
const bounded = (filter: Filter<EventDocument>, below?: number): Filter<EventDocument> =>
  below === undefined ? filter : { $and: [filter, { _id: { $lt: below } }] }

export class LogReads {
  private readonly connection: Connection
  private readonly visible: Visible

  constructor(connection: Connection, visible: Visible) {
    this.connection = connection
    this.visible = visible
  }

  head(): Promise<LogHead> {
    return this.connection.read(async (collections) => {
      const { count, hash } = pointOf(await lastCommit(collections))
      await this.visible.reach(count)
      return { count, hash }
    })
  }

  async read(position: Position): Promise<StoredEvent | undefined> {
    const found = await lookAgain(
      async () => (await this.find({ _id: position })) ?? (await this.head()).count,
      (found) => typeof found !== 'number' || !(position >= 0 && position < found),
    )
    if (typeof found !== 'number') return (await this.proven([found]))[0]
    if (position >= 0 && position < found) throw damagedEvent(position)
    return undefined
  }

  async findEvent(
    by: Readonly<{ stream: StreamName; eventId: EventId }>,
  ): Promise<StoredEvent | undefined> {
    const found = await this.find(by)
    return found && (await this.proven([found]))[0]
  }

  async findPosition(
    by: Partial<Readonly<{ hash: EventHash; eventId: EventId }>>,
  ): Promise<Position | undefined> {
    return (await this.find(by))?._id
  }

  async streamState(stream: StreamName): Promise<StreamState> {
    const last = await this.visible.read(
      (events, below) => events.findOne(bounded({ stream }, below), LAST_OF_STREAM),
      highestOf,
    )
    return stateOf(last ?? undefined)
  }

  async sequenceHead(sequence: SequenceKey): Promise<SequenceHead | undefined> {
    const place = placeOf(sequence)
    const filter = { ...place.filter, [place.number]: { $gte: 0 } }
    const options = { sort: { [place.number]: -1 }, projection: { [place.number]: 1 } } as const
    const last = await this.visible.read(
      (events, below) => events.findOne(bounded(filter, below), options),
      highestOf,
    )
    return last ? { number: numberIn(last, place), position: last._id } : undefined
  }

  async sequenceNumber(sequence: SequenceKey, position: Position): Promise<number> {
    const place = placeOf(sequence)
    const options = { projection: { [place.number]: 1 } } as const
    const found = await this.visible.read(
      (events, below) => events.findOne(bounded({ _id: position }, below), options),
      highestOf,
    )
    return numberIn(found ?? {}, place)
  }

  async page(
    sequence: SequenceKey,
    from: number,
    direction: ReadDirection,
    limit: number,
  ): Promise<readonly SequenceEvent[]> {
    const most = Math.min(limit, PAGE_EVENTS)
    const isForwards = direction === 'forwards'
    if (most <= 0 || (!isForwards && from < 0)) return []
    const place = placeOf(sequence)
    const start = isForwards ? Math.max(0, from) : from
    const range = isForwards ? { $gte: start } : { $lte: start, $gte: 0 }
    const filter = { ...place.filter, [place.number]: range }
    const look = async () => {
      const found = await this.pageOf(filter, place.number, isForwards ? 1 : -1, most)
      const numbers = found.map((event) => numberIn(event, place))
      const [first = start] = numbers
      // Backwards, a page may be asked for from beyond the end on.
      const isBeyond = !isForwards && first < start && !(await this.isBehind(place, start))
      const gap = gapIn(numbers, isBeyond ? first : start, direction)
      return { found, numbers, damagedAt: found[gap]?._id }
    }
    const { found, numbers, damagedAt } = await lookAgain(
      look,
      (page) => page.damagedAt === undefined,
    )
    if (damagedAt !== undefined) throw damagedEvent(damagedAt)
    const events = await this.proven(found)
    return events.map((event, at) => ({ number: numbers[at] as number, event }))
  }

  /** Whether a sequence has more than what stands up to a number. */
  private async isBehind({ filter, number }: Place, last: number): Promise<boolean> {
    const options = { sort: { [number]: 1 }, projection: { _id: 1 } } as const
    const found = await this.visible.read(
      (events, below) =>
        events.findOne(bounded({ ...filter, [number]: { $gt: last } }, below), options),
      highestOf,
    )
    return found !== null
  }

  /** @param to exclusive */
  runs(
    from: Position,
    to: Position,
    direction: ReadDirection,
  ): AsyncGenerator<readonly StoredEvent[]> {
    const order = direction === 'forwards' ? 1 : -1
    const pageOf = async (start: Position, end: Position, isWhole: IsWhole) => {
      const look = async () => {
        const found = await this.pageOf(
          { _id: { $gte: start, $lt: end } },
          '_id',
          order,
          PAGE_EVENTS,
        )
        return { positions: found.map(({ _id }) => _id), events: () => this.proven(found) }
      }
      return lookAgain(look, ({ positions }) => isWhole(positions))
    }
    const countOf = async () => (await this.head()).count
    return wholeRuns(pageOf, countOf, from, to, direction)
  }

  private async proven(found: readonly EventDocument[]): Promise<readonly StoredEvent[]> {
    const hashes = await lookAgain(
      () => this.connection.read((collections) => readHashes(collections, found)),
      (known) => found.every(({ _id }) => _id === 0 || known.has(_id - 1)),
    )
    return found.map((document) => toProvenEvent(document, hashes))
  }

  private async find(filter: Filter<EventDocument>): Promise<EventDocument | undefined> {
    const options = { sort: { _id: -1 }, projection: TEXT } as const
    const found = await this.visible.read(
      (events, below) => events.findOne(bounded(filter, below), options),
      highestOf,
    )
    return found ?? undefined
  }

  private pageOf(
    filter: Filter<EventDocument>,
    by: keyof EventDocument,
    order: 1 | -1,
    most: number,
  ): Promise<readonly EventDocument[]> {
    return this.visible.read((events, below) => {
      const options = { sort: { [by]: order }, projection: { ...TEXT, [by]: 1 }, limit: most }
      return takeBytes(events.find(bounded(filter, below), options))
    }, highestIn)
  }
}

/** The first of them, up to a number of bytes; the server sends no more than a few documents at once. */
async function takeBytes(cursor: FindCursor<EventDocument>): Promise<readonly EventDocument[]> {
  const taken: EventDocument[] = []
  let bytes = 0
  for await (const event of cursor) {
    bytes += event.json.length
    if (taken.length > 0 && bytes > PAGE_BYTES) break
    taken.push(event)
  }
  await cursor.close()
  return taken
}
