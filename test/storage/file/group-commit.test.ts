/** Appends of one process while the disk syncs others of it: they share syncs, and each waits for its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import { asyncDisk, type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import { diskError } from '../../../src/storage/file/disk-error.ts'
import type { FileStore } from '../../../src/storage/file/engine.ts'
import { appendTo, draft, uuid } from '../../support/drafts.ts'
import { openTestStore } from '../../support/file-store.ts'

const EVENTS = 100

const folders: string[] = []
const stores: FileStore[] = []

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function makeRoot(): string {
  const folder = mkdtempSync(join(tmpdir(), 'apie-group-commit-'))
  folders.push(folder)
  return join(folder, 'data')
}

async function open(root: string, disk: Disk): Promise<FileStore> {
  const store = await openTestStore(root, { disk, isLongLived: true })
  stores.push(store)
  return store
}

type Sync = { readonly end: (error?: Error) => void }

/** Holds syncs from `hold` on until each is ended; `next` is the one that waits. */
function heldDisk() {
  const waiting: Sync[] = []
  let isHeld = false
  let begun = 0
  const disk: Disk = {
    ...asyncDisk,
    syncData: (fd) => {
      begun++
      if (!isHeld) return asyncDisk.syncData(fd)
      return new Promise((resolve, reject) => {
        waiting.push({ end: (error) => (error ? reject(error) : resolve()) })
      })
    },
  }
  const next = async (): Promise<Sync> => {
    for (;;) {
      const sync = waiting.shift()
      if (sync) return sync
      await turn()
    }
  }
  return {
    disk,
    next,
    begun: () => begun,
    hold: () => {
      isHeld = true
    },
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Until as many are written as are asked for, by what another process reads in the log. */
async function untilWritten(reader: FileStore, count: number): Promise<void> {
  while ((await reader.log.head()).count < count) await turn()
}

test('what arrives while the disk syncs is written meanwhile and takes one more sync', async () => {
  const root = makeRoot()
  const held = heldDisk()
  const store = await open(root, held.disk)
  await store.log.append(appendTo('s', [draft(0)]))
  held.hold()
  const before = held.begun()
  let answered = 0
  const append = async (n: number) => {
    await store.log.append(appendTo('s', [draft(n)]))
    answered++
  }
  const first = append(1)
  const sync = await held.next()
  const others = Array.from({ length: EVENTS }, (_, n) => append(n + 2))
  const reader = await open(root, syncDisk)
  await untilWritten(reader, EVENTS + 2)
  expect(answered).toBe(0)
  expect((await store.log.head()).count).toBe(1)
  sync.end()
  await first
  expect(answered).toBe(1)
  const second = await held.next()
  expect((await store.log.head()).count).toBe(2)
  second.end()
  await Promise.all(others)
  expect(held.begun() - before).toBe(2)
  expect((await store.log.head()).count).toBe(EVENTS + 2)
})

test('a sync that fails is final for those that were written behind what it was for', async () => {
  const root = makeRoot()
  const held = heldDisk()
  const store = await open(root, held.disk)
  await store.log.append(appendTo('s', [draft(0)]))
  held.hold()
  const codeOf = (n: number) =>
    store.log.append(appendTo('s', [draft(n)])).then(
      () => 'stored',
      (error) => (error instanceof AppError ? error.code : String(error)),
    )
  const first = codeOf(1)
  const sync = await held.next()
  const others = Array.from({ length: EVENTS }, (_, n) => codeOf(n + 2))
  const begun = held.begun()
  const reader = await open(root, syncDisk)
  await untilWritten(reader, EVENTS + 2)
  sync.end(diskError(Object.assign(new Error('broken'), { code: 'EIO' }), 'sync'))
  expect(await first).toBe('outcome-unknown')
  expect(new Set(await Promise.all(others))).toEqual(new Set(['outcome-unknown']))
  expect(held.begun()).toBe(begun)
  expect(await codeOf(EVENTS + 2)).toBe('storage-unavailable')
})

test('a reader sees what another process has stored while appends of its own wait for a sync', async () => {
  const root = makeRoot()
  const held = heldDisk()
  const store = await open(root, held.disk)
  const other = await open(root, syncDisk)
  await store.log.append(appendTo('s', [draft(0)]))
  await other.log.append(appendTo('s', [draft(1)]))
  held.hold()
  const own = store.log.append(appendTo('s', [draft(2)]))
  const sync = await held.next()
  const seen = store.log.head()
  sync.end()
  const { count } = await seen
  expect(count).toBeGreaterThanOrEqual(2)
  await own
})

test('of a write that took only a part, what is whole is stored and the rest is told to be refused', async () => {
  const root = makeRoot()
  let isShort = false
  const disk: Disk = {
    ...asyncDisk,
    appendOnce: (fd, bytes) => {
      if (!isShort) return asyncDisk.appendOnce(fd, bytes)
      isShort = false
      const firstLine = Buffer.from(bytes).indexOf('\n') + 1
      return asyncDisk.appendOnce(fd, bytes.subarray(0, firstLine + 10))
    },
  }
  const store = await open(root, disk)
  await store.log.append(appendTo('s', [draft(0)]))
  isShort = true
  const outcomes = await Promise.all(
    [1, 2, 3].map((n) =>
      store.log.append(appendTo('s', [draft(n)])).then(
        ({ kind }) => kind,
        (error) => error.code,
      ),
    ),
  )
  expect(outcomes).toEqual(['appended', 'storage-full', 'storage-full'])
  expect((await store.log.head()).count).toBe(2)
  expect(await store.log.findEventId('s', uuid(2))).toBe(undefined)
})
