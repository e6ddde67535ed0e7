/**
 * Records on flat files: a second, private log of the same kind, in which a record is a stream and its value
 * the last event of it. Compare-and-set is the expected version of an append, durable and safe against
 * paused writers as every append is.
 */
import { AppError } from '../../domain/app-error.ts'
import {
  type EventId,
  type EventType,
  parseStoredEvent,
  type StoredEvent,
} from '../../domain/event.ts'
import type { ExpectedRevision, RecordEngine, StoredRecord } from '../../domain/ports.ts'
import { type SequenceKey, type SequenceRule, streamSequence } from '../../domain/sequence.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import { BoundedMap } from '../../kit/bounded-map.ts'
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

const keysOf = (collection: string): SequenceKey => `n/${collection}` as SequenceKey
const groupOf = (collection: string, group: string): SequenceKey =>
  `b/${collection}/${group}` as SequenceKey
const streamOf = (collection: string, key: string): StreamName =>
  `${collection}/${key}` as StreamName

const PAGE = 1000
/** Records kept in memory. */
const MOST_KNOWN = 256

type Body = { readonly value: unknown } | { readonly isRemoved: true }

/** A record as the log has it, also where it was removed. */
type Revision = { readonly record: StoredRecord; readonly isRemoved: boolean }

export function createFileRecords(log: FileLog): RecordEngine {
  // What stands at a position never changes; a server reads the same accounts again and again.
  const known = new BoundedMap<number, StoredEvent>(MOST_KNOWN)
  const readRevision = async (collection: string, key: string): Promise<Revision | undefined> => {
    const head = await log.sequenceHead(streamSequence(streamOf(collection, key)))
    if (!head) return undefined
    const stored = known.get(head.position) ?? (await log.read(head.position))
    if (!stored) return undefined
    known.set(head.position, stored)
    return revisionOf(stored, collection, head.number)
  }
  const append = async (
    collection: string,
    key: string,
    body: Body,
    expected: number,
  ): Promise<number> => {
    try {
      await log.append({
        stream: streamOf(collection, key),
        expectedVersion:
          expected < 0 ? { kind: 'no-stream' } : { kind: 'version', version: expected },
        retryRule: 'equal-id',
        createdBy: '-',
        events: [
          {
            eventId: randomUuid() as EventId,
            eventType: collection as EventType,
            body: { kind: 'json', text: JSON.stringify(body) as JsonText },
          },
        ],
      })
      return expected + 1
    } catch (error) {
      if (error instanceof AppError && error.code === 'wrong-expected-version') throw conflict(key)
      throw error
    }
  }
  return {
    async read(collection, key) {
      const found = await readRevision(collection, key)
      return found && !found.isRemoved ? found.record : undefined
    },
    async write(collection, key, value, expected) {
      const found = await readRevision(collection, key)
      const revision = nextAfter(found, expected, key)
      return { key, value, revision: await append(collection, key, { value }, revision) }
    },
    async remove(collection, key, expected) {
      const found = await readRevision(collection, key)
      await append(collection, key, { isRemoved: true }, nextAfter(found, expected, key))
    },
    async list(collection, group) {
      const keys = group === undefined ? keysOf(collection) : groupOf(collection, group)
      const records: StoredRecord[] = []
      for (let from = 0; ; ) {
        const page = await log.readSequence(keys, from, 'forwards', PAGE)
        for (const { event } of page) {
          const { stream } = parseStoredEvent(event)
          const found = await readRevision(collection, stream.slice(collection.length + 1))
          if (found && !found.isRemoved) records.push(found.record)
        }
        if (page.length === 0) return records
        from += page.length
      }
    },
    verify: (progress) => log.verify(progress),
    close: () => log.close(),
  }
}

/** The version that the record's stream must have for a write to go through; -1: none yet. */
function nextAfter(found: Revision | undefined, expected: ExpectedRevision, key: string): number {
  const isAbsent = found === undefined || found.isRemoved
  if (isAbsent !== (expected === 'absent')) throw conflict(key)
  if (expected === 'absent') return found?.record.revision ?? -1
  if (found?.record.revision !== expected) throw conflict(key)
  return expected
}

function revisionOf(stored: StoredEvent, collection: string, revision: number): Revision {
  const { body, stream } = parseStoredEvent(stored)
  const content = body as Body
  const key = stream.slice(collection.length + 1)
  return 'isRemoved' in content
    ? { record: { key, value: undefined, revision }, isRemoved: true }
    : { record: { key, value: content.value, revision }, isRemoved: false }
}

function conflict(key: string): AppError {
  return new AppError('record-conflict', 'The record was changed meanwhile', { key })
}
