/** The queries of those who read the log. Each is one index scan that ends where its page does. */
import {
  EMPTY_HASH,
  type EventHash,
  type EventId,
  type Position,
  type StoredEvent,
} from '../../domain/event.ts'
import type {
  LogHead,
  ReadDirection,
  SequenceEvent,
  SequenceHead,
  StreamState,
} from '../../domain/ports.ts'
import type { SequenceKey } from '../../domain/sequence.ts'
import { streamSequence } from '../../domain/sequence.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import type { Run, Statement } from './connection.ts'
import { readState } from './log-state.ts'
import { EVENT_COLUMNS, toStoredEvent } from './rows.ts'
import { COLUMNS, eventKey, type Kind, keyOf, kindOf } from './sequences.ts'

/** Most events, and about the most bytes of them, that one query brings. */
const PAGE_EVENTS = 1000
const PAGE_BYTES = 4 << 20

const HEAD: Statement = { name: 'head', text: 'SELECT count, hash FROM apie_head ORDER BY id' }

const READ: Statement = {
  name: 'read',
  text: `SELECT ${EVENT_COLUMNS} FROM apie_event WHERE position = $1::bigint ORDER BY position`,
}
const BY_HASH: Statement = {
  name: 'by-hash',
  text: 'SELECT position FROM apie_event WHERE hash = $1::bytea ORDER BY position LIMIT 1',
}
const BY_ID: Statement = {
  name: 'by-id',
  text: `SELECT ${EVENT_COLUMNS} FROM apie_event
    WHERE event_key = $1::bytea AND stream_key = $2::bytea ORDER BY position DESC LIMIT 1`,
}
const BY_ID_ANYWHERE: Statement = {
  name: 'by-id-anywhere',
  text: `SELECT position FROM apie_event WHERE event_key = $1::bytea
    ORDER BY event_key DESC, stream_key DESC, position DESC LIMIT 1`,
}

type Statements = Readonly<Record<'head' | 'number' | ReadDirection, Statement>>

/** Of pages: `$1` key, `$2` number to begin with, `$3` most events, `$4` most bytes. */
function statementsOf(kind: Kind): Statements {
  const { key, number } = COLUMNS[kind]
  const member =
    key === undefined ? `$1::bytea IS NOT NULL AND ${number} IS NOT NULL` : `${key} = $1::bytea`
  const page = (limit: string, order: string) =>
    pageOf(number, `${member} AND ${number} ${limit} $2::bigint`, order)
  return {
    head: {
      name: `head-${kind}`,
      text: `SELECT ${number} AS number, position FROM apie_event WHERE ${member}
        ORDER BY ${number} DESC LIMIT 1`,
    },
    number: {
      name: `number-${kind}`,
      text: `SELECT ${number} AS number FROM apie_event WHERE position = $1::bigint ORDER BY position`,
    },
    forwards: { name: `forwards-${kind}`, text: page('>=', 'ASC') },
    backwards: { name: `backwards-${kind}`, text: page('<=', 'DESC') },
  }
}

/** The first of a page whatever its size, and what fits behind it. */
const pageOf = (number: string, where: string, order: string): string => `
  SELECT number, ${EVENT_COLUMNS} FROM (
    SELECT number, position, hash, json, scavenged,
      sum(octet_length(json)) OVER (ORDER BY number ${order}) - octet_length(json) AS before
    FROM (
      SELECT ${number} AS number, position, hash, json, scavenged FROM apie_event WHERE ${where}
      ORDER BY ${number} ${order} LIMIT $3::bigint) AS page) AS sized
  WHERE before < $4::bigint ORDER BY number ${order}`

const SEQUENCES: Readonly<Record<Kind, Statements>> = {
  s: statementsOf('s'),
  b: statementsOf('b'),
  t: statementsOf('t'),
  c: statementsOf('c'),
  n: statementsOf('n'),
}

const LOG_FORWARDS: Statement = {
  name: 'log-forwards',
  text: pageOf('position', 'position >= $1::bigint AND position < $2::bigint', 'ASC'),
}
const LOG_BACKWARDS: Statement = {
  name: 'log-backwards',
  text: pageOf('position', 'position >= $1::bigint AND position < $2::bigint', 'DESC'),
}

export async function readHead(run: Run): Promise<LogHead> {
  const [row] = await run(HEAD)
  return {
    count: Number(row?.['count'] ?? 0),
    hash: row ? ((row['hash'] as Buffer).toString('hex') as EventHash) : EMPTY_HASH,
  }
}

export async function readPosition(run: Run, position: Position): Promise<StoredEvent | undefined> {
  if (!Number.isSafeInteger(position)) return undefined
  const [row] = await run(READ, [position])
  return row && toStoredEvent(row)
}

async function position(run: Run, statement: Statement, values: readonly unknown[]) {
  const [row] = await run(statement, values)
  return row && Number(row['position'])
}

export const findHash = (run: Run, hash: EventHash): Promise<Position | undefined> =>
  position(run, BY_HASH, [Buffer.from(hash, 'hex')])

export async function findEventId(
  run: Run,
  stream: StreamName,
  eventId: EventId,
): Promise<StoredEvent | undefined> {
  const [row] = await run(BY_ID, [eventKey(eventId), keyOf(streamSequence(stream))])
  return row && toStoredEvent(row)
}

export const findEventIdAnywhere = (run: Run, eventId: EventId): Promise<Position | undefined> =>
  position(run, BY_ID_ANYWHERE, [eventKey(eventId)])

export async function readStreamState(run: Run, stream: StreamName): Promise<StreamState> {
  const state = await readState(run, { streams: [stream], sequences: [], ids: [] })
  return state.streams.get(stream) ?? { isDeleted: false }
}

export async function readSequenceHead(
  run: Run,
  sequence: SequenceKey,
): Promise<SequenceHead | undefined> {
  const [row] = await run(SEQUENCES[kindOf(sequence)].head, [keyOf(sequence)])
  return row && { number: Number(row['number']), position: Number(row['position']) }
}

export async function readSequenceNumber(
  run: Run,
  sequence: SequenceKey,
  position: Position,
): Promise<number> {
  const [row] = await run(SEQUENCES[kindOf(sequence)].number, [position])
  return Number(row?.['number'] ?? -1)
}

export async function readPage(
  run: Run,
  sequence: SequenceKey,
  from: number,
  direction: ReadDirection,
  limit: number,
): Promise<readonly SequenceEvent[]> {
  const start = Math.min(Math.max(from, direction === 'forwards' ? 0 : -1), Number.MAX_SAFE_INTEGER)
  const most = Math.min(limit, PAGE_EVENTS)
  if (most <= 0) return []
  const statement = SEQUENCES[kindOf(sequence)][direction]
  const rows = await run(statement, [keyOf(sequence), start, most, PAGE_BYTES])
  return rows.map((row) => ({ number: Number(row['number']), event: toStoredEvent(row) }))
}

/** @param to exclusive */
export async function* readRuns(
  run: Run,
  from: Position,
  to: Position,
  direction: ReadDirection,
): AsyncGenerator<readonly StoredEvent[]> {
  const statement = direction === 'forwards' ? LOG_FORWARDS : LOG_BACKWARDS
  let start = Math.max(0, from)
  let end = Math.min(to, Number.MAX_SAFE_INTEGER)
  while (start < end) {
    const rows = await run(statement, [start, end, PAGE_EVENTS, PAGE_BYTES])
    const events = rows.map(toStoredEvent)
    const last = events.at(-1)
    if (!last) return
    yield events
    if (direction === 'forwards') start = last.position + 1
    else end = last.position
  }
}
