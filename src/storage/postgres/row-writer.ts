/**
 * Writes rows behind the head of the log, and moves the head, in one statement.
 *
 * The chain is safe by compare and append: the statement does nothing unless the head is the one that the
 * rows were made for. Moving it locks its row until the end of the transaction, so that commits come in the
 * order of positions; whoever waits for the lock looks again and finds another head. An event id that was
 * stored meanwhile stops it, too; without the order of that look, the planner takes the index of the stream
 * while the log is small, and stays with it. Bytes travel packed into two values: nothing is escaped. One row
 * has a statement of its own, which costs less (`one-row.ts`).
 */
import type { EventId } from '../../domain/event.ts'
import type { PlannedRow } from '../database/append-plan.ts'
import type { LogPoint } from '../database/log-state.ts'
import type { Run, Statement } from './connection.ts'
import { valuesOfOne, WRITE_ONE } from './one-row.ts'
import { eventKey, KEY_BYTES, keyOf } from './sequences.ts'

/** Of the packed facts of a row: its hash, then the keys of id, stream, stream + type, type and category. */
const HASH_BYTES = 32
const FACTS = HASH_BYTES + 5 * KEY_BYTES
const NO_KEY = Buffer.alloc(KEY_BYTES)

const fact = (row: string, index: number): string =>
  `substring($7::bytea FROM (${row} * ${FACTS} + ${HASH_BYTES + index * KEY_BYTES + 1})::integer FOR ${KEY_BYTES})`

const WRITE: Statement = {
  name: 'append',
  text: `
  WITH moved AS (
    UPDATE apie_head SET count = $1::bigint + $5::bigint, hash = $3::bytea, created_at_ms = $4::bigint
    WHERE id = 1 AND count = $1::bigint AND hash = $2::bytea AND ($14::boolean OR NOT EXISTS (
      SELECT 1 FROM generate_series(0, $5::bigint - 1) AS i, LATERAL (
        SELECT 1 FROM apie_event AS e
        WHERE e.event_key = ${fact('i', 0)} AND e.stream_key = ${fact('i', 1)}
        ORDER BY e.position DESC LIMIT 1) AS known))
    RETURNING 1
  ), written AS (
    INSERT INTO apie_event (position, version, stream_type_number, type_number, category_number,
      streams_number, hash, event_key, stream_key, stream_type_key, type_key, category_key, producer, json)
    SELECT $1::bigint + r.place - 1, r.version, r.b, r.t, r.c, r.n,
      substring($7::bytea FROM ((r.place - 1) * ${FACTS} + 1)::integer FOR ${HASH_BYTES}),
      ${[0, 1, 2, 3].map((index) => fact('(r.place - 1)', index)).join(', ')},
      CASE WHEN r.c IS NULL THEN NULL ELSE ${fact('(r.place - 1)', 4)} END,
      r.producer, substring($6::bytea FROM r.start FOR r.length)
    FROM moved, unnest($8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
      $13::integer[], $15::integer[], $16::text[])
      WITH ORDINALITY AS r(version, b, t, c, n, start, length, producer, place)
    ORDER BY r.place
  )
  SELECT pg_notify('apie', '') FROM moved`,
}

/**
 * False: the head is not at `from`, or an id is known, and nothing was written.
 * @param isNew whether the ids need no second look
 */
export async function writeRows(
  run: Run,
  from: LogPoint,
  to: LogPoint,
  rows: readonly PlannedRow[],
  isNew: boolean,
): Promise<boolean> {
  const [first] = rows
  const found =
    rows.length === 1 && first
      ? await run(WRITE_ONE, valuesOfOne(from, to, first, isNew))
      : await run(WRITE, valuesOf(from, to, rows, isNew))
  return found.length > 0
}

function valuesOf(
  from: LogPoint,
  to: LogPoint,
  rows: readonly PlannedRow[],
  isNew: boolean,
): readonly unknown[] {
  const starts: number[] = []
  const lengths: number[] = []
  let start = 1
  for (const { event } of rows) {
    starts.push(start)
    lengths.push(event.json.length)
    start += event.json.length
  }
  return [
    from.count,
    Buffer.from(from.hash, 'hex'),
    Buffer.from(to.hash, 'hex'),
    to.createdAtMs,
    rows.length,
    Buffer.concat(rows.map(({ event }) => event.json)),
    Buffer.concat(rows.flatMap(packedFacts)),
    list(rows.map((row) => row.version)),
    list(rows.map((row) => row.streamTypeNumber)),
    list(rows.map((row) => row.typeNumber)),
    list(rows.map((row) => row.categoryNumber)),
    list(rows.map((row) => row.streamsNumber)),
    list(starts),
    isNew,
    list(lengths),
    rows.map(({ producer }) => producer ?? null),
  ]
}

function packedFacts({ event, eventId, sequences }: PlannedRow): Buffer[] {
  const { stream, streamType, type, category } = sequences
  return [
    Buffer.from(event.hash, 'hex'),
    eventKey(eventId as EventId),
    keyOf(stream),
    keyOf(streamType),
    keyOf(type),
    category === undefined ? NO_KEY : keyOf(category),
  ]
}

/** An array as text (manual, 8.15.2). */
const list = (numbers: readonly (number | undefined)[]): string =>
  `{${numbers.map((number) => number ?? 'NULL').join(',')}}`
