import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ContentHash } from '../../../src/domain/ports.ts'
import { asyncDisk } from '../../../src/storage/file/disk.ts'
import { openFileStore } from '../../../src/storage/file/engine.ts'
import { exportOriginal, importOriginal } from '../../../src/storage/file/original-layout.ts'
import { fixedClock, scratchFolders } from '../../support/data-folder.ts'
import { verifyStore } from '../../support/store.ts'

const newFolder = scratchFolders()
const sample = join(import.meta.dirname, '../../disk/original')
const HEAD = '3ed54d761f02f8430918f4f92871286adf9812d4eeaa5b748b22666c69d256a2'
const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' as ContentHash

async function openStore() {
  const store = await openFileStore({
    disk: asyncDisk,
    root: join(newFolder(), 'data'),
    create: true,
    allowUnsafe: false,
    clock: fixedClock,
    segmentBytes: 64 * 1024,
    lockTimeoutMs: 8000,
    sync: true,
    catchUpMs: 10_000,
  })
  if (!store) throw new Error('the store was not made')
  return store
}

it('a folder of the original goes in and comes out byte by byte', async () => {
  const store = await openStore()
  const target = {
    content: store.content,
    mediaTypeOf: () => 'text/plain',
    importEvents: store.log.importEvents.bind(store.log),
  }
  expect(await importOriginal(asyncDisk, sample, target)).toEqual({
    events: { imported: 5, alreadyThere: 0 },
    content: { imported: 3, alreadyThere: 0 },
  })
  expect(await store.log.head()).toEqual({ count: 5, hash: HEAD })
  expect(await store.content.info(HELLO)).toMatchObject({ filename: 'hello.txt', size: 5 })
  expect(await importOriginal(asyncDisk, sample, target)).toEqual({
    events: { imported: 0, alreadyThere: 5 },
    content: { imported: 0, alreadyThere: 3 },
  })
  await verifyStore(store)

  const folder = join(newFolder(), 'export')
  const done: number[] = []
  const progress = (count: number, total: number) => done.push(count / total)
  const written = await exportOriginal(asyncDisk, folder, store, progress)
  expect(written).toEqual({ events: 5, content: 3 })
  expect(done).toEqual([0.2, 0.4, 0.6, 0.8, 1])
  for (const path of ['events/default/tmp', 'media/tmp']) fs.rmdirSync(join(folder, path))
  expect(execFileSync('diff', ['-r', sample, folder], { encoding: 'utf8' })).toBe('')
  await expect(exportOriginal(asyncDisk, folder, store)).rejects.toMatchObject({ code: 'usage' })
  await store.close()
})

it('a bare log of the original is taken over without content', async () => {
  const store = await openStore()
  const target = {
    content: store.content,
    mediaTypeOf: () => 'text/plain',
    importEvents: store.log.importEvents.bind(store.log),
  }
  expect(await importOriginal(asyncDisk, join(sample, 'events/default'), target)).toEqual({
    events: { imported: 5, alreadyThere: 0 },
    content: { imported: 0, alreadyThere: 0 },
  })
  await verifyStore(store)
  await store.close()
})
