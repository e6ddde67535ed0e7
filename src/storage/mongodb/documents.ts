/**
 * The documents of a store, by collection, and what they mean.
 *
 * A commit is one document whose `_id` is the position of its first event: inserting it is what stores the
 * events, and the unique `_id` lets exactly one writer be the next. The events of a commit also have a
 * document each, in `apie_event`, where readers look; see `visible.ts`.
 */
import { ObjectId } from 'mongodb'
import { EMPTY_HASH, type EventHash, type StoredEvent, scavengedCheck } from '../../domain/event.ts'
import type { StreamState } from '../../domain/ports.ts'
import type { PlannedRow } from '../database/append-plan.ts'
import type { LogPoint } from '../database/log-state.ts'
import { placeOf } from './sequences.ts'

export type CommitDocument = {
  /** Position of its first event. */
  readonly _id: number
  /** Position behind its last event. */
  readonly end: number
  /** Of its last event, and of the event before its first. */
  readonly hash: string
  readonly previous: string
  readonly createdAtMs: number
  /** Unlike any other: tells whether it was this one that was stored. */
  readonly token: string
  /** Until they have documents of their own. */
  readonly events?: readonly EventDocument[]
}

export type EventDocument = {
  /** Its position. */
  readonly _id: number
  /** From where to where its commit reaches. */
  readonly commit: number
  readonly end: number
  readonly hash: string
  /** The stored text, byte for byte. */
  readonly json: Buffer
  /** The check of what is left where the body was removed. */
  readonly scavenged?: string
  readonly eventId: string
  readonly stream: string
  readonly version: number
  readonly type: string
  readonly typeNumber: number
  readonly streamTypeNumber: number
  readonly category?: string
  readonly categoryNumber?: number
  readonly streamsNumber?: number
  /** Whom the stream belongs to; counts in the last event of a stream. */
  readonly owner?: string
}

export type RecordDocument = {
  /** Collection, `/` and key. */
  readonly _id: string
  readonly collection: string
  readonly key: string
  /** What stands before the first `/` of the key. */
  readonly group?: string
  /** Grows from record to record. */
  readonly place: number
  readonly revision: number
  /** JSON text. */
  readonly value: string
}

/** What is known of content besides its bytes; those are a file of GridFS. */
export type ContentDocument = {
  /** SHA-256 of the bytes. */
  readonly _id: string
  readonly file: ObjectId
  readonly size: number
  readonly filename: string
  readonly mediaType: string
  readonly createdAtMs: number
}

/** A file of GridFS that may belong to nothing. */
export type UploadDocument = { readonly _id: ObjectId; readonly startedAt: Date }

export type AttemptDocument = {
  /** Kind, `/` and slot. */
  readonly _id: string
  readonly hash: string
  readonly failures: number
  readonly lastFailureMs: number
  readonly lastSuccessMs: number
}

export type SetupDocument = { readonly _id: 'token'; readonly token: string }

/** `format`: version of the schema. `place`: last place of a record. `slim`: commits before need no events. */
export type CounterDocument = {
  readonly _id: 'format' | 'place' | 'slim'
  readonly number: number
}

/** Behind which event the log ends where its last commit is this one. */
export const pointOf = (commit?: CommitDocument): LogPoint => ({
  count: commit?.end ?? 0,
  hash: (commit?.hash ?? EMPTY_HASH) as EventHash,
  createdAtMs: commit?.createdAtMs ?? 0,
})

export const toStoredEvent = (
  document: Pick<EventDocument, '_id' | 'hash' | 'json' | 'scavenged'>,
): StoredEvent => ({
  position: document._id,
  hash: document.hash as EventHash,
  json: document.json,
  ...(document.scavenged !== undefined && { isScavenged: true as const }),
})

/** The commit that takes the log from one point to another. At least one row. */
export function toCommit(
  from: LogPoint,
  to: LogPoint,
  rows: readonly PlannedRow[],
  streams: ReadonlyMap<string, StreamState>,
): CommitDocument {
  const [commit, end] = [from.count, to.count]
  return {
    _id: commit,
    end,
    hash: to.hash,
    previous: from.hash,
    createdAtMs: to.createdAtMs,
    token: new ObjectId().toHexString(),
    events: rows.map((row) => {
      const { stream = '', type = '' } = placeOf(row.sequences.streamType).filter
      const category = row.sequences.category && placeOf(row.sequences.category).filter.category
      const owner = streams.get(stream)?.owner
      return {
        _id: row.event.position,
        commit,
        end,
        hash: row.event.hash,
        json: Buffer.from(row.event.json),
        ...(row.event.isScavenged && {
          scavenged: scavengedCheck(row.event.hash, row.event.json),
        }),
        eventId: row.eventId,
        stream,
        version: row.version,
        type,
        typeNumber: row.typeNumber,
        streamTypeNumber: row.streamTypeNumber,
        ...(category !== undefined && { category, categoryNumber: row.categoryNumber ?? 0 }),
        ...(row.streamsNumber !== undefined && { streamsNumber: row.streamsNumber }),
        ...(owner !== undefined && { owner }),
      }
    }),
  }
}
