/**
 * Records on flat files: a second, private log of the same kind, in which a record is a stream and its value
 * the last event of it. Compare-and-set is the expected version of an append, durable and safe against
 * paused writers as every append is.
 *
 * A log that consists of old revisions mostly is left for a new one: `record-generations.ts`.
 */
import { AppError } from '../../domain/app-error.ts'
import { parseStoredEvent, type StoredEvent } from '../../domain/event.ts'
import type { ExpectedRevision, RecordEngine, StoredRecord } from '../../domain/ports.ts'
import { streamSequence } from '../../domain/sequence.ts'
import { BoundedMap } from '../../kit/bounded-map.ts'
import type { FileLog } from './file-log.ts'
import {
  bodyAt,
  conflict,
  groupOf,
  keysOf,
  type Revision,
  recordDraft,
  revisionOf,
  streamOf,
} from './record-body.ts'
import type { RecordGenerations } from './record-generations.ts'

const PAGE = 1000
/** Records kept in memory. */
const MOST_KNOWN = 256

type Content = { readonly value: unknown } | { readonly isRemoved: true }

/** What stands at a position never changes; a server reads the same accounts again and again. */
type Known = BoundedMap<number, StoredEvent>

export function createFileRecords(generations: RecordGenerations): RecordEngine {
  const known = new WeakMap<FileLog, Known>()
  const knownOf = (log: FileLog): Known => {
    const found = known.get(log) ?? new BoundedMap<number, StoredEvent>(MOST_KNOWN)
    known.set(log, found)
    return found
  }
  const readIn = (log: FileLog, collection: string, key: string) =>
    readRevision(log, knownOf(log), collection, key)
  const change = (collection: string, key: string, expected: ExpectedRevision, to: Content) =>
    generations.write(async (log) => {
      const found = await readIn(log, collection, key)
      const revision = nextAfter(found, expected, key) + 1
      const body = bodyAt(to, revision, (found?.version ?? -1) + 1)
      // What comes next is mostly that the same record is read, or written, again.
      for (const event of await append(log, collection, key, found, body)) {
        knownOf(log).set(event.position, event)
      }
      return revision
    })
  return {
    stamp: () => generations.stamp(),
    read: (collection, key) =>
      generations.read(async (log) => {
        const found = await readIn(log, collection, key)
        return found && !found.isRemoved ? found.record : undefined
      }),
    write: async (collection, key, value, expected) => ({
      key,
      value,
      revision: await change(collection, key, expected, { value }),
    }),
    remove: async (collection, key, expected) => {
      await change(collection, key, expected, { isRemoved: true })
    },
    ensureWritable: () => generations.read((log) => log.ensureWritable()),
    list: (collection, group) =>
      generations.read(async (log) => {
        const keys = group === undefined ? keysOf(collection) : groupOf(collection, group)
        const records: StoredRecord[] = []
        for (let from = 0; ; ) {
          const page = await log.readSequence(keys, from, 'forwards', PAGE)
          for (const { event } of page) {
            const { stream } = parseStoredEvent(event)
            const found = await readIn(log, collection, stream.slice(collection.length + 1))
            if (found && !found.isRemoved) records.push(found.record)
          }
          if (page.length === 0) return records
          from += page.length
        }
      }),
    collections: () =>
      generations.read(async (log) => {
        const names = new Set<string>()
        const { count } = await log.head()
        for await (const events of log.readLog(0, count, 'forwards')) {
          for (const event of events) names.add(parseStoredEvent(event).eventType)
        }
        return [...names]
      }),
    verify: (progress) => generations.verify(progress),
    close: () => generations.close(),
  }
}

async function readRevision(
  log: FileLog,
  known: Known,
  collection: string,
  key: string,
): Promise<Revision | undefined> {
  const head = await log.sequenceHead(streamSequence(streamOf(collection, key)))
  if (!head) return undefined
  const stored = known.get(head.position) ?? (await log.read(head.position))
  if (!stored) return undefined
  known.set(head.position, stored)
  return revisionOf(stored, collection, head.number)
}

async function append(
  log: FileLog,
  collection: string,
  key: string,
  found: Revision | undefined,
  body: Parameters<typeof recordDraft>[1],
): Promise<readonly StoredEvent[]> {
  try {
    const { events } = await log.append({
      stream: streamOf(collection, key),
      expectedVersion: found ? { kind: 'version', version: found.version } : { kind: 'no-stream' },
      retryRule: 'equal-id',
      createdBy: '-',
      events: [recordDraft(collection, body)],
    })
    return events
  } catch (error) {
    if (error instanceof AppError && error.code === 'wrong-expected-version') throw conflict(key)
    throw error
  }
}

/** The revision that the next one follows; -1: none. */
function nextAfter(found: Revision | undefined, expected: ExpectedRevision, key: string): number {
  const isAbsent = found === undefined || found.isRemoved
  if (isAbsent !== (expected === 'absent')) throw conflict(key)
  if (expected === 'absent') return found?.record.revision ?? -1
  if (found?.record.revision !== expected) throw conflict(key)
  return expected
}
