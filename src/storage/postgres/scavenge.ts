/**
 * Takes bodies out of the rows of events. Rows are locked in the order of positions, so that two who do it at
 * once wait for each other and never in a circle; nobody who reads or appends waits for them.
 */
import { AppError } from '../../domain/app-error.ts'
import type { DropRule, Progress, ScavengeReport } from '../../domain/ports.ts'
import { type Remove, scavengeRuns } from '../database/scavenge.ts'
import type { Connection, Statement } from './connection.ts'
import { readHead, readRuns } from './log-reads.ts'

const REMOVE: Statement = {
  name: 'remove-bodies',
  text: `UPDATE apie_event AS e SET json = convert_to(due.left_text, 'UTF8'), scavenged = due.left_check
    FROM (
      SELECT whole.position, given.left_text, given.left_check
      FROM unnest($1::bigint[], $2::text[], $3::text[]) AS given(position, left_text, left_check),
        apie_event AS whole
      WHERE whole.position = given.position AND whole.scavenged IS NULL
      ORDER BY whole.position FOR UPDATE OF whole) AS due
    WHERE e.position = due.position RETURNING e.position`,
}
/** Makes room of what the bodies took; else the database does it when it sees fit. */
const VACUUM: Statement = { name: 'vacuum', text: 'VACUUM apie_event', isSlow: true }

export async function scavengeLog(
  { read, change }: Connection,
  drop: DropRule,
  progress: Progress,
): Promise<ScavengeReport> {
  const remove: Remove = async (removals) => {
    const rows = await change(REMOVE, [
      removals.map(({ position }) => position),
      removals.map(({ text }) => text),
      removals.map(({ check }) => check),
    ])
    return rows.map((row) => Number(row['position']))
  }
  const { count } = await readHead(read)
  const runs = readRuns(read, 0, count, 'forwards')
  const report = await scavengeRuns(runs, count, { drop, remove, progress })
  if (report.removed > 0) await change(VACUUM).catch(ignoreBusy)
  return report
}

/** Somebody else makes room already. */
function ignoreBusy(error: unknown): void {
  if (!(error instanceof AppError) || error.code !== 'lock-timeout') throw error
}
