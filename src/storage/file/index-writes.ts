/**
 * How the files of an index are read and written: at once, or so that the writes are gathered first and made
 * beside other work. What is gathered is seen by reads of the hash tables as if it stood there already.
 */
import type { Disk, Fd } from './disk.ts'
import { WriteList } from './write-list.ts'

export class IndexWrites implements Pick<Disk, 'readAt' | 'writeAt'> {
  private readonly disk: Disk
  private gathering: WriteList | undefined
  private underWay: WriteList | undefined
  /** One that is used again. */
  private spare: WriteList | undefined

  constructor(disk: Disk) {
    this.disk = disk
  }

  get areUnderWay(): boolean {
    return this.underWay !== undefined
  }

  readAt(fd: Fd, into: Uint8Array, position: number): number {
    const filled = this.disk.readAt(fd, into, position)
    const list = this.gathering ?? this.underWay
    return list ? list.patch(fd, into, position, filled) : filled
  }

  writeAt(fd: Fd, bytes: Uint8Array, position: number): void {
    if (this.gathering) this.gathering.add(fd, bytes, position)
    else this.disk.writeAt(fd, bytes, position)
  }

  /** Gathers the writes of `prepare`, while none are under way; where it fails, nothing comes of them. */
  gather(prepare: () => void): void {
    const list = this.spare ?? new WriteList()
    list.clear()
    this.spare = list
    this.gathering = list
    try {
      prepare()
      this.underWay = list
    } finally {
      this.gathering = undefined
    }
  }

  /** Makes what was gathered, in its order; where that fails, it is as if some of it had not been asked for. */
  async make(): Promise<void> {
    const { disk, underWay } = this
    try {
      if (disk.writeAll && underWay) await disk.writeAll(underWay)
      else underWay?.replay(disk.writeAt)
    } finally {
      this.underWay = undefined
    }
  }
}
