import { sequencesOf } from '../../src/domain/sequence.ts'
import { asyncDisk, syncDisk } from '../../src/storage/file/disk.ts'
import { FileLog } from '../../src/storage/file/file-log.ts'
import { openFolder } from '../../src/storage/file/folder.ts'
import { createLock, noLock } from '../../src/storage/file/lock.ts'

/** Small files of the log, so that kills also meet the change from one to the next. */
const SEGMENT_BYTES = 256 * 1024

/**
 * The log of a data folder, with the lock or without it. Every other process is as a server is, which keeps
 * the lock for a moment and writes its index later, half of them with a thread however few events it is; the rest
 * are as a CGI process is.
 */
export async function openFolderForTest(root: string, hasLock: boolean): Promise<FileLog> {
  const isLongLived = process.pid % 2 === 0
  const disk = isLongLived ? asyncDisk : syncDisk
  const clock = { now: () => Date.now() }
  const folder = await openFolder(disk, root, { create: true, allowUnsafe: false, clock })
  if (!folder) throw new Error('The data folder was not made')
  const boot = disk.readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
  const layout = folder.layout.events
  const options = {
    disk,
    layout,
    storeId: folder.storeId,
    boot,
    clock,
    sequenceRule: sequencesOf,
    segmentBytes: SEGMENT_BYTES,
    lockTimeoutMs: 8000,
    sync: true,
    catchUpMs: 10_000,
    isLongLived,
    ...(process.pid % 4 === 0 && { besideEvents: 1 }),
  }
  const lock = hasLock ? createLock({ disk, layout, timeoutMs: 8000, boot }) : noLock
  return new FileLog(options, lock)
}
