/**
 * A disk in memory that can lose power. It remembers of every file what the last sync made durable, and of
 * every name whether its folder was synced since; what a loss leaves of the rest is decided sector by sector.
 *
 * A sector that was synced before keeps either its old or its new bytes; one that never was may hold nothing
 * or, in files that only grow, anything. A name that was moved or removed may be found as it was.
 */
import { dirname } from 'node:path'
import type { Disk, Fd } from '../../src/storage/file/disk.ts'
import type { Random } from './crash-run.ts'
import { MemoryDisk } from './memory-disk.ts'

const SECTOR = 512

/** What a loss of power does to what was not synced. */
export type Loss = 'loses all' | 'keeps all' | 'as chance will have it'

export class PowerOff extends Error {}

export class PowerDisk {
  readonly disk: Disk
  readonly memory: MemoryDisk
  /** Calls that changed something, so far. */
  changes = 0
  /** The change before which power goes. */
  offAt = Number.POSITIVE_INFINITY
  private readonly durable = new Map<string, Buffer>()
  private readonly durableNames = new Set<string>()
  /** What stood under names that were removed or given to another file, until their folder is synced. */
  private readonly earlier = new Map<string, Buffer>()
  private readonly paths = new Map<Fd, string>()

  constructor(memory = new MemoryDisk()) {
    this.memory = memory
    for (const [path, bytes] of memory.image()) this.durable.set(path, bytes)
    for (const path of memory.image().keys()) this.durableNames.add(path)
    for (const path of memory.folderPaths()) this.durableNames.add(path)
    this.disk = this.calls()
  }

  /** What is found after the power has come back. */
  afterLoss(loss: Loss, random: Random): MemoryDisk {
    const isKept = () => (loss === 'as chance will have it' ? random() < 0.5 : loss === 'keeps all')
    const folders: string[] = []
    // A folder is found where its own name is, and those of all folders above it.
    for (const path of this.memory.folderPaths().sort((a, b) => a.length - b.length)) {
      const isThere = this.durableNames.has(path) || isKept()
      const isReached = dirname(path) === '/' || folders.includes(dirname(path))
      if (isThere && isReached) folders.push(path)
    }
    const image = new Map<string, Buffer>()
    for (const [path, bytes] of this.memory.image()) {
      if (!folders.includes(dirname(path)) && dirname(path) !== '/') continue
      if (!this.durableNames.has(path) && !isKept()) continue
      const old = this.earlier.get(path)
      const isOld = old !== undefined && !isKept()
      image.set(path, isOld ? old : this.remains(path, bytes, isKept, random))
    }
    for (const [path, bytes] of this.earlier) {
      if (!image.has(path) && folders.includes(dirname(path)) && !isKept()) image.set(path, bytes)
    }
    return new MemoryDisk(image, folders)
  }

  private remains(path: string, now: Buffer, isKept: () => boolean, random: Random): Buffer {
    const before = this.durable.get(path) ?? Buffer.alloc(0)
    const size = isKept() ? now.length : Math.min(before.length, now.length)
    const found = Buffer.alloc(size)
    const isGrowing = path.endsWith('.log')
    for (let at = 0; at < size; at += SECTOR) {
      const end = Math.min(at + SECTOR, size)
      const durableEnd = Math.max(at, Math.min(end, before.length))
      if (isKept()) now.copy(found, at, at, end)
      else {
        before.copy(found, at, Math.min(at, before.length), durableEnd)
        if (isGrowing && random() < 0.2) scribble(found, durableEnd, end, random)
      }
    }
    return found
  }

  private calls(): Disk {
    const { disk } = this.memory
    const change = <A extends unknown[], R>(call: (...words: A) => R) => {
      return (...words: A): R => {
        this.beforeChange()
        return call(...words)
      }
    }
    const opened = (path: string, fd: Fd): Fd => {
      this.paths.set(fd, path)
      return fd
    }
    const found = (path: string, fd: Fd | undefined) => fd && opened(path, fd)
    return {
      ...disk,
      openRead: (path) => found(path, disk.openRead(path)),
      openAppend: (path) => found(path, disk.openAppend(path)),
      openUpdate: change((path: string) => opened(path, disk.openUpdate(path))),
      create: change((path: string) => found(path, disk.create(path))),
      writeAt: change(disk.writeAt),
      appendOnce: change(disk.appendOnce),
      writeMuch: change(disk.writeMuch),
      makeFolder: change(disk.makeFolder),
      link: change((from: string, to: string) => {
        const durable = this.durable.get(from)
        if (durable) this.durable.set(to, durable)
        return disk.link(from, to)
      }),
      rename: change((from: string, to: string) => {
        const durable = this.durable.get(from)
        this.forget(to)
        this.forget(from)
        disk.rename(from, to)
        if (durable) this.durable.set(to, durable)
        else this.durable.delete(to)
        if (this.earlier.has(to)) this.durableNames.add(to)
      }),
      unlink: change((path: string) => {
        this.forget(path)
        return disk.unlink(path)
      }),
      removeFolder: change(disk.removeFolder),
      syncData: change((fd: Fd) => {
        const path = this.paths.get(fd) ?? ''
        const bytes = this.memory.image().get(path)
        if (bytes) this.durable.set(path, bytes)
      }),
      syncFolder: change((folder: string) => {
        for (const path of [...this.memory.image().keys(), ...this.memory.folderPaths()]) {
          if (dirname(path) === folder) this.durableNames.add(path)
        }
        for (const path of [...this.earlier.keys()]) {
          if (dirname(path) === folder) this.earlier.delete(path)
        }
      }),
    }
  }

  /** The name goes from this file; a loss may bring it back with what a sync made durable of it. */
  private forget(path: string): void {
    const bytes = this.durable.get(path)
    if (bytes && this.durableNames.has(path) && !this.earlier.has(path))
      this.earlier.set(path, bytes)
    this.durableNames.delete(path)
    this.durable.delete(path)
  }

  private beforeChange(): void {
    if (this.changes >= this.offAt) throw new PowerOff('The power is gone')
    this.changes++
  }
}

function scribble(bytes: Buffer, from: number, to: number, random: Random): void {
  for (let at = from; at < to; at++) bytes[at] = random() * 256
}
