/** Files of a log that are open for reading, a bounded number of them. */
import type { Disk } from './disk.ts'
import type { LogLayout } from './layout.ts'
import { Segment } from './segment.ts'

const MOST_OPEN = 16

export class SegmentShelf {
  private readonly disk: Disk
  private readonly layout: LogLayout
  private readonly open = new Map<number, Segment>()

  constructor(disk: Disk, layout: LogLayout) {
    this.disk = disk
    this.layout = layout
  }

  /** `undefined` where there is no such file. */
  take(number: number): Segment | undefined {
    const known = this.open.get(number)
    if (known) return known
    const segment = Segment.open(this.disk, this.layout, number, 'read')
    if (!segment) return undefined
    const [oldest] = this.open.values()
    if (oldest && this.open.size >= MOST_OPEN) {
      this.open.delete(oldest.number)
      oldest.close()
    }
    this.open.set(number, segment)
    return segment
  }

  close(): void {
    for (const segment of this.open.values()) segment.close()
    this.open.clear()
  }
}
