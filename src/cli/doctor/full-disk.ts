/** What to do where there is no space left: which part of the data folder takes it, and what makes that part smaller. */
import fs from 'node:fs'
import { join } from 'node:path'
import { osCode } from './check.ts'

/** Whether a call failed because the disk or the quota is full. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(osCode(error))
}

/** What a person can do, with the sizes of what is in the folder where it can be looked at. */
export function spaceFix(folder: string): string {
  const advice =
    'Remove files of other programs, or ask for more space or a larger quota. Of the data folder itself: DELETE /storage/HASH removes' +
    ' a file from `content`, and "apie scavenge" takes from `log` what deleted events said (it needs room for a copy of one file of the log' +
    ' meanwhile). Remove nothing in the folder by hand.'
  const parts = sizesIn(folder)
  return parts === '' ? advice : `${folder} takes ${parts}. ${advice}`
}

const MOST_PARTS = 4
const MiB = 1024 * 1024

function sizesIn(folder: string): string {
  try {
    return fs
      .readdirSync(folder)
      .map((name) => ({ name, bytes: bytesBelow(join(folder, name)) }))
      .filter(({ bytes }) => bytes >= MiB / 10)
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, MOST_PARTS)
      .map(({ name, bytes }) => `${(bytes / MiB).toFixed(1)} MiB in ${name}`)
      .join(', ')
  } catch {
    return ''
  }
}

/** What it takes on the disk, which is more or less than the lengths of its files. */
function bytesBelow(path: string): number {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return 0
  const own = stat.blocks * 512
  if (!stat.isDirectory()) return own
  return fs.readdirSync(path).reduce((sum, name) => sum + bytesBelow(join(path, name)), own)
}
