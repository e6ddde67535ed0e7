/**
 * The statement that writes one row behind the head of the log, and moves the head: as safe as that of
 * `row-writer.ts`, and for the same reasons. Whoever waits for one append after the other pays for all of
 * it, so that nothing in it is there for more rows than one.
 */
import type { EventId } from '../../domain/event.ts'
import type { PlannedRow } from '../database/append-plan.ts'
import type { LogPoint } from '../database/log-state.ts'
import type { Statement } from './connection.ts'
import { eventKey, keyOf } from './sequences.ts'

/** Answers with a row where it was written. */
export const WRITE_ONE: Statement = {
  name: 'append-one',
  isBare: true,
  text: `
  WITH moved AS (
    UPDATE apie_head SET count = $1::bigint + 1, hash = $3::bytea, created_at_ms = $4::bigint
    WHERE id = 1 AND count = $1::bigint AND hash = $2::bytea AND ($5::boolean OR (
      SELECT e.position FROM apie_event AS e
      WHERE e.event_key = $6::bytea AND e.stream_key = $7::bytea
      ORDER BY e.position DESC LIMIT 1) IS NULL)
    RETURNING 1
  )
  INSERT INTO apie_event (position, version, stream_type_number, type_number, category_number,
    streams_number, hash, event_key, stream_key, stream_type_key, type_key, category_key, producer, json)
  SELECT $1::bigint, $8::bigint, $9::bigint, $10::bigint, $11::bigint,
    $12::bigint, $3::bytea, $6::bytea, $7::bytea, $13::bytea, $14::bytea, $15::bytea, $16::text, $17::bytea
  FROM moved
  RETURNING pg_notify('apie', '')`,
}

/** @param isNew whether the id needs no second look */
export function valuesOfOne(
  from: LogPoint,
  to: LogPoint,
  row: PlannedRow,
  isNew: boolean,
): readonly unknown[] {
  const { event, sequences } = row
  const { stream, streamType, type, category } = sequences
  return [
    from.count,
    Buffer.from(from.hash, 'hex'),
    Buffer.from(event.hash, 'hex'),
    to.createdAtMs,
    isNew,
    eventKey(row.eventId as EventId),
    keyOf(stream),
    row.version,
    row.streamTypeNumber,
    row.typeNumber,
    row.categoryNumber,
    row.streamsNumber,
    keyOf(streamType),
    keyOf(type),
    category === undefined ? undefined : keyOf(category),
    row.producer,
    event.json,
  ]
}
