/** What the file system below the data folder is and how much it still takes. */
import fs from 'node:fs'
import { type Check, ok, problem, warning } from './check.ts'
import { spaceFix } from './full-disk.ts'

/** Numbers of statfs(2) and what to think of them; others are local as far as is known. */
const TYPES: Readonly<Record<number, { readonly name: string; readonly caution?: string }>> = {
  26985: { name: 'NFS', caution: 'network' },
  4283649346: { name: 'CIFS', caution: 'network' },
  4266872130: { name: 'SMB2', caution: 'network' },
  20859: { name: 'SMB', caution: 'network' },
  1702057286: { name: 'FUSE', caution: 'fuse' },
  16914836: { name: 'tmpfs', caution: 'memory' },
  2035054128: { name: 'overlay' },
  61267: { name: 'ext4' },
  1481003842: { name: 'XFS' },
  2435016766: { name: 'Btrfs' },
  801189825: { name: 'ZFS' },
}

const CAUTIONS: Readonly<Record<string, readonly [string, string]>> = {
  network: [
    'a network file system: appends of several hosts may overwrite each other',
    'Let one host alone write, or put the data folder on a local disk.',
  ],
  fuse: [
    'a file system in user space: whether a sync reaches the disk depends on what is behind it',
    'Put the data folder on a local disk.',
  ],
  memory: ['in memory: everything is gone after a restart', 'Put the data folder on a disk.'],
}

const MiB = 1024 * 1024
const LEAST_BYTES = 256 * MiB
const LEAST_INODES = 1000

/** The three answers of statfs(2) that matter. */
export type FileSystem = {
  readonly type: number
  readonly freeBytes: number
  readonly inodes: number
  readonly freeInodes: number
}

export function fileSystemOf(folder: string): FileSystem {
  const stat = fs.statfsSync(folder)
  return {
    type: stat.type,
    freeBytes: stat.bavail * stat.bsize,
    inodes: stat.files,
    freeInodes: stat.ffree,
  }
}

/** @param folder the data folder, which may be missing */
export function checkFileSystem(system: FileSystem, folder: string): Check[] {
  return [checkType(system.type), checkSpace(system.freeBytes, folder), checkInodes(system)]
}

function checkType(type: number): Check {
  const { name, caution } = TYPES[type >>> 0] ?? { name: `type 0x${(type >>> 0).toString(16)}` }
  const [message, fix] = (caution !== undefined && CAUTIONS[caution]) || []
  if (message === undefined || fix === undefined) return ok('file system', name)
  return warning('file system', `${name}, ${message}`, fix)
}

function checkSpace(bytes: number, folder: string): Check {
  const message = `${Math.floor(bytes / MiB)} MiB free (a quota may be lower)`
  if (bytes >= LEAST_BYTES) return ok('free space', message)
  const fix = spaceFix(folder)
  return bytes < MiB ? problem('free space', message, fix) : warning('free space', message, fix)
}

function checkInodes({ inodes, freeInodes }: FileSystem): Check {
  if (inodes === 0) return ok('free inodes', 'this file system does not count them')
  const message = `${freeInodes} free`
  if (freeInodes >= LEAST_INODES) return ok('free inodes', message)
  return warning('free inodes', message, 'Remove files that are not needed; each costs an inode.')
}
