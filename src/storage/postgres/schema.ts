/** Which version of the schema a database has, and how it comes to the newest one. */
import { AppError } from '../../domain/app-error.ts'
import type { Connection, Row, Run, Statement } from './connection.ts'
import { MIGRATIONS } from './migrations.ts'

/** Version of the schema before and after. */
export type Migrated = { readonly from: number; readonly to: number }

const HAS_FORMAT: Statement = {
  name: 'has-format',
  text: `SELECT to_regclass('apie_format') IS NOT NULL AS found`,
}
const READ_FORMAT: Statement = {
  name: 'read-format',
  text: 'SELECT version FROM apie_format ORDER BY version',
}
const WRITE_FORMAT: Statement = {
  name: 'write-format',
  text: 'UPDATE apie_format SET version = $1::integer',
}
const DATABASE: Statement = {
  name: 'database',
  text: "SELECT current_setting('server_encoding') AS encoding, current_schema() AS schema",
}
/** Any number: whoever migrates at the same time takes the same one, and waits. */
const LOCK: Statement = { name: 'lock', text: 'SELECT pg_advisory_xact_lock(1634756965)' }

const NEWEST = MIGRATIONS.length

/** @throws AppError `format-unknown` where the schema is missing, older or newer */
export async function checkSchema(run: Run): Promise<void> {
  // Where there is none, the database says so, and that is translated.
  const version = await readVersion(run)
  refuseNewer(version)
  if (version < NEWEST) {
    const message = 'The schema of the database is older than this program; run "apie migrate"'
    throw new AppError('format-unknown', message, { found: version, known: NEWEST })
  }
}

/** @throws AppError `bad-setting` */
function refuseUnfit([database]: readonly Row[]): void {
  const encoding = database?.['encoding']
  const problem =
    encoding !== 'UTF8'
      ? `the database is encoded in ${encoding}, and must be in UTF8`
      : database?.['schema'] === null
        ? 'no schema of the search path is there; CREATE SCHEMA makes one'
        : undefined
  if (problem) throw new AppError('bad-setting', `store: ${problem}`, { setting: 'store' })
}

/** In one transaction: afterwards the schema is the newest one, or what it was. */
export function migrate(connection: Connection): Promise<Migrated> {
  return connection.transaction(async (run) => {
    await run(LOCK)
    refuseUnfit(await run(DATABASE))
    const [format] = await run(HAS_FORMAT)
    if (!format?.['found']) {
      await run({
        name: 'make-format',
        text: 'CREATE TABLE apie_format (version integer NOT NULL)',
      })
      await run({ name: 'first-format', text: 'INSERT INTO apie_format VALUES (0)' })
    }
    const from = await readVersion(run)
    refuseNewer(from)
    for (const [at, statements] of MIGRATIONS.entries()) {
      if (at < from) continue
      for (const [n, text] of statements.entries())
        await run({ name: `step-${at}-${n}`, text, isSlow: true })
    }
    await run(WRITE_FORMAT, [NEWEST])
    return { from, to: NEWEST }
  })
}

async function readVersion(run: Run): Promise<number> {
  const [row] = await run(READ_FORMAT)
  return Number(row?.['version'] ?? 0)
}

function refuseNewer(found: number): void {
  if (found <= NEWEST) return
  throw new AppError('format-unknown', 'The schema of the database is newer than this program', {
    found,
    known: NEWEST,
  })
}
