/**
 * A disk in memory: thousands of data folders a second can be copied, damaged and opened. Only what the log
 * and its index use; permissions are not kept.
 */
import { dirname } from 'node:path'
import { AppError } from '../../src/domain/app-error.ts'
import type { Disk, Fd } from '../../src/storage/file/disk.ts'

type File = { bytes: Buffer; size: number; isShared: boolean }

/** Every file of a disk at one moment; the buffers are not to be changed. */
export type DiskImage = ReadonlyMap<string, Buffer>

export class MemoryDisk {
  readonly disk: Disk
  private readonly files = new Map<string, File>()
  private readonly folders = new Set<string>()
  private readonly open = new Map<Fd, File>()
  private nextFd = 1000

  /** @param image what is on it; files are copied when they are written to */
  constructor(image: DiskImage = new Map(), folders: Iterable<string> = []) {
    for (const [path, bytes] of image)
      this.files.set(path, { bytes, size: bytes.length, isShared: true })
    for (const path of folders) this.folders.add(path)
    this.disk = this.calls()
  }

  image(): Map<string, Buffer> {
    const image = new Map<string, Buffer>()
    for (const [path, { bytes, size }] of this.files) {
      image.set(path, Buffer.from(bytes.subarray(0, size)))
    }
    return image
  }

  folderPaths(): string[] {
    return [...this.folders]
  }

  /** Files that are open. */
  get openCount(): number {
    return this.open.size
  }

  private put(fd: Fd, bytes: Uint8Array, position: number): void {
    const file = this.at(fd)
    const end = position + bytes.length
    if (file.isShared || end > file.bytes.length) {
      const grown = Buffer.alloc(end > file.bytes.length ? end * 2 : file.bytes.length)
      file.bytes.copy(grown, 0, 0, file.size)
      file.bytes = grown
      file.isShared = false
    }
    file.bytes.set(bytes, position)
    file.size = Math.max(file.size, end)
  }

  private at(fd: Fd): File {
    const file = this.open.get(fd)
    if (!file) throw new AppError('storage-unavailable', 'EBADF in memory')
    return file
  }

  private opened(file: File): Fd {
    this.open.set(this.nextFd, file)
    return this.nextFd++
  }

  private made(path: string): File {
    const file = { bytes: Buffer.alloc(0), size: 0, isShared: false }
    if (!this.folders.has(dirname(path))) {
      throw new AppError('storage-unavailable', `ENOENT in memory: ${path}`)
    }
    this.files.set(path, file)
    return file
  }

  private calls(): Disk {
    const { files, folders } = this
    const find = (path: string): Fd | undefined => {
      const file = files.get(path)
      return file && this.opened(file)
    }
    const read = (fd: Fd, into: Uint8Array, position: number): number => {
      const { bytes, size } = this.at(fd)
      const count = Math.max(0, Math.min(into.length, size - position))
      into.set(bytes.subarray(position, position + count))
      return count
    }
    const append = (fd: Fd, bytes: Uint8Array): number => {
      this.put(fd, bytes, this.at(fd).size)
      return bytes.length
    }
    return {
      openRead: find,
      openAppend: find,
      openUpdate: (path) => this.opened(files.get(path) ?? this.made(path)),
      create: (path) => (files.has(path) ? undefined : this.opened(this.made(path))),
      close: (fd) => {
        this.at(fd)
        this.open.delete(fd)
      },
      size: (fd) => this.at(fd).size,
      readAt: read,
      writeAt: (fd, bytes, position) => this.put(fd, bytes, position),
      appendOnce: append,
      link: (from, to) => {
        const file = files.get(from)
        if (!file || files.has(to)) return false
        files.set(to, file)
        return true
      },
      rename: (from, to) => {
        const file = files.get(from)
        if (!file) throw new AppError('storage-unavailable', 'ENOENT in memory')
        files.delete(from)
        files.set(to, file)
      },
      unlink: (path) => files.delete(path),
      makeFolder: (path) => {
        if (folders.has(path)) return false
        folders.add(path)
        return true
      },
      removeFolder: (path) => folders.delete(path),
      list: (path) =>
        folders.has(path)
          ? [...files.keys(), ...folders]
              .filter((name) => dirname(name) === path)
              .map((name) => name.slice(path.length + 1))
              .sort()
          : undefined,
      status: (given) => {
        const path = given.endsWith('/.') ? given.slice(0, -2) : given
        const file = files.get(path)
        if (!file && !folders.has(path)) return undefined
        const kind = file ? 'file' : 'folder'
        return { kind, size: file?.size ?? 0, modifiedMs: 0, mode: 0o700, uid: 0 }
      },
      setMode: () => {},
      readText: (path) => {
        const file = files.get(path)
        return file?.bytes.toString('utf8', 0, file.size)
      },
      free: () => ({ bytes: 2 ** 40, inodes: 2 ** 30 }),
      syncData: (fd) => {
        this.at(fd)
      },
      syncFolder: () => {},
      readMuch: read,
      writeMuch: (fd, bytes) => {
        append(fd, bytes)
      },
      pause: () => {},
    }
  }
}
