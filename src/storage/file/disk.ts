/**
 * The one place that touches the file system. Tests replace it to inject faults.
 *
 * Small calls are always synchronous: from the page cache they take microseconds, a hundredth of a trip
 * through the thread pool, and a CGI process must not start threads. The four calls that
 * wait for the device or move much data come in two kinds behind one shape: `syncDisk` for processes that
 * serve one request, `asyncDisk` for those that serve many at once.
 *
 * Operating-system errors become `AppError` here, by their code, and nowhere else. Where a missing or
 * an existing file is an ordinary outcome, the call returns it instead.
 */
import fs from 'node:fs'
import { diskError, errorCode } from './disk-error.ts'
import type { IndexJob, KeyPlaces } from './index-job.ts'

/** An open file. */
export type Fd = number

export type FileKind = 'file' | 'folder' | 'link' | 'other'

export type FileStatus = {
  readonly kind: FileKind
  readonly size: number
  readonly modifiedMs: number
  /** Permission bits only. */
  readonly mode: number
  readonly uid: number
}

export type Disk = {
  /** `undefined` where there is no such file. */
  openRead(path: string): Fd | undefined
  /** For a log: every write goes to the end, reads anywhere. `undefined` where there is no such file. */
  openAppend(path: string): Fd | undefined
  /** For reads and writes in place; made with mode 0600 where it is missing. */
  openUpdate(path: string): Fd
  /** A new file, mode 0600 whatever the umask; `undefined` where something is there already. */
  create(path: string, mode?: number): Fd | undefined
  close(fd: Fd): void
  size(fd: Fd): number
  /** Fills as much of `into` as the file has from `position` on; returns the number of bytes. */
  readAt(fd: Fd, into: Uint8Array, position: number): number
  /** Writes all of `bytes` in place. */
  writeAt(fd: Fd, bytes: Uint8Array, position: number): void
  /** One `write(2)`, at the end of a file opened for appending; returns how many bytes it took. */
  appendOnce(fd: Fd, bytes: Uint8Array): number
  /** False where `to` exists. */
  link(from: string, to: string): boolean
  rename(from: string, to: string): void
  /** False where it was not there. */
  unlink(path: string): boolean
  /** Mode 0700 whatever the umask. False where it exists. */
  makeFolder(path: string): boolean
  /** False where it was not there. */
  removeFolder(path: string): boolean
  /** Names in a folder, sorted; `undefined` where there is no such folder. */
  list(path: string): string[] | undefined
  /** Does not follow a symbolic link. */
  status(path: string): FileStatus | undefined
  setMode(path: string, mode: number): void
  /** Whole small file; `undefined` where there is none. */
  readText(path: string): string | undefined
  /** Bytes and inodes that this user may still use. */
  free(path: string): { readonly bytes: number; readonly inodes: number }

  /** Makes the data of a file durable (`fdatasync`). A failure is final: never ask again. */
  syncData(fd: Fd): void | Promise<void>
  /** Makes the names in a folder durable. */
  syncFolder(path: string): void | Promise<void>
  /** Like `readAt`, for much data. */
  readMuch(fd: Fd, into: Uint8Array, position: number): number | Promise<number>
  /** Writes all of `bytes` at the end of what was written to `fd` before. */
  writeMuch(fd: Fd, bytes: Uint8Array): void | Promise<void>
  /**
   * Writes a part of an index, up to the first write that fails, while the event loop goes on. None of its files may be
   * closed before the answer, which is `undefined` where it has to be written without.
   */
  writeIndex?(job: IndexJob): Promise<KeyPlaces | undefined>
  /** Sets the time of a file or folder to now, while the event loop goes on; absent where that cannot be. */
  touch?(path: string): Promise<void>
  /** Waits. */
  pause(ms: number): void | Promise<void>
}

function run<T>(action: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw diskError(error, action)
  }
}

/** Like `run`, but the named codes are an ordinary outcome with value `otherwise`. */
function runOr<T, U>(
  action: string,
  ordinary: readonly string[],
  otherwise: U,
  call: () => T,
): T | U {
  try {
    return call()
  } catch (error) {
    if (ordinary.includes(errorCode(error))) return otherwise
    throw diskError(error, action)
  }
}

