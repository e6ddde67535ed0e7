/** How a record is written in the log of the records, and read from it. */
import { AppError } from '../../domain/app-error.ts'
import {
  type EventDraft,
  type EventId,
  type EventType,
  parseStoredEvent,
  type StoredEvent,
} from '../../domain/event.ts'
import type { StoredRecord } from '../../domain/ports.ts'
import { type SequenceKey, type SequenceRule, streamSequence } from '../../domain/sequence.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import type { JsonText } from '../../kit/json-text.ts'
import { randomUuid } from '../../kit/random.ts'
import type { FileLog } from './file-log.ts'

/** A record's own stream, and for its first event the keys of its collection and those of its group. */
export const recordSequences: SequenceRule = ({ stream, eventType, version }) => {
  if (version > 0) return [streamSequence(stream)]
  const groupStart = eventType.length + 1
  const groupEnd = stream.indexOf('/', groupStart)
  const own = [streamSequence(stream), keysOf(eventType)]
  if (groupEnd < 0) return own
  return [...own, groupOf(eventType, stream.slice(groupStart, groupEnd))]
}

/** First events of the records of a collection. */
export const keysOf = (collection: string): SequenceKey => `n/${collection}` as SequenceKey
/** First events of those whose key begins with `group` and a slash. */
export const groupOf = (collection: string, group: string): SequenceKey =>
  `b/${collection}/${group}` as SequenceKey
export const streamOf = (collection: string, key: string): StreamName =>
  `${collection}/${key}` as StreamName

/** Stream and collection of the notes on how far a copy has come (`record-copy.ts`). */
export const PROGRESS = '$progress'

/** Events of a log up to the last that was copied into it. */
export async function copiedEvents(log: FileLog): Promise<number> {
  const head = await log.sequenceHead(streamSequence(PROGRESS as StreamName))
  return head === undefined ? 0 : head.position + 1
}

/** `revision` is told where it is not the version that the event has in its stream. */
export type RecordBody = { readonly revision?: number } & (
  | { readonly value: unknown }
  | { readonly isRemoved: true }
)

/** A record as the log has it, also where it was removed. */
export type Revision = {
  readonly record: StoredRecord
  readonly isRemoved: boolean
  /** Version of its event in its stream. */
  readonly version: number
}

export function recordDraft(collection: string, body: RecordBody): EventDraft {
  return {
    eventId: randomUuid() as EventId,
    eventType: collection as EventType,
    body: { kind: 'json', text: JSON.stringify(body) as JsonText },
  }
}

/** The body of a revision as the event with `version` says it. */
export function bodyAt(
  content: { readonly value: unknown } | { readonly isRemoved: true },
  revision: number,
  version: number,
): RecordBody {
  return revision === version ? content : { ...content, revision }
}

export function revisionOf(stored: StoredEvent, collection: string, version: number): Revision {
  const { body, stream } = parseStoredEvent(stored)
  const content = body as RecordBody
  const key = stream.slice(collection.length + 1)
  const revision = content.revision ?? version
  return 'isRemoved' in content
    ? { record: { key, value: undefined, revision }, isRemoved: true, version }
    : { record: { key, value: content.value, revision }, isRemoved: false, version }
}

export function conflict(key: string): AppError {
  return new AppError('record-conflict', 'The record was changed meanwhile', { key })
}
