/**
 * The lock of a log: proper-lockfile, used as a traffic light.
 *
 * It keeps writers from wasting each other's work. It is not what keeps the log right (`log-line.ts` is): a
 * lock folder can be taken over from a writer that was only paused, and two waiters can take over the same
 * one. So where the lock itself is broken (its folder cannot be made, something else stands in its place)
 * the writer moves that aside or goes on without it.
 *
 * Waiting is bounded and polls in milliseconds. A holder that died is recognised by the owner record where
 * it ran on this machine, else by the age of the lock folder (2 s).
 */
import { dirname } from 'node:path'
import { lockSync } from 'proper-lockfile'
import { AppError } from '../../domain/app-error.ts'
import { monotonicMs } from '../../kit/monotonic.ts'
import { randomHex } from '../../kit/random.ts'
import { type Disk, lockCalls } from './disk.ts'
import type { LogLayout } from './layout.ts'

/** Age in ms at which a lock counts as left behind; the least that proper-lockfile allows. */
const STALE_MS = 2000
/** A holder that took longer than this before it writes, in ms, gives up and starts again. */
const HOLD_MS = 1000
const OWNER_BYTES = 128
/** Behind the owner: whatever the writer wrote there that waited last. */
const WISH_BYTES = 16
/** Looks that come soon one after the other, each a thorough one: a holder is mostly done soon, or dead. */
const EAGER_LOOKS = 4
const EAGER_PAUSE_MS = 3
/** From when on a waiter looks how often: [waited ms, longest pause ms]. Who has waited longer goes first. */
const PATIENCE = [
  [2000, 3],
  [500, 12],
  [0, 24],
] as const
/** Time in ms between two thorough looks: whether the holder is alive, whether the lock is one. */
const THOROUGH_MS = 50

/** A lock that is held, or the permission to go on without. */
export type HeldLock = {
  /** True while the holder may still write. */
  isFresh(): boolean
  /** True once another writer has waited for it. */
  isWanted(): boolean
  /** Makes it as young as it was when it was taken, while the event loop goes on; false where that cannot be. */
  renew?(): Promise<boolean>
  release(): void
}

export type Lock = {
  /** @throws AppError `lock-timeout` */
  acquire(): Promise<HeldLock>
}

export type LockOptions = {
  readonly disk: Disk
  readonly layout: LogLayout
  /** Longest wait, ms. */
  readonly timeoutMs: number
  /** Which start of the machine this is; empty where unknown. */
  readonly boot: string
}

// proper-lockfile probes the clock of the file system by setting a time up to one second ahead, which would
// make a lock that was left behind look younger than it is. Locks are refreshed by `renew`.
const quickCalls = { ...lockCalls, utimesSync: () => {} }

export function createLock(options: LockOptions): Lock {
  return { acquire: () => acquire(options) }
}

/** The lock that never waits: for tests that show that correctness does not rest on it. */
export const noLock: Lock = {
  acquire: async () => ({ isFresh: () => true, isWanted: () => false, release: () => {} }),
}

/**
 * A look at a lock that is held costs one call, so that many waiters leave the machine to the holder; now and
 * then each looks thoroughly, and leaves word that it waits.
 */
async function acquire(options: LockOptions): Promise<HeldLock> {
  const { disk, layout, timeoutMs } = options
  const start = monotonicMs()
  const watch = { suspect: undefined, what: '', sinceMs: start } as Watch
  let thoroughMs = Number.NEGATIVE_INFINITY
  for (let look = 1; ; look++) {
    const now = monotonicMs()
    const isThorough = look <= EAGER_LOOKS || now - thoroughMs > THOROUGH_MS
    if (isThorough || disk.status(layout.lock) === undefined) {
      const release = tryLock(options)
      if (release) return hold(options, release)
    }
    if (now - start > timeoutMs) {
      throw new AppError('lock-timeout', 'Other writers hold the log for too long', { timeoutMs })
    }
    if (isThorough) {
      thoroughMs = now
      lookAfter(options, watch, now)
    }
    await disk.pause(pauseMs(look, now - start))
  }
}

/** What a waiter has seen of the lock: who held it, and since when nothing about it has changed. */
type Watch = { suspect: string | undefined; what: string; sinceMs: number }

/** Clears away a lock that nobody holds any more, and tells the holder of one that it is waited for. */
function lookAfter(options: LockOptions, watch: Watch, now: number): void {
  const { disk, layout } = options
  const owner = readOwner(options)
  if (owner && owner === watch.suspect && isDead(options, owner)) removeLock(options)
  watch.suspect = owner
  const what = `${disk.status(layout.lock)?.modifiedMs} ${owner}`
  if (what !== watch.what) Object.assign(watch, { what, sinceMs: now })
  // No clock but this one is asked: the lock may be from the future, or something that is no lock.
  else if (now - watch.sinceMs > STALE_MS) moveAside(options)
  leaveWish(options)
}

/** Half of a pause is chance, so that waiters do not move in step. */
function pauseMs(look: number, waitedMs: number): number {
  const [, patient] = PATIENCE.find(([fromMs]) => waitedMs >= fromMs) ?? PATIENCE[0]
  const longest = look <= EAGER_LOOKS ? EAGER_PAUSE_MS : patient
  return (longest * (1 + Math.random())) / 2
}

