/**
 * What `apie doctor` finds out about the store: whether it can be opened, in a data folder as the folder can, or
 * in a database that answers, holds the tables it should, and takes changes.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, type ErrorCode } from '../../domain/app-error.ts'
import { parseStoredEvent } from '../../domain/event.ts'
import { readLastEvent } from '../../domain/last-event.ts'
import type { Store } from '../../domain/ports.ts'
import { DatabaseFailure } from '../../kit/database-failure.ts'
import { randomUuid } from '../../kit/uuid.ts'
import type { CommandServices } from '../command.ts'
import { type Check, ok, problem, skipped, warning } from './check.ts'

const NAME = 'store'

const FIXES: Partial<Readonly<Record<ErrorCode, string>>> = {
  'data-folder-unsafe': 'Set `data` (APIE_DATA) to an empty or a new folder.',
  'format-unknown':
    'Put the file "format" of this store back from a backup, or use the newest version of the program; for a' +
    ' new store set `data` (APIE_DATA) to another folder.',
  'log-damaged': 'Run "apie verify" to see where, and restore from a backup.',
  'index-behind': 'Run "apie reindex".',
  'index-damaged': 'Run "apie reindex".',
}

const DATABASE_FIXES: typeof FIXES = {
  'format-unknown': 'Run "apie migrate", with the newest version of the program.',
  'bad-setting': 'Write `store` (APIE_STORE) as docs/engines.md shows.',
}
const UNREACHED =
  'Compare host, port, user, password and TLS in `store` (APIE_STORE) with what the database expects.'

/** @param folder one that is there */
export async function checkStore(services: Services, folder: string): Promise<Check[]> {
  try {
    const { count, times } = await lookAtEnd(services)
    return [ok(NAME, `can be opened, and its log has ${count} events`), ...times]
  } catch (error) {
    return [refused(error, folder)]
  }
}

export async function checkDatabase(services: Services, engine: string): Promise<Check[]> {
  try {
    const { count, times, writes } = await lookAtEnd(services, checkWrite)
    const answers = ok('database', `${engine}: answers, and its log has ${count} events`)
    return [answers, ...writes, ...times]
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const where = error.cause instanceof DatabaseFailure ? ` (${error.cause.message})` : ''
    const fix = DATABASE_FIXES[error.code] ?? UNREACHED
    return [problem('database', `${error.message}${where}`, fix)]
  }
}

/**
 * A role that may only read, or a database that takes no changes, shows with a write alone: a record that nobody
 * looks for, which is removed at once.
 */
async function checkWrite({ records }: Store): Promise<Check> {
  const name = 'database writes'
  const collection = 'doctor'
  try {
    const { key, revision } = await records.write(collection, randomUuid(), true, 'absent')
    await records.remove(collection, key, revision)
    return ok(name, 'a record was made and removed')
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return problem(name, error.message, WRITE_FIXES[error.code] ?? UNWRITTEN)
  }
}

const WRITE_FIXES: typeof FIXES = {
  'storage-read-only':
    'Name the server that takes changes, not a standby, or lift default_transaction_read_only of the database or the role.',
  'storage-full': 'Give the database more room.',
}
const UNWRITTEN =
  'Let the role of `store` (APIE_STORE) change all tables or collections apie_… (SELECT, INSERT, UPDATE, DELETE), or name the role that made them.'

const MOST_AHEAD_MS = 5 * 60_000

type Services = Pick<CommandServices, 'openStore'>

/** @param look besides, at the open store */
async function lookAtEnd({ openStore }: Services, look?: (store: Store) => Promise<Check>) {
  const store = await openStore('existing')
  try {
    const { count, event } = await readLastEvent(store.log)
    const times = event ? [checkLastTime(parseStoredEvent(event).createdAt, Date.now())] : []
    return { count, times, writes: look ? [await look(store)] : [] }
  } finally {
    await store.close()
  }
}

/** The times of a log never go back: while the clock was ahead, it left a mark that stays for as long. */
export function checkLastTime(createdAt: string, now: number): Check {
  const name = 'time of the last event'
  const aheadMs = Date.parse(createdAt) - now
  // An imported event may say anything.
  if (!(aheadMs > MOST_AHEAD_MS)) return ok(name, createdAt)
  return warning(
    name,
    `${createdAt} is ${Math.round(aheadMs / 60_000)} minutes ahead of the clock of this machine; new events get the same createdAt until it is over`,
    'Correct the clock of the machine that is wrong, this one or the one that wrote. Order and hashes are right all the same.',
  )
}

function refused(error: unknown, folder: string): Check {
  const { message } = error as Error
  if (!(error instanceof AppError)) return problem(NAME, message, 'See the log of the program.')
  if (error.code === 'storage-unavailable' && !existsSync(join(folder, 'format'))) {
    return ok(NAME, 'there is none yet; the first use makes it')
  }
  // The check of the folder's mode has told it, and what helps.
  if (error.facts['mode'] !== undefined) return skipped(NAME, 'the mode of the folder comes first')
  const fix = FIXES[error.code] ?? `See docs/errors.md under "${error.code}".`
  return problem(NAME, message, fix)
}
