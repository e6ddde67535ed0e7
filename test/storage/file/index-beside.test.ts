/** A server's index that is written beside other work: what is answered meanwhile, and what may come in between. */
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import type { EventHash } from '../../../src/domain/event.ts'
import { streamSequence } from '../../../src/domain/sequence.ts'
import { asyncDisk, type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import type { FileStore } from '../../../src/storage/file/engine.ts'
import { HeadFile } from '../../../src/storage/file/head-file.ts'
import { scratchFolders } from '../../support/data-folder.ts'
import { appendTo, draft, uuid } from '../../support/drafts.ts'
import { openTestStore } from '../../support/file-store.ts'
import { heldDisk } from '../../support/held-writes.ts'

const newFolder = scratchFolders()
const stores: FileStore[] = []

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
})

async function open(root: string, disk: Disk, isLongLived = true): Promise<FileStore> {
  const store = await openTestStore(root, { disk, isLongLived })
  stores.push(store)
  return store
}

/** How many events the head of the index speaks of. */
function indexed({ folder }: FileStore): number {
  const { index } = folder.layout.events
  return new HeadFile(syncDisk, index, folder.storeId).read()?.point.count ?? 0
}

/** Events that are appended at once, so that their index is written beside other work; a stream for each. */
const MANY = 128

/** Appends `count` events to a stream of their own, with numbers from `from` on. */
async function fill({ log }: FileStore, from: number, count: number): Promise<void> {
  const drafts = Array.from({ length: count }, (_, at) => draft(from + at))
  await log.append(appendTo(`s-${from}`, drafts))
}

/** The events of each part are found in every way, and nothing else. */
async function expectAll({ log }: FileStore, ...parts: [from: number, count: number][]) {
  for (const [from, count] of parts) {
    const stream = `s-${from}`
    for (let n = from; n < from + count; n += 3) {
      const event = await log.read(n)
      expect(await log.findHash(event?.hash as EventHash)).toBe(n)
      expect((await log.findEventId(stream, uuid(n)))?.position).toBe(n)
      expect(await log.findEventIdAnywhere(uuid(n))).toBe(n)
      expect(await log.findEventId('other', uuid(n))).toBeUndefined()
      const { kind, events } = await log.append(appendTo(stream, [draft(n)]))
      expect([kind, events[0]?.position]).toEqual(['already-there', n])
    }
    const members = await log.readSequence(streamSequence(stream), 0, 'forwards', count)
    expect(members.map(({ event }) => event.position)).toEqual(
      Array.from({ length: count }, (_, at) => from + at),
    )
    const last = { number: count - 1, position: from + count - 1 }
    expect(await log.sequenceHead(streamSequence(stream))).toEqual(last)
  }
  const total = parts.reduce((sum, [, count]) => sum + count, 0)
  expect((await log.head()).count).toBe(total)
}

describe('while the index is being written', () => {
  test('all events are found, those before it, in it and behind it', async () => {
    const held = heldDisk()
    const store = await open(join(newFolder(), 'data'), held.disk)
    await fill(store, 0, MANY)
    await (await held.next()).make()
    await fill(store, MANY, MANY)
    const writes = await held.next()
    const before = indexed(store)
    await fill(store, 2 * MANY, 10)
    await expectAll(store, [0, MANY], [MANY, MANY], [2 * MANY, 10])
    expect(indexed(store)).toBe(before)
    held.letGo()
    await writes.make()
    await expectAll(store, [0, MANY], [MANY, MANY], [2 * MANY, 10])
    expect((await store.log.verify()).findings).toEqual([])
    expect(indexed(store)).toBe(2 * MANY + 10)
  })

  test('an id that other streams have, too, is found in each, when one of them is written', async () => {
    const held = heldDisk()
    const store = await open(join(newFolder(), 'data'), held.disk)
    await fill(store, 0, MANY)
    const writes = await held.next()
    await store.log.append(appendTo('b', [draft(1)]))
    await store.log.append(appendTo('c', [draft(1)]))
    held.letGo()
    for (const isWritten of [false, true]) {
      if (isWritten) await writes.make()
      for (const [stream, position] of [
        ['s-0', 1],
        ['b', MANY],
        ['c', MANY + 1],
      ] as const) {
        expect((await store.log.findEventId(stream, uuid(1)))?.position).toBe(position)
      }
    }
    expect((await store.log.verify()).findings).toEqual([])
  })

  test('another process finds what was acknowledged, and its index is taken up', async () => {
    const root = join(newFolder(), 'data')
    const held = heldDisk()
    const store = await open(root, held.disk)
    await fill(store, 0, MANY)
    const writes = await held.next()
    const other = await open(root, asyncDisk, false)
    await fill(other, MANY, 2)
    expect(indexed(store)).toBe(MANY + 2)
    await expectAll(store, [0, MANY], [MANY, 2])
    held.letGo()
    await writes.make()
    await fill(store, MANY + 2, 3)
    await expectAll(store, [0, MANY], [MANY, 2], [MANY + 2, 3])
    expect((await store.log.verify()).findings).toEqual([])
  })

  test('an index built anew waits for it', async () => {
    const held = heldDisk()
    const store = await open(join(newFolder(), 'data'), held.disk)
    await fill(store, 0, MANY)
    const writes = await held.next()
    const built = store.reindex()
    held.letGo()
    await writes.make()
    await built
    await fill(store, MANY, 3)
    await expectAll(store, [0, MANY], [MANY, 3])
    expect((await store.log.verify()).findings).toEqual([])
  })

  test('a store that is closed closes when it is written', async () => {
    const root = join(newFolder(), 'data')
    const held = heldDisk()
    const store = await openTestStore(root, { disk: held.disk, isLongLived: true })
    await fill(store, 0, MANY)
    const writes = await held.next()
    await fill(store, MANY, 5)
    const closed = store.close()
    expect(indexed(store)).toBe(0)
    held.letGo()
    await writes.make()
    await closed
    expect(indexed(store)).toBe(MANY + 5)
    await expectAll(await open(root, asyncDisk, false), [0, MANY], [MANY, 5])
  })
})

test('events whose index could not be written are found, and written with the next ones', async () => {
  const root = join(newFolder(), 'data')
  const held = heldDisk()
  const store = await open(root, held.disk)
  await fill(store, 0, MANY)
  const writes = await held.next()
  await fill(store, MANY, 2)
  held.letGo()
  writes.fail(new AppError('storage-full', 'There is no space left'))
  await expectAll(store, [0, MANY], [MANY, 2])
  await fill(store, MANY + 2, 3)
  expect((await store.log.verify()).findings).toEqual([])
  expect(indexed(store)).toBe(MANY + 5)
  const other = await open(root, asyncDisk, false)
  await expectAll(other, [0, MANY], [MANY, 2], [MANY + 2, 3])
})

test('where too many events are behind the index, the next ones wait for it', async () => {
  const held = heldDisk()
  const store = await open(join(newFolder(), 'data'), held.disk)
  const other = await open(join(newFolder(), 'data'), asyncDisk)
  await fill(store, 0, 1024)
  const writes = await held.next()
  await fill(store, 1024, 3072)
  const later = store.log.append(appendTo('later', [draft(5000)]))
  const others = async () => {
    for (let n = 0; n < 5; n++) await fill(other, n, 1)
    return 'others'
  }
  expect(await Promise.race([later, others()])).toBe('others')
  held.letGo()
  await writes.make()
  await later
  expect((await store.log.verify()).findings).toEqual([])
  expect(indexed(store)).toBe(4097)
})
