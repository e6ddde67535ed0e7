/** Stores the groups of an import: each in a transaction that holds the head of the log. */
import { scavengedCheck } from '../../domain/event.ts'
import type { ImportCount, LinkedEvent, Progress } from '../../domain/ports.ts'
import type { PlannedRow } from '../database/append-plan.ts'
import {
  importGroups,
  notWritten,
  planGroup,
  questionOfGroup,
  type Taken,
} from '../database/import-groups.ts'
import { HOLD_HEAD } from './appender.ts'
import type { Connection, Run, Statement } from './connection.ts'
import { readHead, readRuns } from './log-reads.ts'
import { readState } from './log-state.ts'
import { writeRows } from './row-writer.ts'

const DECLARE: Statement = {
  name: 'declare-removals',
  text: `UPDATE apie_event AS e SET scavenged = given.check_digits
    FROM unnest($1::bigint[], $2::text[]) AS given(position, check_digits)
    WHERE e.position = given.position`,
}

/** @throws AppError `import-refused` */
export async function importEvents(
  connection: Connection,
  events: AsyncIterable<LinkedEvent>,
  progress: Progress,
): Promise<ImportCount> {
  const { count: there } = await readHead(connection.read)
  const runs = readRuns(connection.read, 0, there, 'forwards')
  const write = (group: readonly Taken[]) => writeGroup(connection, group)
  return importGroups(events, { there, runs, write }, progress)
}

async function writeGroup(connection: Connection, group: readonly Taken[]): Promise<void> {
  await connection.transaction(async (run) => {
    await run(HOLD_HEAD)
    const state = await readState(run, questionOfGroup(group))
    const { rows, point } = planGroup(state, group)
    if (!(await writeRows(run, state.point, point, rows, true))) throw notWritten(group)
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
