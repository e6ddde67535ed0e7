/** A store whose records move on to a new generation every few writes. */
import { type Disk, syncDisk } from '../../src/storage/file/disk.ts'
import type { FileStore } from '../../src/storage/file/engine.ts'
import type { Lock } from '../../src/storage/file/lock.ts'
import { openTestStore } from '../support/file-store.ts'

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
  return openTestStore(root, {
    disk: turns.disk ?? syncDisk,
    clock: { now: turns.now ?? Date.now },
    segmentBytes: 8192,
    sync: false,
    leaveRecordsAt: turns.leaveAt ?? LEAVE_AT,
    ...(turns.lock && { lock: turns.lock }),
  })
}
