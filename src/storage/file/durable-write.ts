/**
 * The one way to make a whole small file durable: it appears complete under its name, or not at all.
 * What is appended to is `segment.ts`; large uploads use `writeTemporary` for the part up to the sync.
 *
 * Every file is written under a random name that nobody can guess or have planted, in a folder of the same
 * file system. What a killed process leaves there is invisible, and removed by `temporary-files.ts`.
 */
import { dirname, join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import { randomHex } from '../../kit/random.ts'
import type { Disk, Fd } from './disk.ts'

/**
 * Replaces the file at `path`, or makes it:
 * 1. temporary file, mode 0600, written and synced; a crash leaves the old file and a stray temporary one
 * 2. renamed to `path`; a crash leaves the old or the new file, each of them whole
 * 3. folder synced: the new file is what a loss of power leaves
 * @param temporary folder for the temporary file
 */
export async function replaceFile(
  disk: Disk,
  temporary: string,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const from = await writeTemporary(disk, temporary, (fd) => disk.writeMuch(fd, bytes))
  try {
    disk.rename(from, path)
  } catch (error) {
    discard(disk, from)
    throw error
  }
  await disk.syncFolder(dirname(path))
}

/**
 * Makes the file at `path` unless there is one; of several processes exactly one makes it.
 * 1. temporary file, mode 0600, written and synced; a crash leaves a stray temporary file
 * 2. linked to `path`, which fails where something is there; a crash leaves the file under both names
 * 3. folder synced, also where another process made the link and may not have come that far
 * 4. temporary name removed
 * @returns false where something was there already; it is left as it is
 */
export async function publishNew(
  disk: Disk,
  temporary: string,
  path: string,
  bytes: Uint8Array,
): Promise<boolean> {
  const from = await writeTemporary(disk, temporary, (fd) => disk.writeMuch(fd, bytes))
  try {
    const isNew = disk.link(from, path)
    await disk.syncFolder(dirname(path))
    return isNew
  } finally {
    discard(disk, from)
  }
}

/**
 * A new file under a random name, filled by `fill` and synced. Where anything fails it is removed.
 * @returns its path
 */
export async function writeTemporary(
  disk: Disk,
  folder: string,
  fill: (fd: Fd) => void | Promise<void>,
): Promise<string> {
  const path = join(folder, randomHex(16))
  const fd = disk.create(path)
  if (fd === undefined) throw new AppError('storage-unavailable', 'A random name was taken already')
  try {
    try {
      await fill(fd)
      await disk.syncData(fd)
    } finally {
      disk.close(fd)
    }
  } catch (error) {
    discard(disk, path)
    throw error
  }
  return path
}

/** Removes a temporary file if that is possible; what stays is only space, and swept later. */
export function discard(disk: Disk, path: string): void {
  try {
    disk.unlink(path)
  } catch {
    // The outcome of the write is decided already and must not be hidden by this.
  }
}
