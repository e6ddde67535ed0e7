/**
 * The store on flat files: folder, log of events, log of records and content put together.
 */
import type { Clock, Progress, Store } from '../../domain/ports.ts'
import { type SequenceRule, sequencesOf } from '../../domain/sequence.ts'
import { createFileContent } from './content.ts'
import type { Disk } from './disk.ts'
import { FileLog } from './file-log.ts'
import { type OpenFolder, openFolder } from './folder.ts'
import type { LogLayout } from './layout.ts'
import type { Lock, LockOptions } from './lock.ts'
import type { LogOptions } from './log-options.ts'
import { recordSequences } from './record-body.ts'
import { RecordGenerations } from './record-generations.ts'
import { createFileRecords } from './records.ts'

export type FileStoreOptions = {
  readonly disk: Disk
  readonly root: string
  /** Whether a folder without a store becomes one. */
  readonly create: boolean
  /** Whether a data folder that others can read or write is good enough. */
  readonly allowUnsafe: boolean
  readonly clock: Clock
  /** Size in bytes at which a new file of the log is begun. */
  readonly segmentBytes: number
  /** Longest wait for a lock, ms. */
  readonly lockTimeoutMs: number
  /** False: answers before data is on disk. */
  readonly sync: boolean
  /** Longest time in ms that one call spends on an index that is behind. */
  readonly catchUpMs: number
  /** Old revisions of records from which on their log is left for a new one; a constant unless a test says so. */
  readonly leaveRecordsAt?: number
  /** Whether the process appends again and again; see `LogOptions`. */
  readonly isLongLived?: boolean
  /** For tests that show that correctness does not rest on the lock. */
  readonly lock?: Lock
}

export type FileStore = Store & {
  readonly folder: OpenFolder
  readonly log: FileLog
  reindex(progress?: Progress): Promise<void>
}

/**
 * @returns `undefined` where there is no store and `create` is false
 * @throws AppError as `openFolder` does
 */
export async function openFileStore(options: FileStoreOptions): Promise<FileStore | undefined> {
  const { disk, clock } = options
  const folder = await openFolder(disk, options.root, options)
  if (!folder) return undefined
  const boot = bootId(disk)
  const openLog = (layout: LogLayout, sequenceRule: SequenceRule, name?: string): FileLog => {
    const logOptions: LogOptions = {
      ...options,
      layout,
      storeId: folder.storeId,
      boot,
      sequenceRule,
      ...(name !== undefined && { name }),
    }
    return new FileLog(
      logOptions,
      options.lock ?? lockByNeed({ disk, layout, timeoutMs: options.lockTimeoutMs, boot }),
    )
  }
  const log = openLog(folder.layout.events, sequencesOf)
  const generations = new RecordGenerations({
    disk,
    layout: folder.layout,
    clock,
    openLog: (layout) => openLog(layout, recordSequences, 'The records of accounts and consumers'),
    ...(options.leaveRecordsAt !== undefined && { leaveAt: options.leaveRecordsAt }),
  })
  return {
    folder,
    log,
    records: createFileRecords(generations),
    content: createFileContent({ disk, layout: folder.layout, clock }),
    reindex: async (progress = () => {}) => {
      await generations.reindex(() => {})
      await log.reindex(progress)
    },
    close: async () => {
      await log.close()
      await generations.close()
    },
  }
}

/** Loads the lock library when something is appended: a process that only reads does without it. */
function lockByNeed(options: LockOptions): Lock {
  return {
    acquire: async () => {
      const { createLock } = await import('./lock.ts')
      return createLock(options).acquire()
    },
  }
}

/** Which start of the machine this is; empty where the system does not say. */
function bootId(disk: Disk): string {
  return disk.readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}
