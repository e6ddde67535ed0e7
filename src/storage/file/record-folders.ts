/**
 * The folders of the generations of the records (`record-generations.ts`): which there are, and which of them have
 * begun.
 */
import { AppError } from '../../domain/app-error.ts'
import type { Disk } from './disk.ts'
import { publishNew } from './durable-write.ts'
import { begunPath, generationFolder, type Layout, recordLayout } from './layout.ts'
import { isMarked } from './suspicion.ts'

const MISSING = 'The folder of the records of accounts and consumers is missing'

export class RecordFolders {
  private readonly disk: Disk
  private readonly layout: Layout

  constructor(disk: Disk, layout: Layout) {
    this.disk = disk
    this.layout = layout
  }

  /**
   * Number of the latest generation that has begun.
   * @throws AppError `log-damaged` where its log is not there
   */
  latest(): number {
    const { disk, layout } = this
    const numbers = (disk.list(layout.recordsFolder) ?? [])
      .filter((name) => /^[1-9][0-9]*$/.test(name))
      .map(Number)
      .sort((a, b) => b - a)
    const latest = numbers.find((number) => this.hasBegun(number)) ?? 0
    // It is made with the store: without it, a site with accounts would pass for one that has none yet.
    if (disk.status(recordLayout(layout, latest).segments) === undefined) {
      throw new AppError('log-damaged', MISSING)
    }
    return latest
  }

  /** The next generation; a copy that a sync has failed in is passed over, since nobody knows what it holds. */
  numberAfter(number: number): number {
    let next = number + 1
    while (isMarked(this.disk, recordLayout(this.layout, next))) next++
    return next
  }

  hasBegun(number: number): boolean {
    return this.disk.status(begunPath(this.layout, number)) !== undefined
  }

  /** Makes what is missing of the folders of a generation, durably. */
  async make(number: number): Promise<void> {
    const { segments, index } = recordLayout(this.layout, number)
    let isNew = false
    for (const folder of [generationFolder(this.layout, number), segments, index]) {
      if (this.disk.makeFolder(folder)) isNew = true
    }
    if (isNew) await this.syncNames(number)
  }

  /** Marks a generation as begun, durably. */
  async begin(number: number): Promise<void> {
    await this.syncNames(number)
    const path = begunPath(this.layout, number)
    await publishNew(this.disk, this.layout.temporary, path, Buffer.from(''))
  }

  /**
   * What is written there must not be lost with the name of a folder: a head without its log is a damaged copy,
   * which could never be completed once the log before it has ended.
   */
  async syncNames(number: number): Promise<void> {
    await this.disk.syncFolder(this.layout.recordsFolder)
    await this.disk.syncFolder(generationFolder(this.layout, number))
  }
}
