/** Records that move on: what is old goes, what is acknowledged stays, and nobody is left behind. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import { diskError } from '../../../src/storage/file/disk-error.ts'
import type { FileStore } from '../../../src/storage/file/engine.ts'
import { PowerDisk } from '../../crash/power-disk.ts'
import { openTestStore } from '../../support/file-store.ts'

/** Old revisions after which the records move on. */
const LEAVE_AT = 20
const LONG_MS = 120_000

const folders: string[] = []
const stores: FileStore[] = []

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function makeRoot(): string {
  const folder = mkdtempSync(join(tmpdir(), 'apie-records-'))
  folders.push(folder)
  return join(folder, 'data')
}

async function open(
  root: string,
  turns: { disk?: Disk; segmentBytes?: number; now?: () => number } = {},
): Promise<FileStore> {
  const store = await openTestStore(root, {
    disk: turns.disk ?? syncDisk,
    clock: { now: turns.now ?? Date.now },
    segmentBytes: turns.segmentBytes ?? 1 << 20,
    leaveRecordsAt: LEAVE_AT,
  })
  stores.push(store)
  return store
}

async function raise({ records }: FileStore, key: string): Promise<void> {
  const found = await records.read('counter', key)
  const count = (found?.value as number | undefined) ?? 0
  await records.write('counter', key, count + 1, found?.revision ?? 'absent')
}

const countOf = async ({ records }: FileStore, key: string) =>
  (await records.read('counter', key))?.value

const generationOf = async (store: FileStore): Promise<number | undefined> =>
  (await store.records.verify?.())?.counts['generation']

test('whoever has looked away while the files of a log were filled, left and removed reads what is there now', async () => {
  const root = makeRoot()
  let now = Date.now()
  const one = await open(root, { segmentBytes: 2000, now: () => now })
  const idle = await open(root, { segmentBytes: 2000 })
  await raise(one, 'seldom')
  expect(await countOf(idle, 'seldom')).toBe(1)
  for (let n = 0; n < LEAVE_AT + 10; n++) await raise(one, 'often')
  expect(await generationOf(one)).toBe(1)
  await raise(one, 'seldom')
  now += LONG_MS
  await raise(one, 'often')
  expect(readdirSync(join(root, 'records'))).toEqual(['1'])
  expect(await countOf(idle, 'seldom')).toBe(2)
})

test('records that come and go under ever new keys leave nothing behind', async () => {
  const root = makeRoot()
  const store = await open(root)
  await raise(store, 'a')
  for (let n = 0; n < 10 * LEAVE_AT; n++) {
    const { revision } = await store.records.write('run', `g${n}/k`, { n }, 'absent')
    await store.records.remove('run', `g${n}/k`, revision)
  }
  expect(await generationOf(store)).toBeGreaterThan(1)
  expect(await store.records.list('run')).toEqual([])
  expect(await countOf(store, 'a')).toBe(1)
})

test('a sync that fails while records are copied is not what keeps them from moving on for ever', async () => {
  const root = makeRoot()
  let isArmed = false
  let failures = 0
  const paths = new Map<number, string>()
  const disk: Disk = {
    ...syncDisk,
    openAppend: (path) => {
      const fd = syncDisk.openAppend(path)
      if (fd !== undefined) paths.set(fd, path)
      return fd
    },
    syncData: (fd) => {
      if (isArmed && paths.get(fd)?.includes('records/1/')) {
        isArmed = false
        failures++
        throw diskError(Object.assign(new Error('planned'), { code: 'EIO' }), 'sync')
      }
      return syncDisk.syncData(fd)
    },
  }
  const store = await open(root, { disk })
  isArmed = true
  for (let n = 0; n < 3 * LEAVE_AT; n++) await raise(store, `k${n % 3}`)
  expect(failures).toBe(1)
  expect(await generationOf(store)).toBeGreaterThanOrEqual(1)
  expect(await countOf(store, 'k0')).toBe(LEAVE_AT)
})

test('power that goes behind the move takes no record that was written', async () => {
  const power = new PowerDisk()
  const store = await open('/data', { disk: power.disk })
  let counted = 0
  while ((await generationOf(store)) === undefined && counted < 3 * LEAVE_AT) {
    await raise(store, 'a')
    counted++
  }
  await raise(store, 'a')
  const left = power.afterLoss('loses all', Math.random)
  const found = await open('/data', { disk: left.disk })
  expect(await countOf(found, 'a')).toBe(counted + 1)
  expect(await generationOf(found)).toBe(1)
})
