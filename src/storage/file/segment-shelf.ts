/** Files of a log that are open for reading, a bounded number of them. */
import { join } from 'node:path'
import { monotonicMs } from '../../kit/monotonic.ts'
import type { Disk } from './disk.ts'
import { type LogLayout, segmentName } from './layout.ts'
import { Segment } from './segment.ts'

const MOST_OPEN = 16
/** How often open files are compared with what stands in their place, ms. */
const LOOK_MS = 1000

export class SegmentShelf {
  private readonly disk: Disk
  private readonly layout: LogLayout
  private readonly open = new Map<number, Segment>()
  private lookedMs = monotonicMs()

  constructor(disk: Disk, layout: LogLayout) {
    this.disk = disk
    this.layout = layout
  }

  /** `undefined` where there is no such file. */
  take(number: number): Segment | undefined {
    this.lookAgain()
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

  /** Lets go of a file: the next reader opens what stands in its place now. */
  forget(number: number): void {
    this.open.get(number)?.close()
    this.open.delete(number)
  }

  /** A file that was replaced is let go of, so that what was removed from it leaves the disk. */
  private lookAgain(): void {
    const now = monotonicMs()
    if (now - this.lookedMs < LOOK_MS) return
    this.lookedMs = now
    for (const segment of [...this.open.values()]) {
      const status = this.disk.status(join(this.layout.segments, segmentName(segment.number)))
      if (status?.size !== segment.fileSize()) this.forget(segment.number)
    }
  }

  close(): void {
    for (const segment of this.open.values()) segment.close()
    this.open.clear()
  }
}
