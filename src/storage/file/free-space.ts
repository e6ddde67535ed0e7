/**
 * Whether there is room for what is to be written. Where much is free the file system is not asked each time: a
 * server appends thousands of times a second, and the answer takes as long as the call that writes.
 */
import { monotonicMs } from '../../kit/monotonic.ts'
import type { Disk } from './disk.ts'

/** Bytes that are much: nobody writes as many in the time for which an answer is believed, ms. */
const MUCH = 1 << 30
const BELIEVED_MS = 100

export class FreeSpace {
  private readonly disk: Disk
  private readonly path: string
  private free = 0
  private askedMs = 0

  constructor(disk: Disk, path: string) {
    this.disk = disk
    this.path = path
  }

  has(bytes: number): boolean {
    const now = monotonicMs()
    if (this.free < MUCH || now - this.askedMs > BELIEVED_MS) {
      this.free = this.disk.free(this.path).bytes
      this.askedMs = now
    }
    return this.free >= bytes
  }
}
