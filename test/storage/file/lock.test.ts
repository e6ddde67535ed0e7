/** The lock of a log within one process: holders that died, stalled or were sabotaged, and waiting that ends. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { asyncDisk, type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import { KeptLock } from '../../../src/storage/file/kept-lock.ts'
import type { LogLayout } from '../../../src/storage/file/layout.ts'
import { createLock, type HeldLock } from '../../../src/storage/file/lock.ts'
import { makeDataFolder, scratchFolders } from '../../support/data-folder.ts'

const newFolder = scratchFolders()
const BOOT = 'this-boot'

async function makeLayout(): Promise<LogLayout> {
  const root = join(newFolder(), 'data')
  const { layout } = await makeDataFolder(syncDisk, root)
  mkdirSync(layout.events.segments, { recursive: true })
  return layout.events
}

const lockOf = (layout: LogLayout, disk: Disk = asyncDisk, timeoutMs = 20_000, boot = BOOT) =>
  createLock({ disk, layout, timeoutMs, boot })

/** A lock that the process with `pid` seems to hold, new as of now. */
function plant({ lock, owner }: LogLayout, pid: number, start: string): void {
  mkdirSync(lock)
  writeFileSync(owner, `${BOOT} ${pid} ${start} 0123456789abcdef`)
}

/** How long the next writer waits, ms. */
async function waitFor(layout: LogLayout, disk = asyncDisk): Promise<number> {
  const since = performance.now()
  ;(await lockOf(layout, disk).acquire()).release()
  return performance.now() - since
}

describe('a lock', () => {
  test('that another holds is waited for, and then refused', async () => {
    const layout = await makeLayout()
    const held = await lockOf(layout).acquire()
    await expect(lockOf(layout, asyncDisk, 30).acquire()).rejects.toMatchObject({
      code: 'lock-timeout',
    })
    expect(held.isWanted()).toBe(true)
    held.release()
    expect(existsSync(layout.lock)).toBe(false)
  })

  test('of a process that ends while somebody looks whether it is there is taken over', async () => {
    const layout = await makeLayout()
    const holder = spawn('sleep', ['60'])
    const path = `/proc/${holder.pid}/stat`
    const stat = openSync(path, 'r')
    plant(layout, Number(holder.pid), '1')
    holder.kill('SIGKILL')
    await once(holder, 'close')
    // Opened while it lived, read when it was gone.
    const late = (asked: string) => (asked === path ? `/proc/self/fd/${stat}` : asked)
    const disk = { ...asyncDisk, readText: (asked: string) => asyncDisk.readText(late(asked)) }
    const held = await lockOf(layout, disk).acquire()
    expect(readFileSync(layout.owner, 'utf8')).toContain(` ${process.pid} `)
    held.release()
    closeSync(stat)
  })

  test('of a process that is gone is taken over before it is old', async () => {
    const layout = await makeLayout()
    const { pid } = spawnSync('true')
    plant(layout, pid, '1')
    const waiting = lockOf(layout).acquire()
    const held = await waiting
    expect(readFileSync(layout.owner, 'utf8')).toContain(` ${process.pid} `)
    held.release()
  })

  test('of a process that has ended but is not reaped is taken over', async () => {
    const layout = await makeLayout()
    const parent = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 60'])
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line)
    const stat = () => readFileSync(`/proc/${pid}/stat`, 'latin1')
    const start =
      stat()
        .slice(stat().lastIndexOf(')') + 2)
        .split(' ')[19] ?? ''
    while (!/\) Z /.test(stat())) await new Promise((resolve) => setTimeout(resolve, 5))
    plant(layout, pid, start)
    await waitFor(layout)
    parent.kill()
  })

  test.each(['an unknown boot', 'no process'])(
    'of %s is taken over once it is old',
    async (kind) => {
      const layout = await makeLayout()
      mkdirSync(layout.lock)
      const owner = kind === 'no process' ? BOOT : `another 1 1 0123456789abcdef`
      writeFileSync(layout.owner, owner)
      const old = Date.now() / 1000 - 60
      utimesSync(layout.lock, old, old)
      await waitFor(layout)
    },
  )

  test.each(['a folder with something in it', 'a file'])(
    'that is %s and old is moved aside',
    async (kind) => {
      const layout = await makeLayout()
      if (kind === 'a file') writeFileSync(layout.lock, 'x')
      else mkdirSync(join(layout.lock, 'something'), { recursive: true })
      const old = Date.now() / 1000 - 60
      utimesSync(layout.lock, old, old)
      await waitFor(layout)
      expect(existsSync(layout.lock)).toBe(false)
    },
  )

  test('whose folder is missing is made with it', async () => {
    const layout = await makeLayout()
    rmSync(join(layout.lock, '..'), { recursive: true })
    await waitFor(layout)
  })

  test('that cannot be moved aside is done without', async () => {
    const layout = await makeLayout()
    writeFileSync(layout.lock, 'x')
    const old = Date.now() / 1000 - 60
    utimesSync(layout.lock, old, old)
    const rename = () => {
      throw new Error('no')
    }
    await waitFor(layout, { ...asyncDisk, rename })
    expect(existsSync(layout.lock)).toBe(true)
  })

  test('whose folder cannot be made is done without', async () => {
    const layout = await makeLayout()
    rmSync(join(layout.lock, '..'), { recursive: true })
    await waitFor(layout, { ...asyncDisk, makeFolder: () => false })
  })

  test('that is gone when it is to be moved aside is free', async () => {
    const layout = await makeLayout()
    writeFileSync(layout.lock, 'x')
    const old = Date.now() / 1000 - 60
    utimesSync(layout.lock, old, old)
    const status: Disk['status'] = (path) => {
      if (path !== layout.lock) return asyncDisk.status(path)
      rmSync(path, { force: true })
      return undefined
    }
    await waitFor(layout, { ...asyncDisk, status })
  })

  test('that another took over after a long pause is not taken from it', async () => {
    const layout = await makeLayout()
    const held = await lockOf(layout).acquire()
    writeFileSync(layout.owner, `${BOOT} 1 1 fedcba9876543210`)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    held.release()
    expect(existsSync(layout.lock)).toBe(true)
  })
})

