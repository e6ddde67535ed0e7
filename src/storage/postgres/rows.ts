/** From rows of `apie_event` to events, and to events that are proven to be what was appended. */
import type { EventHash, StoredEvent } from '../../domain/event.ts'
import type { ReadDirection } from '../../domain/ports.ts'
import { provenEvent } from '../database/event-link.ts'
import type { Row } from './connection.ts'

/**
 * The columns of an event. Its text as text: bytes would travel as hexadecimal digits, twice as many.
 * `scavenged` is the check of an event without its body.
 */
export const EVENT_COLUMNS = `position, hash, convert_from(json, 'UTF8') AS json, scavenged`

/** Of an event in `e`: the hash that it links to, of the same moment; NULL where the row before is missing. */
export const PREVIOUS = `
  (SELECT p.hash FROM apie_event AS p WHERE p.position = e.position - 1 ORDER BY p.position)`

const toHash = (bytes: unknown): EventHash => (bytes as Buffer).toString('hex') as EventHash

/** @param row with `EVENT_COLUMNS`; nothing says that it is what was appended */
export function toStoredEvent(row: Row): StoredEvent {
  return {
    position: Number(row['position']),
    hash: toHash(row['hash']),
    json: Buffer.from(String(row['json'])),
    ...(row['scavenged'] !== null && { isScavenged: true as const }),
  }
}

/** @param row with `EVENT_COLUMNS` and `PREVIOUS` as `previous` @throws AppError `log-damaged` */
export function toProvenEvent(row: Row): StoredEvent {
  return proven(row, toStoredEvent(row), undefined)
}

/**
 * Of the rows of a page. An event whose predecessor is in the page, too, is proven by that, so that of most
 * pages of the log only one row needs its `previous`.
 * @throws AppError `log-damaged`
 */
export function toProvenEvents(
  rows: readonly Row[],
  direction: ReadDirection,
): readonly StoredEvent[] {
  const events = rows.map(toStoredEvent)
  const before = direction === 'forwards' ? -1 : 1
  for (const [at, row] of rows.entries()) {
    proven(row, events[at] as StoredEvent, events[at + before])
  }
  return events
}

/** @param beside maybe the event before it */
function proven(row: Row, event: StoredEvent, beside: StoredEvent | undefined): StoredEvent {
  const told = row['previous'] ? toHash(row['previous']) : undefined
  const previous = beside?.position === event.position - 1 ? beside.hash : told
  return provenEvent(event, previous, row['scavenged'] as string | undefined)
}