function leaveWish({ disk, layout }: LockOptions): void {
  try {
    const fd = disk.openUpdate(layout.owner)
    try {
      disk.writeAt(fd, Buffer.from(randomHex(WISH_BYTES / 2)), OWNER_BYTES)
    } finally {
      disk.close(fd)
    }
  } catch {
    // The holder lets go all the same, once it has nothing to write.
  }
}

/** The call that releases, or `undefined` where another holds the lock. */
function tryLock({ layout, disk }: LockOptions): (() => void) | undefined {
  try {
    return lockSync(layout.segments, {
      fs: quickCalls,
      lockfilePath: layout.lock,
      stale: STALE_MS,
      realpath: false,
      onCompromised: () => {},
    })
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ELOCKED':
        return undefined
      case 'ENOENT':
        // A copy of the folder may have left empty folders out.
        return disk.makeFolder(dirname(layout.lock)) ? undefined : () => {}
      case 'ENOTEMPTY':
      case 'ENOTDIR':
        return moveAside({ layout, disk }) ? undefined : () => {}
      default:
        // No lock can be made here (no space, no right to write): the log decides whether it can be written.
        return () => {}
    }
  }
}

function hold(options: LockOptions, release: () => void): HeldLock {
  let since = monotonicMs()
  const owner = ownerRecord(options)
  const record = openRecord(options, owner)
  const before = record?.wish()
  const isOwn = () => readOwner(options) === owner
  return {
    isFresh: () => monotonicMs() - since < HOLD_MS,
    isWanted: () => record?.wish() !== before,
    renew: async () => {
      const now = monotonicMs()
      // Where nobody can leave word that they wait, it is let go now and then.
      if (!record || !isOwn() || !(await touched(options))) return false
      since = now
      return true
    },
    release: () => {
      record?.close()
      // After a long pause the folder may be another writer's by now.
      const isLate = monotonicMs() - since > STALE_MS / 2
      if (isLate && !isOwn()) return
      try {
        release()
      } catch {
        // The library knows a lock no more that was renewed. One that was taken over is removed by its new holder.
        if (isOwn()) removeLock(options)
      }
    },
  }
}

/** A process that was paused here touches the lock of whoever came after it, which does no harm. */
async function touched({ disk, layout }: LockOptions): Promise<boolean> {
  try {
    await disk.touch?.(layout.lock)
    return disk.touch !== undefined
  } catch {
    // It was taken over or moved, or its folder allows no change: it is let go in time.
    return false
  }
}

type OwnerRecord = { wish(): string; close(): void }

/** Writes who holds the lock. Without it a waiter recognises a dead holder by age only. */
function openRecord({ disk, layout }: LockOptions, owner: string): OwnerRecord | undefined {
  try {
    const fd = disk.openUpdate(layout.owner)
    const wish = Buffer.alloc(WISH_BYTES)
    // The holder asks when its batch is stored: nothing may fail then that says "not stored".
    const record = {
      wish: () => orElse(() => wish.toString('latin1', 0, disk.readAt(fd, wish, OWNER_BYTES)), ''),
      close: () => orElse(() => disk.close(fd), undefined),
    }
    try {
      disk.writeAt(fd, Buffer.from(owner.padEnd(OWNER_BYTES)), 0)
    } catch {
      // It can still be waited for.
    }
    return record
  } catch {
    return undefined
  }
}

/** For a hint, which may be missing. */
function orElse<T>(work: () => T, otherwise: T): T {
  try {
    return work()
  } catch {
    return otherwise
  }
}

/** What the last holder wrote about itself; without it a dead one is recognised by age only. */
function readOwner({ disk, layout }: LockOptions): string | undefined {
  return orElse(() => disk.readText(layout.owner)?.slice(0, OWNER_BYTES).trim(), undefined)
}

let ownStart: string | undefined

function ownerRecord({ disk, boot }: LockOptions): string {
  ownStart ??= startOf(disk, process.pid) ?? '-'
  return `${boot || '-'} ${process.pid} ${ownStart} ${randomHex(8)}`
}

/** True where the owner was a process of this machine and is gone. */
function isDead({ disk, boot }: LockOptions, owner: string): boolean {
  const [ownerBoot, pid, start] = owner.split(' ')
  if (boot === '' || ownerBoot !== boot || pid === undefined || start === '-') return false
  return startOf(disk, Number(pid)) !== start
}

/** Start time of a process in clock ticks since boot, from `/proc`; `undefined` where there is none. */
function startOf(disk: Disk, pid: number): string | undefined {
  const stat = disk.readText(`/proc/${pid}/stat`)
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  return state === 'Z' ? undefined : fields[18]
}

/** Takes away the lock folder of a dead holder; whoever else sees it may be quicker. */
function removeLock({ disk, layout }: LockOptions): void {
  try {
    disk.removeFolder(layout.lock)
  } catch {
    // Something else stands there: it is moved aside once it has stood long enough.
  }
}

/** Puts away what stands in the place of the lock and cannot be taken over. False: nobody can. */
function moveAside({ disk, layout }: Pick<LockOptions, 'disk' | 'layout'>): boolean {
  if (disk.status(layout.lock) === undefined) return true
  const aside = `${layout.lock}.aside-${randomHex(8)}`
  try {
    disk.rename(layout.lock, aside)
    // An empty folder was a lock; anything else may be of use to somebody.
    orElse(() => disk.removeFolder(aside), false)
    return true
  } catch {
    // Another waiter was quicker, or the folder allows no change.
    return disk.status(layout.lock) === undefined
  }
}
