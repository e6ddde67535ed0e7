/**
 * A first look at a folder that is to be imported, before anything is made for what it holds. Its messages
 * name the folder as it was given: they are for the command line alone.
 */
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import type { Disk } from './disk.ts'
import { layoutOf } from './layout.ts'

/** @throws AppError `import-refused` where there is no folder of the original layout that can be read */
export function checkOriginal(disk: Disk, folder: string): void {
  const names = listOf(disk, folder)
  if (names === undefined) {
    const isThere = disk.status(folder) !== undefined
    throw refusal(isThere ? `"${folder}" is no folder` : `There is no folder "${folder}"`)
  }
  if (isDataFolder(disk, folder)) {
    throw refusal(
      `"${folder}" is a data folder of apie: use "apie copy --from file:${folder} --to URL"`,
    )
  }
  const index = names.includes('index') ? 'index' : join('events', 'default', 'index')
  if (disk.status(join(folder, index)) === undefined) {
    throw refusal(`"${folder}" has neither "events/default/index" nor "index"`)
  }
}

function listOf(disk: Disk, folder: string): readonly string[] | undefined {
  try {
    return disk.list(folder)
  } catch (error) {
    const reason = error instanceof AppError ? error.facts['osCode'] : undefined
    if (reason === undefined) throw error
    throw refusal(`"${folder}" cannot be read (${reason})`, error)
  }
}

/** The `index` of the original layout is a file. */
function isDataFolder(disk: Disk, folder: string): boolean {
  const { format, events } = layoutOf(folder)
  return disk.status(format)?.kind === 'file' && disk.status(events.segments)?.kind === 'folder'
}

function refusal(message: string, cause?: unknown): AppError {
  return new AppError('import-refused', message, {}, cause)
}
