/** Data folders for tests, each in a folder of its own under the system's temporary one. */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { Disk } from '../../src/storage/file/disk.ts'
import { type OpenFolder, openFolder } from '../../src/storage/file/folder.ts'

/** Paths of new empty folders, mode 0700, that are removed after the test that asked for them. */
export function scratchFolders(): () => string {
  const made: string[] = []
  afterEach(() => {
    for (const path of made.splice(0)) fs.rmSync(path, { recursive: true, force: true })
  })
  return () => {
    const path = fs.mkdtempSync(join(tmpdir(), 'apie-test-'))
    made.push(path)
    return path
  }
}

/** Always 2020-01-01T00:00:00.000Z. */
export const fixedClock = { now: () => 1_577_836_800_000 }

/** A data folder that is made at `root` where it is missing. */
export async function makeDataFolder(disk: Disk, root: string): Promise<OpenFolder> {
  const options = { create: true, allowUnsafe: false, clock: fixedClock }
  const folder = await openFolder(disk, root, options)
  if (!folder) throw new Error('the data folder was not made')
  return folder
}

/** Permission bits of a file or folder, as `ls` and `chmod` write them. */
export function modeOf(path: string): string {
  return (fs.lstatSync(path).mode & 0o7777).toString(8)
}

/** Paths of everything below `root`, relative to it, sorted; folders end in `/`. */
export function tree(root: string): string[] {
  return fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name).slice(root.length + 1)
      return entry.isDirectory() ? `${path}/` : path
    })
    .sort()
}
