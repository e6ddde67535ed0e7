/**
 * How the files of an index are read and written: at once, or so that the writes are gathered first and made
 * beside other work. What is gathered is seen by reads as if it stood there already; puts are not, since they are
 * looked for by nobody before they are made.
 */
import type { Disk, Fd } from './disk.ts'
import type { Put, Slot } from './slot-put.ts'
import { WriteList } from './write-list.ts'

/** Puts of so many events that whoever makes them has fallen behind. */
const URGENT_PUTS = 4096

export class IndexWrites implements Pick<Disk, 'readAt' | 'writeAt'> {
  private readonly disk: Disk
  private gathering: WriteList | undefined
  private underWay: WriteList | undefined
  /** One that is used again. */
  private spare: WriteList | undefined
  /** Whether something was put in, or may have been, since the last list that was made as a whole. */
  private hasPutAtOnce = true

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

  /** @returns false where nothing is gathered: then it is to be made at once */
  addPut(fd: Fd, put: Put): boolean {
    this.gathering?.addPut(fd, put)
    if (!this.gathering) this.hasPutAtOnce = true
    return this.gathering !== undefined
  }

  /** Gathers the writes of `prepare`, while none are under way; where it fails, nothing comes of them. */
  gather(prepare: () => void): void {
    const list = this.spare ?? new WriteList()
    list.clear()
    this.spare = list
    this.gathering = list
    try {
      prepare()
      list.how = { isFirst: this.hasPutAtOnce, isUrgent: list.puts > URGENT_PUTS }
      this.underWay = list
    } finally {
      this.gathering = undefined
    }
  }

  /**
   * Makes what was gathered, in its order; where that fails, it is as if some of it had not been asked for.
   * @param take is told of each put where it stands then; -1: nowhere
   */
  async make(take: (fd: Fd, slot: Slot, at: number) => void): Promise<void> {
    const { disk, underWay } = this
    this.hasPutAtOnce = true
    try {
      if (disk.writeAll && underWay) await disk.writeAll(underWay)
      else underWay?.make(disk)
      underWay?.readAnswers(take)
      this.hasPutAtOnce = false
    } finally {
      this.underWay = undefined
    }
  }
}