function readFully(fd: Fd, into: Uint8Array, position: number): number {
  let done = 0
  while (done < into.length) {
    const count = fs.readSync(fd, into, done, into.length - done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}

function writeFully(fd: Fd, bytes: Uint8Array, position: number | null): void {
  let done = 0
  while (done < bytes.length) {
    const at = position === null ? null : position + done
    done += fs.writeSync(fd, bytes, done, bytes.length - done, at)
  }
}

/** Gives a file the bits back that the umask took from it. */
function withMode(fd: Fd, mode: number): Fd {
  if ((fs.fstatSync(fd).mode & mode) !== mode) fs.fchmodSync(fd, mode)
  return fd
}

function fileStatus(stat: fs.Stats): FileStatus {
  const kind = stat.isFile()
    ? 'file'
    : stat.isDirectory()
      ? 'folder'
      : stat.isSymbolicLink()
        ? 'link'
        : 'other'
  return {
    kind,
    size: stat.size,
    modifiedMs: stat.mtimeMs,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
  }
}

const { O_RDONLY, O_RDWR, O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants

/** Disk of a process that serves one request: every call is synchronous and starts no thread. */
export const syncDisk: Disk = {
  openRead: (path) =>
    runOr('open', ['ENOENT', 'ENOTDIR'], undefined, () => fs.openSync(path, O_RDONLY | O_NOFOLLOW)),
  openAppend: (path) =>
    runOr('open', ['ENOENT'], undefined, () => fs.openSync(path, O_RDWR | O_APPEND | O_NOFOLLOW)),
  openUpdate: (path) =>
    run('open', () => withMode(fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600), 0o600)),
  create: (path, mode = 0o600) =>
    runOr('create', ['EEXIST'], undefined, () =>
      withMode(fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode), mode),
    ),
  close: (fd) => run('close', () => fs.closeSync(fd)),
  size: (fd) => run('stat', () => fs.fstatSync(fd).size),
  readAt: (fd, into, position) => run('read', () => readFully(fd, into, position)),
  writeAt: (fd, bytes, position) => run('write', () => writeFully(fd, bytes, position)),
  appendOnce: (fd, bytes) => run('write', () => fs.writeSync(fd, bytes, 0, bytes.length, null)),
  link: (from, to) =>
    runOr('link', ['EEXIST'], false, () => {
      fs.linkSync(from, to)
      return true
    }),
  rename: (from, to) => run('rename', () => fs.renameSync(from, to)),
  unlink: (path) =>
    runOr('remove', ['ENOENT'], false, () => {
      fs.unlinkSync(path)
      return true
    }),
  makeFolder: (path) =>
    runOr('make folder', ['EEXIST'], false, () => {
      fs.mkdirSync(path, 0o700)
      if ((fs.lstatSync(path).mode & 0o700) !== 0o700) fs.chmodSync(path, 0o700)
      return true
    }),
  removeFolder: (path) =>
    runOr('remove folder', ['ENOENT'], false, () => {
      fs.rmdirSync(path)
      return true
    }),
  list: (path) =>
    runOr('list', ['ENOENT', 'ENOTDIR'], undefined, () => fs.readdirSync(path).sort()),
  status: (path) =>
    runOr('stat', ['ENOTDIR'], undefined, () => {
      // Each append asks for a file that is hardly ever there: an exception costs 20 times the call.
      const stat = fs.lstatSync(path, { throwIfNoEntry: false })
      return stat && fileStatus(stat)
    }),
  setMode: (path, mode) => run('change mode', () => fs.chmodSync(path, mode)),
  // ESRCH: the process that a file of /proc is about has ended since the file was opened.
  readText: (path) =>
    runOr('read', ['ENOENT', 'ENOTDIR', 'ESRCH'], undefined, () => fs.readFileSync(path, 'utf8')),
  free: (path) =>
    run('look at free space', () => {
      const stat = fs.statfsSync(path)
      // A file system that has no fixed number of inodes states 0 of 0.
      const inodes = stat.files === 0 ? Number.POSITIVE_INFINITY : stat.ffree
      return { bytes: stat.bavail * stat.bsize, inodes }
    }),
  syncData: (fd) => run('sync', () => fs.fdatasyncSync(fd)),
  syncFolder: (path) =>
    run('sync folder', () => {
      const fd = fs.openSync(path, O_RDONLY)
      try {
        fs.fsyncSync(fd)
      } finally {
        fs.closeSync(fd)
      }
    }),
  readMuch: (fd, into, position) => run('read', () => readFully(fd, into, position)),
  writeMuch: (fd, bytes) => run('write', () => writeFully(fd, bytes, null)),
  pause: (ms) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  },
}

/** Disk of a process that serves many requests at once: what takes long leaves the event loop free. */
export const asyncDisk: Disk = {
  ...syncDisk,
  syncData: (fd) => promise('sync', (done) => fs.fdatasync(fd, done)),
  syncFolder: async (path) => {
    const fd = await promise<number>('sync folder', (done) => fs.open(path, O_RDONLY, done))
    try {
      await promise('sync folder', (done) => fs.fsync(fd, done))
    } finally {
      await promise('close', (done) => fs.close(fd, done))
    }
  },
  readMuch: async (fd, into, position) => {
    let done = 0
    while (done < into.length) {
      const count = await promise<number>('read', (back) =>
        fs.read(fd, into, done, into.length - done, position + done, back),
      )
      if (count === 0) break
      done += count
    }
    return done
  },
  writeMuch: async (fd, bytes) => {
    let done = 0
    while (done < bytes.length) {
      done += await promise<number>('write', (back) =>
        fs.write(fd, bytes, done, bytes.length - done, null, back),
      )
    }
  },
  writeIndex: async (job) => {
    if (!mayStartThread()) return undefined
    const { writeBeside } = await import('./index-beside.ts')
    try {
      return await writeBeside(job)
    } catch (error) {
      throw diskError(error, 'write')
    }
  },
  touch: (path) => {
    const now = Date.now() / 1000
    return promise('touch', (done) => fs.utimes(path, now, now, done))
  },
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

let hasAddressSpace: boolean | undefined

/** One takes half a gigabyte of address space: a process whose own is limited would end for want of it. */
function mayStartThread(): boolean {
  const limits = () => syncDisk.readText('/proc/self/limits') ?? 'Max address space unlimited'
  hasAddressSpace ??= /^Max address space +unlimited/m.test(limits())
  return hasAddressSpace
}

function promise<T = void>(
  action: string,
  call: (done: (error: NodeJS.ErrnoException | null, value?: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) =>
    call((error, value) => (error ? reject(diskError(error, action)) : resolve(value as T))),
  )
}

/** The calls of `node:fs` that the lock library is given; `utimes` is left to `lock.ts`. */
export const lockCalls = {
  mkdirSync: fs.mkdirSync,
  rmdirSync: fs.rmdirSync,
  statSync: fs.statSync,
  realpathSync: fs.realpathSync,
}
