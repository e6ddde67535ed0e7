/** What `apie doctor` finds out about the store in a data folder: whether it can be opened, as the folder can. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AppError, type ErrorCode } from '../../domain/app-error.ts'
import type { CommandServices } from '../command.ts'
import { type Check, ok, problem, skipped } from './check.ts'

const NAME = 'store'

const FIXES: Partial<Readonly<Record<ErrorCode, string>>> = {
  'data-folder-unsafe': 'Set `data` (APIE_DATA) to an empty or a new folder.',
  'format-unknown':
    'Put the file "format" of this store back from a backup, or use the newest version of the program; for a' +
    ' new store set `data` (APIE_DATA) to another folder.',
  'log-damaged': 'Run "apie verify" to see where, and restore from a backup.',
  'index-behind': 'Run "apie reindex".',
}

/** @param folder one that is there */
export async function checkStore(
  { openStore }: Pick<CommandServices, 'openStore'>,
  folder: string,
): Promise<Check> {
  try {
    const store = await openStore('existing')
    try {
      const { count } = await store.log.head()
      return ok(NAME, `can be opened, and its log has ${count} events`)
    } finally {
      await store.close()
    }
  } catch (error) {
    return refused(error, folder)
  }
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
