/** From rows of `apie_event` to events. */
import type { EventHash, StoredEvent } from '../../domain/event.ts'
import type { Row } from './connection.ts'

/**
 * The text of an event as a column. Bytes would travel as hexadecimal digits, twice as many.
 */
export const JSON_COLUMN = `convert_from(json, 'UTF8') AS json`

/** @param row with the columns `position`, `hash` and `json` as in `JSON_COLUMN` */
export function toStoredEvent(row: Row): StoredEvent {
  return {
    position: Number(row['position']),
    hash: (row['hash'] as Buffer).toString('hex') as EventHash,
    json: Buffer.from(String(row['json'])),
  }
}
