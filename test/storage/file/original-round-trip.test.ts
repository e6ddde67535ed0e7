import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { chainHash, EMPTY_HASH } from '../../../src/domain/event.ts'
import type { ContentHash } from '../../../src/domain/ports.ts'
import { asyncDisk } from '../../../src/storage/file/disk.ts'
import { exportOriginal, importOriginal } from '../../../src/storage/file/original-layout.ts'
import { fixedClock, scratchFolders } from '../../support/data-folder.ts'
import { appendTo, draft } from '../../support/drafts.ts'
import { openTestStore } from '../../support/file-store.ts'
import { collect, verifyStore } from '../../support/store.ts'

const newFolder = scratchFolders()
const sample = join(import.meta.dirname, '../../disk/original')
const HEAD = '3ed54d761f02f8430918f4f92871286adf9812d4eeaa5b748b22666c69d256a2'
const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' as ContentHash

const text = () => 'text/plain'

function openStore(segmentBytes = 64 * 1024) {
  return openTestStore(join(newFolder(), 'data'), {
    disk: asyncDisk,
    clock: fixedClock,
    segmentBytes,
  })
}

it('a folder of the original goes in and comes out byte by byte', async () => {
  const store = await openStore()
  const steps: string[] = []
  const step = (count: number, total: number) => steps.push(`${count}/${total}`)
  expect(await importOriginal(asyncDisk, sample, store, text, step)).toEqual({
    events: { imported: 5, alreadyThere: 0 },
    content: { imported: 3, alreadyThere: 0 },
  })
  // Checked: 5 events, 3 blobs; stored: 3 blobs, 5 events.
  expect(steps.slice(0, 11)).toEqual(Array.from({ length: 11 }, (_, at) => `${at + 1}/16`))
  expect(steps.at(-1)).toBe('16/16')
  expect(await store.log.head()).toEqual({ count: 5, hash: HEAD })
  expect(await store.content.info(HELLO)).toMatchObject({ filename: 'hello.txt', size: 5 })
  expect(await importOriginal(asyncDisk, sample, store, text)).toEqual({
    events: { imported: 0, alreadyThere: 5 },
    content: { imported: 0, alreadyThere: 3 },
  })
  await verifyStore(store)

  const folder = join(newFolder(), 'export')
  const done: number[] = []
  const progress = (count: number, total: number) => done.push(count / total)
  const written = await exportOriginal(asyncDisk, folder, store, progress)
  expect(written).toEqual({ events: 5, content: 3 })
  expect(done.at(-1)).toBe(1)
  for (const path of ['events/default/tmp', 'media/tmp']) fs.rmdirSync(join(folder, path))
  expect(execFileSync('diff', ['-r', sample, folder], { encoding: 'utf8' })).toBe('')
  await expect(exportOriginal(asyncDisk, folder, store)).rejects.toMatchObject({ code: 'usage' })
  await store.close()
})

it('events that take many reads come out with their own bytes, and go in again', async () => {
  // In one file, so that it is read piece by piece.
  const store = await openStore(8 << 20)
  for (let from = 0; from < 3000; from += 100) {
    await store.log.append(
      appendTo(
        'many',
        Array.from({ length: 100 }, (_, at) => draft(from + at)),
      ),
    )
  }
  const folder = join(newFolder(), 'export')
  expect((await exportOriginal(asyncDisk, folder, store)).events).toBe(3000)
  const other = await openStore()
  expect((await importOriginal(asyncDisk, folder, other, text)).events.imported).toBe(3000)
  expect(await other.log.head()).toEqual(await store.log.head())
  await store.close()
  await other.close()
})

it('removed bodies are declared in what is exported, and go in again as such', async () => {
  const store = await openStore()
  await importOriginal(asyncDisk, sample, store, text)
  await store.log.scavenge((_, position) => position === 1 || position === 4)
  const folder = join(newFolder(), 'export')
  await exportOriginal(asyncDisk, folder, store)
  const path = join(folder, 'events/default/3e', HEAD, '0000000005.json')
  expect(fs.readFileSync(path, 'utf8')).toMatch(
    /^[0-9a-f]{64}\n~[0-9a-f]{16} \{"eventId":"[^\n]*"body":null,"scavenged":true,[^\n]*"hash":null\}$/,
  )
  const other = await openStore()
  expect((await importOriginal(asyncDisk, folder, other, text)).events.imported).toBe(5)
  expect(await other.log.head()).toEqual({ count: 5, hash: HEAD })
  expect(await other.log.verify()).toMatchObject({ findings: [], counts: { scavenged: 2 } })
  const again = join(newFolder(), 'again')
  await exportOriginal(asyncDisk, again, other)
  expect(execFileSync('diff', ['-r', folder, again], { encoding: 'utf8' })).toBe('')
  const left = fs.readFileSync(path, 'latin1')
  const unnoticed: number[] = []
  for (let at = 65; at < left.length; at++) {
    const changed = String.fromCharCode(left.charCodeAt(at) ^ 1)
    fs.writeFileSync(path, left.slice(0, at) + changed + left.slice(at + 1), 'latin1')
    const third = importOriginal(asyncDisk, folder, other, text)
    await third.then(
      () => unnoticed.push(at),
      () => {},
    )
  }
  expect(unnoticed).toEqual([])
  for (const { close } of [store, other]) await close()
})

it('a bare log of the original is taken over without content', async () => {
  const store = await openStore()
  expect(await importOriginal(asyncDisk, join(sample, 'events/default'), store, text)).toEqual({
    events: { imported: 5, alreadyThere: 0 },
    content: { imported: 0, alreadyThere: 0 },
  })
  await verifyStore(store)
  await store.close()
})

it('a folder with another history is refused before its content is stored', async () => {
  const store = await openStore()
  const other =
    '{"eventId":"00000000-0000-4000-8000-000000000009","eventType":"x","body":1,"createdBy":"a","createdAt":"2020-01-01T00:00:00.000Z","hash":null}'
  const json = Buffer.from(other)
  async function* history() {
    yield { json, hash: chainHash(EMPTY_HASH, json), previous: EMPTY_HASH }
  }
  await store.log.importEvents(history())
  const outcome = importOriginal(asyncDisk, sample, store, text)
  await expect(outcome).rejects.toMatchObject({ code: 'import-refused' })
  expect(await collect(store.content.list())).toEqual([])
  expect((await store.log.head()).count).toBe(1)
  await verifyStore(store)
  await store.close()
})

it('a folder with a damaged event or a damaged blob gives neither events nor content', async () => {
  const event = `events/default/3e/${HEAD}/0000000005.json`
  for (const damaged of [event, `media/2c/${HELLO}/hello.txt`]) {
    const store = await openStore()
    const folder = join(newFolder(), 'copy')
    fs.cpSync(sample, folder, { recursive: true })
    const path = join(folder, damaged)
    const bytes = fs.readFileSync(path)
    fs.writeFileSync(
      path,
      bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)),
    )
    const outcome = importOriginal(asyncDisk, folder, store, text)
    await expect(outcome, damaged).rejects.toMatchObject({ code: 'import-refused' })
    expect(await collect(store.content.list())).toEqual([])
    expect((await store.log.head()).count).toBe(0)
    fs.writeFileSync(path, bytes)
    expect((await importOriginal(asyncDisk, folder, store, text)).events.imported).toBe(5)
    await verifyStore(store)
    await store.close()
  }
})
