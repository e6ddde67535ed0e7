/**
 * Reads what the log looks like at one moment. One query gets all of it, so that all of it belongs to one
 * head; an append that then finds this head has seen the truth.
 */
import { type EventHash, TOMBSTONE_TYPE } from '../../domain/event.ts'
import type { StreamState } from '../../domain/ports.ts'
import { type SequenceKey, streamsSequence, typeSequence } from '../../domain/sequence.ts'
import { sequencesFor } from '../database/event-sequences.ts'
import { EMPTY_POINT, LogState, type Question } from '../database/log-state.ts'
import type { Row, Run, Statement } from './connection.ts'
import { PREVIOUS, toProvenEvent } from './rows.ts'
import { eventKey, KEY_BYTES, keyOf } from './sequences.ts'

const KEYS_OF = (parameter: number): string => `
  (SELECT i, substring($${parameter}::bytea FROM i * ${KEY_BYTES} + 1 FOR ${KEY_BYTES}) AS key
   FROM generate_series(0, octet_length($${parameter}::bytea) / ${KEY_BYTES} - 1) AS i)`

const LAST_OF = (kind: string, parameter: number, key: string, number: string): string => `
  SELECT '${kind}', k.i::bigint, last.number, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ${KEYS_OF(parameter)} AS k, LATERAL (
    SELECT e.${number} AS number FROM apie_event AS e
    WHERE e.${key} = k.key ORDER BY e.${number} DESC LIMIT 1) AS last`

const READ_STATE: Statement = {
  name: 'log-state',
  text: `
  SELECT 'h' AS kind, 0::bigint AS place, count AS number, created_at_ms AS time, hash, NULL::text AS json,
    NULL::text AS owner, NULL::text AS scavenged, NULL::bytea AS previous
  FROM apie_head
  UNION ALL
  SELECT 's', k.i::bigint, last.version, NULL, last.type_key, NULL, (
    SELECT e.producer FROM apie_event AS e
    WHERE e.stream_key = k.key AND e.producer IS NOT NULL ORDER BY e.version LIMIT 1), NULL, NULL
  FROM ${KEYS_OF(1)} AS k, LATERAL (
    SELECT e.version, e.type_key FROM apie_event AS e
    WHERE e.stream_key = k.key ORDER BY e.version DESC LIMIT 1) AS last
  UNION ALL ${LAST_OF('b', 2, 'stream_type_key', 'stream_type_number')}
  UNION ALL ${LAST_OF('t', 3, 'type_key', 'type_number')}
  UNION ALL ${LAST_OF('c', 4, 'category_key', 'category_number')}
  UNION ALL
  SELECT 'n', 0, last.streams_number, NULL, NULL, NULL, NULL, NULL, NULL FROM (
    SELECT streams_number FROM apie_event
    WHERE streams_number IS NOT NULL ORDER BY streams_number DESC LIMIT 1) AS last
  UNION ALL
  SELECT 'i', k.i::bigint, found.position, NULL, found.hash, convert_from(found.json, 'UTF8'), NULL, found.scavenged,
    found.previous
  FROM (SELECT i, substring($5::bytea FROM i * ${2 * KEY_BYTES} + 1 FOR ${KEY_BYTES}) AS event_key,
      substring($5::bytea FROM i * ${2 * KEY_BYTES} + ${KEY_BYTES + 1} FOR ${KEY_BYTES}) AS stream_key
    FROM generate_series(0, octet_length($5::bytea) / ${2 * KEY_BYTES} - 1) AS i) AS k, LATERAL (
    SELECT e.position, e.hash, e.json, e.scavenged, ${PREVIOUS} AS previous FROM apie_event AS e
    WHERE e.event_key = k.event_key AND e.stream_key = k.stream_key
    ORDER BY e.position DESC LIMIT 1) AS found
  ORDER BY kind, place`,
}

/** @param run of a transaction that holds the head, or of nothing: then the head may move on at once */
export async function readState(run: Run, question: Question): Promise<LogState> {
  const ofKind = (kind: string) => question.sequences.filter((sequence) => sequence[0] === kind)
  const lists = { b: ofKind('b'), t: ofKind('t'), c: ofKind('c') }
  const keys = (list: readonly SequenceKey[]) => Buffer.concat(list.map(keyOf))
  const streams = question.streams.map((stream) => sequencesFor(stream, '').stream)
  const ids = question.ids.flatMap(([stream, id]) => [
    eventKey(id as never),
    keyOf(sequencesFor(stream, '').stream),
  ])
  const rows = await run(READ_STATE, [
    keys(streams),
    keys(lists.b),
    keys(lists.t),
    keys(lists.c),
    Buffer.concat(ids),
  ])
  const state = new LogState(EMPTY_POINT)
  for (const sequence of question.sequences) state.numbers.set(sequence, -1)
  for (const [at, stream] of question.streams.entries()) {
    state.streams.set(stream, { isDeleted: false })
    const key = streams[at]
    if (key) state.numbers.set(key, -1)
  }
  for (const row of rows) take(state, question, { ...lists, s: streams }, row)
  return state
}

type Lists = Readonly<Record<'s' | 'b' | 't' | 'c', readonly SequenceKey[]>>

const TOMBSTONE_KEY = keyOf(typeSequence(TOMBSTONE_TYPE))

function take(state: LogState, question: Question, lists: Lists, row: Row): void {
  const place = Number(row['place'])
  const number = Number(row['number'])
  const kind = row['kind'] as keyof Lists | 'h' | 'n' | 'i'
  if (kind === 'h') {
    const hash = (row['hash'] as Buffer).toString('hex') as EventHash
    state.point = { count: number, hash, createdAtMs: Number(row['time']) }
  } else if (kind === 'n') {
    state.numbers.set(streamsSequence, number)
  } else if (kind === 'i') {
    const [stream, eventId] = question.ids[place] ?? []
    state.events.set(`${stream}/${eventId}`, () => toProvenEvent({ ...row, position: number }))
  } else {
    const sequence = lists[kind][place]
    if (sequence) state.numbers.set(sequence, number)
    const stream = question.streams[place]
    if (kind !== 's' || stream === undefined) return
    const owner = row['owner'] as StreamState['owner'] | null
    const isDeleted = TOMBSTONE_KEY.equals(row['hash'] as Buffer)
    state.streams.set(stream, { ...(owner && { owner }), isDeleted })
  }
}
