/**
 * Which data folder or database a failure is about, and who looked at it. The messages themselves name
 * none of them, since they are also answers to clients; here the one who asks owns the machine.
 */
import fs from 'node:fs'
import type { AppError, ErrorCode } from '../domain/app-error.ts'
import { DatabaseFailure } from '../kit/database-failure.ts'
import { systemUser } from './system-user.ts'

const ABOUT_THE_FOLDER: readonly ErrorCode[] = [
  'storage-full',
  'storage-read-only',
  'storage-unavailable',
  'data-folder-unsafe',
  'format-unknown',
  'lock-timeout',
  'index-behind',
  'index-damaged',
  'log-damaged',
]

/**
 * Lines for standard error; empty where the failure is not about a data folder or a database.
 * @param store as in the settings: the one that was opened last, if any
 */
export function placeText({ code, cause }: AppError, store: string | undefined): string {
  if (cause instanceof DatabaseFailure) return `      ${cause.message}\n`
  if (!ABOUT_THE_FOLDER.includes(code) || !store?.startsWith('file:')) return ''
  const folder = store.slice('file:'.length)
  return `      data folder: ${folder} (${stateOf(folder)}); this runs as user ${systemUser(process.geteuid?.() ?? 0)}\n`
}

function stateOf(folder: string): string {
  try {
    const stat = fs.statSync(folder, { throwIfNoEntry: false })
    if (!stat) return 'not there'
    const mode = (stat.mode & 0o777).toString(8).padStart(3, '0')
    return `of user ${systemUser(stat.uid)}, mode ${mode}`
  } catch (error) {
    return `cannot be looked at: ${(error as NodeJS.ErrnoException).code ?? 'no reason'}`
  }
}
