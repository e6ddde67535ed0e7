/**
 * Takes in events that have their text and hash already, byte for byte. Each group is an append of its own:
 * an import that broke off goes on behind the last one.
 */
import { type EventId, type ParsedEvent, scavengedCheck } from '../../domain/event.ts'
import { checkLinkedEvent, refusedImport } from '../../domain/linked-event.ts'
import type { ImportCount, LinkedEvent, Progress } from '../../domain/ports.ts'
import type { SequenceKey } from '../../domain/sequence.ts'
import { Numbering, type PlannedRow } from '../database/append-plan.ts'
import { sequencesFor } from '../database/event-sequences.ts'
import type { LogPoint } from '../database/log-state.ts'
import { HOLD_HEAD } from './appender.ts'
import type { Connection, Run, Statement } from './connection.ts'
import { readHead, readRuns } from './log-reads.ts'
import { readState } from './log-state.ts'
import { writeRows } from './row-writer.ts'

const GROUP_BYTES = 1 << 20
const GROUP_EVENTS = 1000

const DECLARE: Statement = {
  name: 'declare-removals',
  text: `UPDATE apie_event AS e SET scavenged = given.check_digits
    FROM unnest($1::bigint[], $2::text[]) AS given(position, check_digits)
    WHERE e.position = given.position`,
}

type Taken = {
  readonly linked: LinkedEvent
  readonly event: ParsedEvent
  readonly position: number
}

/** @throws AppError `import-refused` */
export async function importEvents(
  connection: Connection,
  events: AsyncIterable<LinkedEvent>,
  progress: Progress,
): Promise<ImportCount> {
  const there = (await readHead(connection.read)).count
  const stored = eachEvent(connection, there)
  let position = 0
  let bytes = 0
  let group: Taken[] = []
  const flush = async () => {
    if (group.length > 0) await writeGroup(connection, group)
    group = []
    bytes = 0
    progress(position, position)
  }
  for await (const linked of events) {
    const event = checkLinkedEvent(linked, position)
    if (position < there) {
      const { value } = await stored.next()
      if (value?.hash !== linked.hash) throw refusedImport(position, 'is another')
    } else {
      group.push({ linked: { ...linked, json: Buffer.from(linked.json) }, event, position })
      bytes += linked.json.length
    }
    position++
    if (bytes > GROUP_BYTES || group.length >= GROUP_EVENTS) await flush()
    else if (position < there && position % GROUP_EVENTS === 0) progress(position, position)
  }
  await flush()
  return { imported: Math.max(0, position - there), alreadyThere: Math.min(position, there) }
}

async function* eachEvent(connection: Connection, count: number) {
  for await (const run of readRuns(connection.read, 0, count, 'forwards')) yield* run
}

async function writeGroup(connection: Connection, group: readonly Taken[]): Promise<void> {
  await connection.transaction(async (run) => {
    await run(HOLD_HEAD)
    const sequences = new Set<SequenceKey>(['n/' as SequenceKey])
    const streams = new Set<string>()
    for (const { event } of group) {
      const { streamType, type, category } = sequencesFor(event.stream, event.eventType)
      streams.add(event.stream)
      sequences.add(streamType).add(type)
      if (category) sequences.add(category)
    }
    const question = { streams: [...streams], sequences: [...sequences], ids: [] }
    const state = await readState(run, question)
    const [first] = group
    const isNext =
      state.point.count === first?.position && state.point.hash === first.linked.previous
    if (!isNext) throw refusedImport(first?.position ?? 0, 'does not follow the end of the log')
    const numbering = new Numbering(state)
    const rows = group.map((taken) => toRow(numbering, taken))
    if (!(await writeRows(run, state.point, pointBehind(state.point, group), rows, true))) {
      throw refusedImport(first.position, 'could not be written; run the import again')
    }
    await declareRemovals(run, rows)
  })
}

/** In the transaction of the rows: what is left of an event never stands there as if it were whole. */
async function declareRemovals(run: Run, rows: readonly PlannedRow[]): Promise<void> {
  const left = rows.filter(({ event }) => event.isScavenged)
  if (left.length === 0) return
  await run(DECLARE, [
    left.map(({ event }) => event.position),
    left.map(({ event }) => scavengedCheck(event.hash, event.json)),
  ])
}

function toRow(numbering: Numbering, { linked, event, position }: Taken): PlannedRow {
  const { hash, json, isScavenged } = linked
  return {
    event: { position, hash, json, ...(isScavenged && { isScavenged }) },
    eventId: event.eventId.toLowerCase() as EventId,
    ...numbering.next(event.stream, event.eventType),
    producer: event.producer,
  }
}

function pointBehind(from: LogPoint, group: readonly Taken[]): LogPoint {
  const times = group.map(({ event }) => Date.parse(event.createdAt) || 0)
  return {
    count: from.count + group.length,
    hash: group.at(-1)?.linked.hash ?? from.hash,
    createdAtMs: Math.max(from.createdAtMs, ...times),
  }
}
