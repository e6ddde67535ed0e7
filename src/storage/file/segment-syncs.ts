/**
 * Syncs the files of a log, one at a time: of two syncs that run at once only one is told of a failure. One
 * that failed is final, whoever asked for it.
 */
import { Turns } from '../../kit/turns.ts'
import type { Disk } from './disk.ts'
import type { Segment } from './segment.ts'
import type { Suspicion } from './suspicion.ts'

type SyncOptions = {
  readonly disk: Disk
  /** False: nothing is synced. */
  readonly sync: boolean
}

export class SegmentSyncs {
  private readonly options: SyncOptions
  private readonly suspicion: Suspicion
  private readonly turns = new Turns()

  constructor(options: SyncOptions, suspicion: Suspicion) {
    this.options = options
    this.suspicion = suspicion
  }

  /** @throws AppError `storage-unavailable` where one has failed before, `outcome-unknown` where this one does */
  async sync(segment: Segment): Promise<void> {
    if (!this.options.sync) return
    await segment.using(() => this.turns.take(() => this.syncOne(segment)))
  }

  private async syncOne({ fd }: Segment): Promise<void> {
    this.suspicion.refuse()
    try {
      await this.options.disk.syncData(fd)
    } catch (error) {
      throw this.suspicion.raise(error)
    }
  }
}
