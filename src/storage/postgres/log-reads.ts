/**
 * The queries of those who read the log. Each is one index scan that ends where its page does. What they bring
 * is proven by the chain before anybody gets it, and what they should have brought is missed.
 */
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
import { damagedEvent } from '../database/event-link.ts'
import { gapIn, wholeRuns } from '../database/whole-pages.ts'
import type { Row, Run, Statement } from './connection.ts'
import { readState } from './log-state.ts'
import { EVENT_COLUMNS, PREVIOUS, toProvenEvent, toProvenEvents } from './rows.ts'
import { COLUMNS, eventKey, type Kind, keyOf, kindOf } from './sequences.ts'

/** Most events, and about the most bytes of them, that one query brings. */
const PAGE_EVENTS = 1000
const PAGE_BYTES = 4 << 20

const HEAD: Statement = { name: 'head', text: 'SELECT count, hash FROM apie_head ORDER BY id' }

const READ: Statement = {
  name: 'read',
  text: `SELECT ${EVENT_COLUMNS}, ${PREVIOUS} AS previous FROM apie_event AS e
    WHERE position = $1::bigint ORDER BY position`,
}
const BY_HASH: Statement = {
  name: 'by-hash',
  text: 'SELECT position FROM apie_event WHERE hash = $1::bytea ORDER BY position LIMIT 1',
}
const BY_ID: Statement = {
  name: 'by-id',
  text: `SELECT ${EVENT_COLUMNS}, ${PREVIOUS} AS previous FROM apie_event AS e
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
  const page = (limit: string, direction: ReadDirection, more?: string) =>
    pageOf(number, `${member} AND ${number} ${limit} $2::bigint`, direction, more)
  const above = `SELECT ${number} FROM apie_event
    WHERE ${member} AND ${number} > $2::bigint ORDER BY ${number} LIMIT 1`
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
    forwards: { name: `forwards-${kind}`, text: page('>=', 'forwards') },
    backwards: {
      name: `backwards-${kind}`,
      text: page('<=', 'backwards', `, (${above}) AS above`),
    },
  }
}

/**
 * The first of a page whatever its size, and what fits behind it. `previous` is NULL where the event before stands
 * beside it in the page, which goes on behind those up to which it has less than `$4` bytes.
 */
function pageOf(number: string, where: string, direction: ReadDirection, more = ''): string {
  const [order, beside] = direction === 'forwards' ? ['ASC', 'lag'] : ['DESC', 'lead']
  return `
  SELECT number, ${EVENT_COLUMNS}, CASE
      WHEN beside = position - 1 AND through < $4::bigint THEN NULL
      ELSE ${PREVIOUS} END AS previous${more}
  FROM (
    SELECT number, position, hash, json, scavenged, ${beside}(position) OVER by_number AS beside,
      sum(octet_length(json)) OVER by_number AS through
    FROM (
      SELECT ${number} AS number, position, hash, json, scavenged FROM apie_event WHERE ${where}
      ORDER BY ${number} ${order} LIMIT $3::bigint) AS page
    WINDOW by_number AS (ORDER BY number ${order})) AS e
  WHERE through - octet_length(json) < $4::bigint ORDER BY number ${order}`
}

const SEQUENCES: Readonly<Record<Kind, Statements>> = {
  s: statementsOf('s'),
  b: statementsOf('b'),
  t: statementsOf('t'),
  c: statementsOf('c'),
  n: statementsOf('n'),
}

const LOG_FORWARDS: Statement = {
  name: 'log-forwards',
  text: pageOf('position', 'position >= $1::bigint AND position < $2::bigint', 'forwards'),
}
const LOG_BACKWARDS: Statement = {
  name: 'log-backwards',
  text: pageOf('position', 'position >= $1::bigint AND position < $2::bigint', 'backwards'),
}

export async function readHead(run: Run): Promise<LogHead> {
  const [row] = await run(HEAD)
  return {
    count: Number(row?.['count'] ?? 0),
    hash: row ? ((row['hash'] as Buffer).toString('hex') as EventHash) : EMPTY_HASH,
  }
}

export async function readPosition(run: Run, position: Position): Promise<StoredEvent | undefined> {
  if (!Number.isSafeInteger(position) || position < 0) return undefined
  const [row] = await run(READ, [position])
  if (row) return toProvenEvent(row)
  if (position >= (await readHead(run)).count) return undefined
  // It may have come meanwhile; now it has to be there.
  const [again] = await run(READ, [position])
  if (!again) throw damagedEvent(position)
  return toProvenEvent(again)
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
  return row && toProvenEvent(row)
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
  // Backwards, a page may be asked for from beyond the end on.
  const isBeyond = direction === 'backwards' && rows[0]?.['above'] === null
  const numbers = numbersOf(rows)
  const gap = gapIn(numbers, isBeyond ? Number(numbers[0]) : start, direction)
  if (gap >= 0) throw damagedEvent(Number(rows[gap]?.['position']))
  const events = toProvenEvents(rows, direction)
  return events.map((event, at) => ({ number: numbers[at] as number, event }))
}

/** @param to exclusive */
export function readRuns(
  run: Run,
  from: Position,
  to: Position,
  direction: ReadDirection,
): AsyncGenerator<readonly StoredEvent[]> {
  const statement = direction === 'forwards' ? LOG_FORWARDS : LOG_BACKWARDS
  const pageOf = async (start: Position, end: Position) => {
    const rows = await run(statement, [start, end, PAGE_EVENTS, PAGE_BYTES])
    return { positions: numbersOf(rows), events: () => toProvenEvents(rows, direction) }
  }
  const countOf = async () => (await readHead(run)).count
  return wholeRuns(pageOf, countOf, from, to, direction)
}

const numbersOf = (rows: readonly Row[]): number[] => rows.map((row) => Number(row['number']))
