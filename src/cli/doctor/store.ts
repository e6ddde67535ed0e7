/**
 * What `apie doctor` finds out about the store: whether it can be opened, in a data folder as the folder can, or
 * in a database that answers, holds the tables it should, and takes changes.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import type { Store } from '../../domain/ports.ts'
import { LEAST_TOKEN_LENGTH } from '../../domain/setup.ts'
import { DatabaseFailure } from '../../kit/database-failure.ts'
import { randomUuid } from '../../kit/uuid.ts'
import type { Settings } from '../../settings.ts'
import type { CommandServices } from '../command.ts'
import { counted } from '../counted.ts'
import { type Check, ok, osCode, problem, skipped, warning } from './check.ts'
import { checkMarks, FIXES, type Fixes, failed, lookAtAccounts, lookAtLog } from './opened.ts'

const NAME = 'store'

const FOLDER_FIXES: Fixes = {
  ...FIXES,
  'data-folder-unsafe': 'Set `data` (APIE_DATA) to an empty or a new folder.',
  'format-unknown':
    'Put the file "format" of this store back from a backup, or use the newest version of the program; for a' +
    ' new store set `data` (APIE_DATA) to another folder.',
}

const DATABASE_FIXES: Fixes = {
  'log-damaged': 'Run "apie verify" to see where, and restore from a backup.',
  'format-unknown': 'Run "apie migrate", with the newest version of the program.',
  'bad-setting': 'Write `store` (APIE_STORE) as docs/engines.md shows.',
}
const UNREACHED =
  'Compare host, port, user, password and TLS in `store` (APIE_STORE) with what the database expects.'

type Services = Pick<CommandServices, 'openStore'>

/** @param folder one that is there */
export async function checkStore(
  services: Services,
  folder: string,
  settings: Pick<Settings, 'setupToken'>,
): Promise<Check[]> {
  // Where another token is chosen nobody reads the file.
  const token = () => (settings.setupToken === '' ? checkSetupToken(folder) : [])
  try {
    return await withStore(services, async (store) => {
      const log = await checkLog(store).catch((error: unknown) => [refused(error)])
      const { count, check } = await lookAtAccounts(store)
      return [...log, check, ...(await checkMarks(store)), ...(count === 0 ? token() : [])]
    })
  } catch (error) {
    return isNone(error, folder)
      ? [ok(NAME, 'there is none yet; the first use makes it'), ...token()]
      : [refused(error)]
  }
}

async function checkLog({ log }: Store): Promise<Check[]> {
  const { count, lastTime } = await lookAtLog(log)
  const opened = ok(NAME, `can be opened, and its log has ${count} events`)
  return [opened, ...checkTimes(lastTime)]
}

export async function checkDatabase(services: Services, engine: string): Promise<Check[]> {
  const name = 'database'
  try {
    return await withStore(services, async (store) => {
      const { count, lastTime } = await lookAtLog(store.log)
      const answers = ok(name, `${engine}: answers, and its log has ${count} events`)
      const { check } = await lookAtAccounts(store)
      return [answers, check, await checkWrite(store), ...checkTimes(lastTime)]
    })
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const where = error.cause instanceof DatabaseFailure ? ` (${error.cause.message})` : ''
    const fix = DATABASE_FIXES[error.code] ?? UNREACHED
    return [problem(name, `${error.message}${where}`, fix)]
  }
}

async function withStore<T>({ openStore }: Services, look: (store: Store) => Promise<T>) {
  const store = await openStore('existing')
  try {
    return await look(store)
  } finally {
    await store.close()
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

const WRITE_FIXES: Fixes = {
  'storage-read-only':
    'Name the server that takes changes, not a standby, or lift default_transaction_read_only of the database or the role.',
  'storage-full': 'Give the database more room.',
}
const UNWRITTEN =
  'Let the role of `store` (APIE_STORE) change all tables or collections apie_… (SELECT, INSERT, UPDATE, DELETE), or name the role that made them.'

const MOST_AHEAD_MS = 5 * 60_000

const checkTimes = (lastTime: string | undefined): Check[] =>
  lastTime === undefined ? [] : [checkLastTime(lastTime, Date.now())]

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

/** Without an account, a token that is too short keeps everybody out: `apie serve` does not start with it. */
function checkSetupToken(folder: string): Check[] {
  const name = 'setup token'
  try {
    const path = join(folder, 'setup-token')
    if (!existsSync(path)) return []
    const { length } = readFileSync(path, 'utf8').trim()
    if (length >= LEAST_TOKEN_LENGTH)
      return [ok(name, `the file "setup-token" has ${counted(length, 'characters')}`)]
    return [
      problem(
        name,
        `the file "setup-token" has ${counted(length, 'characters')}; at least ${LEAST_TOKEN_LENGTH} are needed, and "apie serve" does not start`,
        `Remove it, and a new one is made: rm ${path}`,
      ),
    ]
  } catch (error) {
    const fix = 'Remove it, and a new one is made.'
    return [problem(name, `the file "setup-token" cannot be read (${osCode(error)})`, fix)]
  }
}

const isNone = (error: unknown, folder: string): boolean =>
  error instanceof AppError &&
  error.code === 'storage-unavailable' &&
  !existsSync(join(folder, 'format'))

function refused(error: unknown): Check {
  // The check of the folder's mode has told it, and what helps.
  const isMode = error instanceof AppError && error.facts['mode'] !== undefined
  if (isMode) return skipped(NAME, 'the mode of the folder comes first')
  return failed(NAME, error, FOLDER_FIXES)
}
