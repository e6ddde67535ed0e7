/**
 * Syncs the files of a log, one at a time: of two syncs that run at once only one is told of a failure. One
 * that failed is final, whoever asked for it.
 */
import type { Disk } from './disk.ts'
import type { Segment } from './segment.ts'
import type { Suspicion } from './suspicion.ts'

export class SegmentSyncs {
  private readonly disk: Disk
  private readonly suspicion: Suspicion
  private running: Promise<void> = Promise.resolve()

  constructor(disk: Disk, suspicion: Suspicion) {
    this.disk = disk
    this.suspicion = suspicion
  }

  /** Resolves when those that were asked for are over, however they end. */
  over(): Promise<void> {
    return this.running
  }

  /** @throws AppError `storage-unavailable` where one has failed before, `outcome-unknown` where this one does */
  sync(segment: Segment): Promise<void> {
    const before = this.running
    const done = segment.using(async () => {
      await before
      await this.syncOne(segment)
    })
    this.running = done.catch(() => {})
    return done
  }

  private async syncOne({ fd }: Segment): Promise<void> {
    this.suspicion.refuse()
    try {
      await this.disk.syncData(fd)
    } catch (error) {
      throw this.suspicion.raise(error)
    }
  }
}
