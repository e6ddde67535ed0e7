/** Recomputes what the log of a database says: chain, keys and numbers. Reads everything once, changes nothing. */
import { EMPTY_HASH, type EventId, type ParsedEvent, parseStoredEvent } from '../../domain/event.ts'
import type { Progress, VerifyReport } from '../../domain/ports.ts'
import { linkProblem } from '../database/event-link.ts'
import { sequencesFor } from '../database/event-sequences.ts'
import { Findings, MOST_FINDINGS } from '../database/findings.ts'
import type { Row, Run, Statement } from './connection.ts'
import { readHead } from './log-reads.ts'
import { EVENT_COLUMNS, toStoredEvent } from './rows.ts'
import { COLUMNS, eventKey, keyOf } from './sequences.ts'

const PAGE = 500

const ROWS: Statement = {
  name: 'verify-rows',
  text: `SELECT ${EVENT_COLUMNS}, event_key, stream_key, stream_type_key, type_key, category_key, producer
    FROM apie_event WHERE position >= $1::bigint AND position < $2::bigint ORDER BY position LIMIT $3::bigint`,
}

/** Events whose number is not how many of their sequence come before them. */
const WRONG_NUMBERS: readonly Statement[] = Object.entries(COLUMNS).map(
  ([kind, { key, number }]) => ({
    name: `verify-numbers-${kind}`,
    text: `SELECT position FROM (
      SELECT position, ${number} AS number,
        row_number() OVER (PARTITION BY ${key ?? '1::integer'} ORDER BY position) - 1 AS expected
      FROM apie_event WHERE position < $1::bigint AND ${key ?? number} IS NOT NULL) AS numbered
    WHERE number IS DISTINCT FROM expected ORDER BY position LIMIT $2::bigint`,
    isSlow: true,
  }),
)

const EXTRA_STREAMS: Statement = {
  name: 'verify-streams',
  text: `SELECT position FROM apie_event
    WHERE position < $1::bigint AND (version = 0) <> (streams_number IS NOT NULL)
    ORDER BY position LIMIT $2::bigint`,
  isSlow: true,
}

export async function verifyLog(run: Run, progress: Progress): Promise<VerifyReport> {
  const head = await readHead(run)
  const findings = new Findings()
  const find = findings.damage
  const last = await verifyRows(run, head.count, find, progress)
  if (last.count !== head.count || last.hash !== head.hash) {
    find('The head does not name the last event', head.count, head.hash)
  }
  for (const statement of [...WRONG_NUMBERS, EXTRA_STREAMS]) {
    for (const { position } of await run(statement, [head.count, MOST_FINDINGS + 1])) {
      find('The number of the event in a sequence is wrong', Number(position))
    }
  }
  const { count: events, scavenged } = last
  return findings.report({ events, ...(scavenged > 0 && { scavenged }) })
}

type Find = Findings['damage']

async function verifyRows(run: Run, count: number, find: Find, progress: Progress) {
  let position = 0
  let hash = EMPTY_HASH
  let scavenged = 0
  for (;;) {
    const rows = await run(ROWS, [position, count, PAGE])
    for (const row of rows) {
      const event = toStoredEvent(row)
      if (event.position !== position) find('An event is missing before this one', event.position)
      const problem = linkProblem(hash, event, row['scavenged'] as string | undefined)
      if (problem) find(problem, event.position, event.hash)
      if (event.isScavenged) scavenged++
      if (!isIndexed(row, event)) find('The keys of the event are wrong', event.position)
      hash = event.hash
      position = event.position + 1
    }
    progress(position, count)
    if (rows.length === 0) return { count: position, hash, scavenged }
  }
}

function isIndexed(row: Row, stored: Parameters<typeof parseStoredEvent>[0]): boolean {
  let event: ParsedEvent
  try {
    event = parseStoredEvent(stored)
  } catch {
    return false
  }
  const { stream, streamType, type, category } = sequencesFor(event.stream, event.eventType)
  const isKey = (name: string, key: Buffer) =>
    key.equals((row[name] as Buffer | null) ?? Buffer.of())
  return (
    isKey('event_key', eventKey(event.eventId.toLowerCase() as EventId)) &&
    isKey('stream_key', keyOf(stream)) &&
    isKey('stream_type_key', keyOf(streamType)) &&
    isKey('type_key', keyOf(type)) &&
    (category === undefined
      ? row['category_key'] === null
      : isKey('category_key', keyOf(category))) &&
    (row['producer'] ?? undefined) === event.producer
  )
}
