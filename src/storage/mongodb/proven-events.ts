/**
 * Events that are proven by the chain before anybody gets them: by the hash of the event before, which is asked for
 * where it does not stand beside them.
 */
import type { EventHash, StoredEvent } from '../../domain/event.ts'
import { provenEvent } from '../database/event-link.ts'
import type { Collections } from './connection.ts'
import { type EventDocument, toStoredEvent } from './documents.ts'

type Stored = Pick<EventDocument, '_id' | 'hash' | 'json' | 'scavenged'>
/** The hashes of events, by position. */
type Hashes = ReadonlyMap<number, EventHash>

/** What is needed to prove these events. */
export async function readHashes(
  { events }: Collections,
  found: readonly Stored[],
): Promise<Hashes> {
  const hashes = new Map(found.map(({ _id, hash }) => [_id, hash as EventHash]))
  const before = found.map(({ _id }) => _id - 1)
  const missing = before.filter((position) => position >= 0 && !hashes.has(position))
  if (missing.length === 0) return hashes
  const options = { sort: { _id: 1 }, projection: { hash: 1 } } as const
  for await (const { _id, hash } of events.find({ _id: { $in: missing } }, options)) {
    hashes.set(_id, hash as EventHash)
  }
  return hashes
}

/** @throws AppError `log-damaged` */
export const toProvenEvent = (document: Stored, hashes: Hashes): StoredEvent =>
  provenEvent(toStoredEvent(document), hashes.get(document._id - 1), document.scavenged)
