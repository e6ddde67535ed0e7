/**
 * Reads what the log looks like, as far as a batch of appends asks. The queries see the log at different
 * moments; but a commit that then takes the place behind `point` shows that there was nothing else to see.
 */
import { TOMBSTONE_TYPE } from '../../domain/event.ts'
import type { StreamState } from '../../domain/ports.ts'
import type { ProducerId } from '../../domain/producer.ts'
import { type SequenceKey, streamSequence } from '../../domain/sequence.ts'
import type { LogState, Question } from '../database/log-state.ts'
import type { Collections } from './connection.ts'
import type { EventDocument } from './documents.ts'
import { readHashes, toProvenEvent } from './proven-events.ts'
import { numberIn, placeOf } from './sequences.ts'

/** Fills in what the state does not know yet of a question; its ids are always looked up. */
export async function readInto(
  state: LogState,
  collections: Collections,
  { streams, sequences, ids }: Question,
): Promise<void> {
  state.events.clear()
  await Promise.all([
    ...streams
      .filter((stream) => !state.streams.has(stream))
      .map((stream) => readStream(state, collections, stream)),
    ...sequences
      .filter((sequence) => !state.numbers.has(sequence))
      .map(async (sequence) => {
        state.numbers.set(sequence, await lastNumber(collections, sequence))
      }),
    readIds(state, collections, ids),
  ])
}

async function lastNumber({ events }: Collections, sequence: SequenceKey): Promise<number> {
  const place = placeOf(sequence)
  const last = await events.findOne(
    { ...place.filter, [place.number]: { $gte: 0 } },
    { sort: { [place.number]: -1 }, projection: { _id: 0, [place.number]: 1 } },
  )
  return last ? numberIn(last, place) : -1
}

async function readStream(state: LogState, { events }: Collections, stream: string): Promise<void> {
  const last = await events.findOne({ stream }, LAST_OF_STREAM)
  state.numbers.set(streamSequence(stream), last?.version ?? -1)
  state.streams.set(stream, stateOf(last ?? undefined))
}

export const LAST_OF_STREAM = {
  sort: { version: -1 },
  projection: { version: 1, type: 1, owner: 1 },
} as const

/** @param last event of the stream */
export function stateOf(last?: Pick<EventDocument, 'type' | 'owner'>): StreamState {
  const owner = last?.owner as ProducerId | undefined
  return { ...(owner && { owner }), isDeleted: last?.type === TOMBSTONE_TYPE }
}

async function readIds(
  state: LogState,
  collections: Collections,
  ids: Question['ids'],
): Promise<void> {
  const asked = new Set(ids.map(([stream, id]) => `${stream}/${id}`))
  const options = {
    sort: { _id: 1 },
    projection: { eventId: 1, stream: 1, hash: 1, json: 1, scavenged: 1 },
  } as const
  const found = collections.events.find(
    {
      eventId: { $in: [...new Set(ids.map(([, id]) => id))] },
      stream: { $in: [...new Set(ids.map(([stream]) => stream))] },
    },
    options,
  )
  const keyOf = ({ stream, eventId }: EventDocument) => `${stream}/${eventId}`
  const known = (await found.toArray()).filter((event) => asked.has(keyOf(event)))
  const hashes = await readHashes(collections, known)
  for (const event of known) state.events.set(keyOf(event), () => toProvenEvent(event, hashes))
}
