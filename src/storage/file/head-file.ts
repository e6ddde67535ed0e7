/**
 * `index/head`: how far the log is known to be durable and indexed.
 *
 * Two slots of 1,024 bytes are written in turn, each a line of text with its own checksum, so that a slot that
 * is being written or was torn never hides the other one. The head is written only after the log was synced
 * and the index written: it may be behind them, never ahead. A log that is shorter than its head says
 * has lost something.
 *
 * Index files are not synced with each append. What a process of this boot of the machine wrote is in the
 * page cache whatever was killed; what was written before a reboot counts only up to `synced`.
 */
import { join } from 'node:path'
import type { EventHash } from '../../domain/event.ts'
import { sha256Hex } from '../../kit/sha256.ts'
import type { Disk } from './disk.ts'
import type { LogPoint } from './log-line.ts'

/** A point of the log up to which the index is complete, with the number of sequences up to there. */
export type IndexPoint = LogPoint & { readonly sequences: number }

export type IndexHead = {
  /** Name of the folder of index files that this head speaks of. */
  readonly generation: string
  /** Counts how often the index was built anew on purpose; absent: 0. The latest wins, however far it reaches. */
  readonly epoch?: number
  /** The store it is for; a head of another one was copied here by mistake. */
  readonly storeId?: string
  /** Most events that any head has spoken of, also where an index is being built anew; absent: those of `point`. */
  readonly most?: number
  /** Which start of the machine wrote it; empty where that cannot be known. */
  readonly boot: string
  readonly point: IndexPoint
  /** The point up to which the index files were synced. */
  readonly synced: IndexPoint
}

const SLOT = 1024
/** Hex digits of a checksum. */
const DIGITS = 32

export const GENESIS: IndexPoint = {
  count: 0,
  hash: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' as EventHash,
  segment: 0,
  offset: 0,
  createdAtMs: 0,
  sequences: 0,
}

type Slot = { readonly change: number; readonly head: IndexHead }

export class HeadFile {
  private readonly disk: Disk
  private readonly path: string
  private readonly storeId: string

  constructor(disk: Disk, folder: string, storeId: string) {
    this.disk = disk
    this.storeId = storeId
    this.path = join(folder, 'head')
  }

  /** `undefined` where there is no head, or none that can be read. */
  read(): IndexHead | undefined {
    return this.newest()?.head
  }

  /**
   * Writes `head` into the older slot unless a head that reaches further stands there already. Two
   * processes may write at once: the one that reaches less far may win, and the log itself then shows what lies
   * behind that head.
   * @param unusable a generation whose files are gone; its head is replaced in any case
   * @returns false where an index that was built anew stands in the place of the one that `head` speaks of
   */
  write(head: IndexHead, unusable?: string): boolean {
    const current = this.newest()
    if (current && epochOf(current.head) > epochOf(head)) return false
    const isUsable = current !== undefined && current.head.generation !== unusable
    if (isUsable && !isFurther(head, current.head)) return true
    const change = (current?.change ?? 0) + 1
    const fd = this.disk.openUpdate(this.path)
    try {
      const most = Math.max(current ? mostOf(current.head) : 0, head.point.count)
      const written = { ...head, storeId: this.storeId, most }
      this.disk.writeAt(fd, slotBytes({ change, head: written }), (change % 2) * SLOT)
    } finally {
      this.disk.close(fd)
    }
    return true
  }

  async sync(): Promise<void> {
    const fd = this.disk.openUpdate(this.path)
    try {
      await this.disk.syncData(fd)
    } finally {
      this.disk.close(fd)
    }
  }

  /** The later of both slots; a slot that was torn, or is of another store, counts as none. */
  private newest(): Slot | undefined {
    const fd = this.disk.openRead(this.path)
    if (fd === undefined) return undefined
    try {
      const bytes = Buffer.alloc(2 * SLOT)
      this.disk.readAt(fd, bytes, 0)
      const [a, b] = [bytes.toString('latin1', 0, SLOT), bytes.toString('latin1', SLOT)]
      const [later, earlier] = claimedChange(a) >= claimedChange(b) ? [a, b] : [b, a]
      return this.parsedSlot(later) ?? this.parsedSlot(earlier)
    } finally {
      this.disk.close(fd)
    }
  }

  private parsedSlot(line: string): Slot | undefined {
    const text = line.slice(DIGITS + 1).trimEnd()
    if (text === '' || checksum(text) !== line.slice(0, DIGITS)) return undefined
    const slot = JSON.parse(text) as Slot
    return (slot.head.storeId ?? this.storeId) === this.storeId ? slot : undefined
  }
}

/** How far the index files may be believed by a process of the given start of the machine. */
export function trustedPoint(head: IndexHead, boot: string): IndexPoint {
  return head.boot === boot && boot !== '' ? head.point : head.synced
}

/** How many events the log has at least, or some were lost. */
export function mostOf(head: IndexHead): number {
  return Math.max(head.most ?? 0, head.point.count)
}

export function epochOf(head: IndexHead): number {
  return head.epoch ?? 0
}

function isFurther(next: IndexHead, current: IndexHead): boolean {
  if (epochOf(next) > epochOf(current)) return true
  if (next.boot !== current.boot) return true
  if (next.point.count !== current.point.count) return next.point.count > current.point.count
  if (next.generation !== current.generation) return false
  return next.synced.count > current.synced.count || next.point.offset > current.point.offset
}

function slotBytes(slot: Slot): Buffer {
  const text = JSON.stringify(slot)
  return Buffer.from(`${`${checksum(text)} ${text}`.padEnd(SLOT - 1)}\n`)
}

function checksum(text: string): string {
  return sha256Hex(text).slice(0, DIGITS)
}

/** What a slot says of its age, to be believed once its checksum is right: each costs a process of one request. */
function claimedChange(line: string): number {
  return Number(/^\{"change":(\d+),/.exec(line.slice(DIGITS + 1))?.[1] ?? -1)
}