describe('a lock that is kept', () => {
  test('is let go for whoever waits, and taken anew', async () => {
    const layout = await makeLayout()
    const kept = new KeptLock(lockOf(layout), true)
    kept.rest()
    const first = await kept.take()
    expect(await kept.take()).toBe(first)
    const other = lockOf(layout).acquire()
    while (!first.isWanted()) await new Promise((resolve) => setTimeout(resolve, 2))
    const again = kept.take()
    ;(await other).release()
    expect(await again).not.toBe(first)
    kept.rest()
    kept.release()
    expect(existsSync(layout.lock)).toBe(false)
  })

  /**
   * Takes it again and again, as a server does that has always something to write.
   * @returns the lock at the beginning and at the end of so long a time in which this process was never held up
   */
  async function takeFor(kept: KeptLock, ms: number): Promise<[HeldLock, HeldLock]> {
    let first = await kept.take()
    let [sinceMs, takenMs] = [performance.now(), performance.now()]
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      const held = await kept.take()
      const now = performance.now()
      if (now - takenMs > 300) {
        first = held
        sinceMs = now
      }
      takenMs = now
      if (now - sinceMs >= ms) return [first, held]
    }
  }

  test('stays young as long as there is something to write, and is let go for whoever waits', async () => {
    const layout = await makeLayout()
    const kept = new KeptLock(lockOf(layout), true)
    const [first, last] = await takeFor(kept, 2500)
    expect(last).toBe(first)
    expect(first.isFresh()).toBe(true)
    expect(Date.now() - statSync(layout.lock).mtimeMs).toBeLessThan(1900)
    const other = lockOf(layout).acquire()
    while (!first.isWanted()) await new Promise((resolve) => setTimeout(resolve, 2))
    const again = kept.take()
    ;(await other).release()
    expect(await again).not.toBe(first)
    // The library knows the first one no more, and the second one still.
    kept.release()
    expect(existsSync(layout.lock)).toBe(false)
  })

  test.each<[string, (layout: LogLayout) => void, Partial<Disk>]>([
    ['nobody can leave word', ({ owner }) => rmSync(owner), {}],
    ['it cannot be touched', () => {}, { touch: () => Promise.reject(new Error('refused')) }],
  ])('is let go in time where %s', async (_, spoil, calls) => {
    const layout = await makeLayout()
    const disk = { ...asyncDisk, ...calls }
    const kept = new KeptLock(createLock({ disk, layout, timeoutMs: 5000, boot: BOOT }), true)
    await kept.take()
    spoil(layout)
    const [first, last] = await takeFor(kept, 1000)
    expect(last).not.toBe(first)
    kept.release()
    expect(existsSync(layout.lock)).toBe(false)
  })
})
