/** From rows of `apie_event` to events. */
import type { EventHash, StoredEvent } from '../../domain/event.ts'
import type { Row } from './connection.ts'

/**
 * The columns of an event. Its text as text: bytes would travel as hexadecimal digits, twice as many.
 * `scavenged` is the check of an event without its body.
 */
export const EVENT_COLUMNS = `position, hash, convert_from(json, 'UTF8') AS json, scavenged`

/** @param row with `EVENT_COLUMNS` */
export function toStoredEvent(row: Row): StoredEvent {
  return {
    position: Number(row['position']),
    hash: (row['hash'] as Buffer).toString('hex') as EventHash,
    json: Buffer.from(String(row['json'])),
    ...(row['scavenged'] !== null && { isScavenged: true as const }),
  }
}
