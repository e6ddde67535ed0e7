/** Opens the event log of a data folder with everything settable that a crash test turns. */
import type { SequenceRule } from '../../src/domain/sequence.ts'
import { sequencesOf } from '../../src/domain/sequence.ts'
import { type Disk, syncDisk } from '../../src/storage/file/disk.ts'
import { FileLog } from '../../src/storage/file/file-log.ts'
import { openFolder } from '../../src/storage/file/folder.ts'
import type { LogLayout } from '../../src/storage/file/layout.ts'
import { createLock, type Lock, noLock } from '../../src/storage/file/lock.ts'
import type { LogOptions } from '../../src/storage/file/log-options.ts'

export type Turns = {
  readonly disk?: Disk
  readonly boot?: string
  readonly lock?: 'lock' | 'no-lock' | Lock
  readonly lockTimeoutMs?: number
  readonly segmentBytes?: number
  readonly catchUpMs?: number
  readonly isLongLived?: boolean
  readonly besideEvents?: number
  readonly sequenceRule?: SequenceRule
  readonly clock?: { now(): number }
}

export type OpenLog = {
  readonly log: FileLog
  readonly layout: LogLayout
  readonly options: LogOptions
}

/** Small files of the log, so that every test also meets the change from one to the next. */
export const SMALL_SEGMENT = 256 * 1024

export async function openLog(root: string, turns: Turns = {}): Promise<OpenLog> {
  const disk = turns.disk ?? syncDisk
  const clock = turns.clock ?? { now: () => Date.now() }
  const folder = await openFolder(disk, root, { create: true, allowUnsafe: false, clock })
  if (!folder) throw new Error('The data folder was not made')
  const layout = folder.layout.events
  const boot = turns.boot ?? bootId()
  const lockTimeoutMs = turns.lockTimeoutMs ?? 30_000
  const options: LogOptions = {
    disk,
    layout,
    storeId: folder.storeId,
    boot,
    clock,
    sequenceRule: turns.sequenceRule ?? sequencesOf,
    segmentBytes: turns.segmentBytes ?? SMALL_SEGMENT,
    lockTimeoutMs,
    sync: true,
    catchUpMs: turns.catchUpMs ?? 10_000,
    isLongLived: turns.isLongLived ?? false,
    ...(turns.besideEvents !== undefined && { besideEvents: turns.besideEvents }),
  }
  const lock =
    turns.lock === 'no-lock'
      ? noLock
      : typeof turns.lock === 'object'
        ? turns.lock
        : createLock({ disk, layout, timeoutMs: lockTimeoutMs, boot })
  return { log: new FileLog(options, lock), layout, options }
}

export function bootId(): string {
  return syncDisk.readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}
