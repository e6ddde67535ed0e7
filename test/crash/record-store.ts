/** A store whose records move on to a new generation every few writes. */
import { type Disk, syncDisk } from '../../src/storage/file/disk.ts'
import { type FileStore, openFileStore } from '../../src/storage/file/engine.ts'
import type { Lock } from '../../src/storage/file/lock.ts'

/** Old revisions after which the records move on. */
export const LEAVE_AT = 20

export async function openRecords(
  root: string,
  turns: {
    readonly disk?: Disk
    readonly leaveAt?: number
    readonly now?: () => number
    readonly lock?: Lock
  } = {},
): Promise<FileStore> {
  const store = await openFileStore({
    disk: turns.disk ?? syncDisk,
    root,
    create: true,
    allowUnsafe: false,
    clock: { now: turns.now ?? Date.now },
    segmentBytes: 8192,
    lockTimeoutMs: 20_000,
    sync: false,
    catchUpMs: 20_000,
    leaveRecordsAt: turns.leaveAt ?? LEAVE_AT,
    ...(turns.lock && { lock: turns.lock }),
  })
  if (!store) throw new Error('The data folder was not made')
  return store
}
