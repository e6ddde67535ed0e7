/**
 * The mark that a sync of the log has failed.
 *
 * After a failed sync the kernel may have dropped what it could not write and report success the next
 * time, so nobody can know what is on disk. The mark stops all appends until `apie verify` has found the log
 * whole, or an operator has restored it.
 */
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import type { Disk } from './disk.ts'
import type { LogLayout } from './layout.ts'

const markPath = ({ segments }: LogLayout): string => join(segments, 'suspect')

/** Whether the mark stands on a log that nobody has open. */
export function isMarked(disk: Disk, layout: LogLayout): boolean {
  return disk.status(markPath(layout)) !== undefined
}

export class Suspicion {
  private readonly disk: Disk
  private readonly path: string
  /** Only where the mark itself could not be written: it is what all processes go by. */
  private isRaised = false

  constructor(disk: Disk, layout: LogLayout) {
    this.disk = disk
    this.path = markPath(layout)
  }

  /** @throws AppError `storage-unavailable` while the mark stands */
  refuse(): void {
    if (this.isRaised) this.mark()
    if (!this.isRaised && this.disk.status(this.path) === undefined) return
    throw new AppError(
      'storage-unavailable',
      'The disk failed to store an earlier append; run "apie verify" before the next',
    )
  }

  /** Sets the mark and returns the error for those whose append it was. */
  raise(cause: unknown): AppError {
    this.mark()
    return outcomeUnknown(cause)
  }

  private mark(): void {
    try {
      const fd = this.disk.create(this.path)
      if (fd !== undefined) this.disk.close(fd)
      this.isRaised = false
    } catch {
      // This process refuses in any case; another one will find out by its own sync.
      this.isRaised = true
    }
  }

  /** Takes the mark away after the log was found whole. */
  clear(): void {
    this.isRaised = false
    this.disk.unlink(this.path)
  }
}

/** For an append that may be stored or not: only a retry can tell. */
export function outcomeUnknown(cause: unknown): AppError {
  return new AppError(
    'outcome-unknown',
    'The disk failed while storing this; whether it is stored is unknown. Retry with the same event id',
    {},
    cause,
  )
}
