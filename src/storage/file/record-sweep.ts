/** Removes the generations of the records (`record-generations.ts`) that were left. */
import { join } from 'node:path'
import type { Disk } from './disk.ts'
import { begunPath, type Layout } from './layout.ts'

/**
 * Removes all generations before `current`; the last that was in use only where `current` has begun before `limitMs`.
 * Each is renamed first, so that nobody finds half of one; what a killed process left is removed by the next.
 * @returns whether something is left to remove later
 */
export function sweepGenerations(
  disk: Disk,
  { recordsFolder }: Layout,
  current: number,
  limitMs: number,
): boolean {
  if (current === 0) return false
  const begun = (number: number) => disk.status(begunPath({ recordsFolder }, number))
  const sinceMs = begun(current)?.modifiedMs
  const isOver = sinceMs !== undefined && sinceMs < limitMs
  const names = disk.list(recordsFolder) ?? []
  const before = names.map((name) => numberOf(name) ?? -1).filter((number) => number < current)
  const hasBegun = (number: number) => begun(number) !== undefined
  const lastBefore = Math.max(0, ...before.filter(hasBegun))
  let isLeft = false
  for (const name of names) {
    const number = numberOf(name)
    if (number === undefined || number >= current) continue
    if (number === lastBefore && !isOver) isLeft = true
    else
      removeAll(disk, number < 0 ? join(recordsFolder, name) : setAside(disk, recordsFolder, name))
  }
  return isLeft
}

/** Which generation a name belongs to; -1: it was set aside. */
function numberOf(name: string): number | undefined {
  if (name.startsWith('old-')) return -1
  if (name === 'log' || name === 'index') return 0
  return /^[1-9][0-9]*$/.test(name) ? Number(name) : undefined
}

/** Removes a generation that nobody has begun. */
export function discardGeneration(disk: Disk, { recordsFolder }: Layout, number: number): void {
  removeAll(disk, setAside(disk, recordsFolder, String(number)))
}

function setAside(disk: Disk, folder: string, name: string): string {
  const path = join(folder, `old-${name}`)
  removeAll(disk, path)
  disk.rename(join(folder, name), path)
  return path
}

function removeAll(disk: Disk, path: string): void {
  const status = disk.status(path)
  if (!status) return
  if (status.kind !== 'folder') {
    disk.unlink(path)
    return
  }
  for (const name of disk.list(path) ?? []) removeAll(disk, join(path, name))
  disk.removeFolder(path)
}
