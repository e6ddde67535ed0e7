/**
 * What the log of a database looks like at one moment, as far as a batch of appends asks: head, last numbers
 * of the sequences, what is settled about the streams, and the events whose ids are sent again. How it is
 * read is each engine's own.
 */
import { EMPTY_HASH, type EventHash, type StoredEvent } from '../../domain/event.ts'
import type { AppendRequest, StreamState } from '../../domain/ports.ts'
import { type SequenceKey, streamsSequence } from '../../domain/sequence.ts'
import { sequencesFor } from './event-sequences.ts'

/** Sequences and streams that are remembered between two appends. */
const REMEMBERED = 20_000

export type LogPoint = {
  readonly count: number
  readonly hash: EventHash
  readonly createdAtMs: number
}

export const EMPTY_POINT: LogPoint = { count: 0, hash: EMPTY_HASH, createdAtMs: 0 }

/** -1: no member. What is `undefined` was not asked. */
export class LogState {
  point: LogPoint
  readonly numbers = new Map<SequenceKey, number>()
  readonly streams = new Map<string, StreamState>()
  /** By stream, `/` and id: those that were asked for and are there. One that is damaged throws it. */
  readonly events = new Map<string, () => StoredEvent>()

  constructor(point: LogPoint) {
    this.point = point
  }

  /** Takes in what an older one knew of the same head, as long as that is not too much. */
  takeOver(older: LogState | undefined): void {
    if (older?.point.hash !== this.point.hash) return
    if (older.numbers.size + older.streams.size > REMEMBERED) return
    for (const [sequence, number] of older.numbers) this.numbers.set(sequence, number)
    for (const [stream, settled] of older.streams) this.streams.set(stream, settled)
  }

  /** The older one with all of this in it, where that would take it over; else this one. Costs what is new. */
  addedTo(older: LogState | undefined): LogState {
    if (older?.point.hash !== this.point.hash) return this
    if (older.numbers.size + older.streams.size > REMEMBERED) return this
    for (const [sequence, number] of this.numbers) older.numbers.set(sequence, number)
    for (const [stream, settled] of this.streams) older.streams.set(stream, settled)
    older.events.clear()
    for (const [id, event] of this.events) older.events.set(id, event)
    return older
  }
}

/** What a batch asks about the log. */
export type Question = {
  readonly streams: readonly string[]
  readonly sequences: readonly SequenceKey[]
  readonly ids: readonly (readonly [stream: string, eventId: string])[]
}

export function questionOf(requests: readonly AppendRequest[]): Question {
  const streams = new Set<string>()
  const sequences = new Set<SequenceKey>([streamsSequence])
  const ids: (readonly [string, string])[] = []
  for (const { stream, events } of requests) {
    streams.add(stream)
    for (const { eventType, eventId } of events) {
      const { streamType, type, category } = sequencesFor(stream, eventType)
      sequences.add(streamType).add(type)
      if (category) sequences.add(category)
      ids.push([stream, eventId])
    }
  }
  return { streams: [...streams], sequences: [...sequences], ids }
}

/** Whether a state tells all that a batch asks, but for the ids of its events. */
export function isKnown(
  { streams, numbers }: LogState,
  batch: readonly { readonly request: AppendRequest }[],
): boolean {
  return batch.every(
    ({ request: { stream, events } }) =>
      streams.has(stream) &&
      events.every(({ eventType }) => {
        const { streamType, type, category } = sequencesFor(stream, eventType)
        return (
          numbers.has(streamType) &&
          numbers.has(type) &&
          (category === undefined || numbers.has(category))
        )
      }),
  )
}
