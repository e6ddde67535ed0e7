/**
 * As which user of the machine a command works. Whatever root makes in somebody's data folder is of no use to
 * the web server that runs the program as that somebody, and a folder that others can write is no place for
 * the rights of root. So root becomes the owner of the folder before it is opened, and stays it.
 */
import fs from 'node:fs'
import { dirname } from 'node:path'

/**
 * Gives the rights of root up where the data folder, or the nearest folder above one that is missing, belongs to
 * somebody else. For every other user it does nothing.
 */
export function workAsOwnerOf(folder: string): void {
  if (process.geteuid?.() !== 0) return
  const { uid, gid } = ownerOf(folder)
  if (uid === 0) return
  process.setgroups?.([gid])
  process.setgid?.(gid)
  process.setuid?.(uid)
}

/** Whether a folder that is missing would be one of root. */
export function isRootsNewFolder(folder: string): boolean {
  return process.geteuid?.() === 0 && !fs.existsSync(folder) && ownerOf(folder).uid === 0
}

function ownerOf(folder: string): { readonly uid: number; readonly gid: number } {
  const stat = fs.statSync(folder, { throwIfNoEntry: false })
  return stat ?? ownerOf(dirname(folder))
}
