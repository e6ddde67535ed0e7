/** The questions that are asked of the log; each has an index, and gets what was committed before it. */

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
import type { Connection } from './connection.ts'
import { type EventDocument, pointOf, toStoredEvent } from './documents.ts'
import { LAST_OF_STREAM, stateOf } from './log-state.ts'
import { numberIn, placeOf } from './sequences.ts'
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

  read(position: Position): Promise<StoredEvent | undefined> {
    return this.findEvent({ _id: position })
  }

  async findEvent(
    by: Partial<Readonly<{ _id: Position; stream: StreamName; eventId: EventId }>>,
  ): Promise<StoredEvent | undefined> {
    const found = await this.find(by)
    return found && toStoredEvent(found)
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
    const range = isForwards ? { $gte: Math.max(0, from) } : { $lte: from, $gte: 0 }
    const found = await this.pageOf(
      { ...place.filter, [place.number]: range },
      place.number,
      isForwards ? 1 : -1,
      most,
    )
    return found.map((event) => ({ number: numberIn(event, place), event: toStoredEvent(event) }))
  }

  /** @param to exclusive */
  async *runs(
    from: Position,
    to: Position,
    direction: ReadDirection,
  ): AsyncGenerator<readonly StoredEvent[]> {
    let [start, end] = [Math.max(0, from), to]
    while (start < end) {
      const filter = { _id: { $gte: start, $lt: end } }
      const order = direction === 'forwards' ? 1 : -1
      const events = (await this.pageOf(filter, '_id', order, PAGE_EVENTS)).map(toStoredEvent)
      const last = events.at(-1)
      if (!last) return
      yield events
      if (direction === 'forwards') start = last.position + 1
      else end = last.position
    }
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
