/**
 * Files that a killed process left in the folder for temporary files.
 *
 * A live upload is written to all the time, so a file that was not written to for a day belongs to nobody.
 * They are swept when something is uploaded, because nobody runs maintenance on a shared host; `verify`
 * only names them.
 */
import { join } from 'node:path'
import type { Clock } from '../../domain/ports.ts'
import type { Disk } from './disk.ts'
import { discard } from './durable-write.ts'

const DAY_MS = 86_400_000

/** Paths of the files in `folder` that were not written to for a day. */
export function abandonedFiles(disk: Disk, folder: string, clock: Clock): string[] {
  const limit = clock.now() - DAY_MS
  return (disk.list(folder) ?? [])
    .map((name) => join(folder, name))
    .filter((path) => {
      const status = disk.status(path)
      return status !== undefined && status.kind !== 'folder' && status.modifiedMs < limit
    })
}

export function sweepTemporary(disk: Disk, folder: string, clock: Clock): void {
  for (const path of abandonedFiles(disk, folder, clock)) discard(disk, path)
}
