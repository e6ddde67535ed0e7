/** An index that is written beside other work has the same bytes as any other, whatever comes in between. */
import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import type { EventHash } from '../../../src/domain/event.ts'
import { sequencesOf, typeSequence } from '../../../src/domain/sequence.ts'
import { sha256Hex } from '../../../src/kit/sha256.ts'
import { asyncDisk, type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import { GENESIS } from '../../../src/storage/file/head-file.ts'
import { IndexFiles } from '../../../src/storage/file/index-files.ts'
import { LogIndex } from '../../../src/storage/file/log-index.ts'
import type { IndexedEvent } from '../../../src/storage/file/pending-events.ts'
import { scratchFolders } from '../../support/data-folder.ts'
import { uuid } from '../../support/drafts.ts'
import { faultyDisk } from '../../support/fault-disk.ts'
import { heldDisk } from '../../support/held-writes.ts'

const newFolder = scratchFolders()
const STORE = '0123456789abcdef0123456789abcdef'

function eventsFrom(first: number, count: number): IndexedEvent[] {
  return Array.from({ length: count }, (_, at) => {
    const position = first + at
    return {
      ...{ segment: 1, offset: position * 100, length: 90, lineOffset: position * 100 },
      createdAtMs: 0,
      hash: sha256Hex(String(position)) as EventHash,
      stream: `s-${position % 7}`,
      eventType: `t-${position % 2}`,
      eventId: uuid(position % 30),
      isOwned: false,
    }
  })
}

const pointOf = (index: LogIndex) => ({
  ...GENESIS,
  count: index.count,
  sequences: index.sequenceCount,
})
const newIndex = () => new LogIndex(STORE, sequencesOf, GENESIS, undefined)
const NAMES = ['entries', 'links', 'hashes', 'ids', 'repeats', 'sequences']
const imageOf = (folder: string) => NAMES.map((name) => fs.readFileSync(join(folder, name), 'hex'))

/** A disk that notes the writes to the files of a folder, by their names. */
function noted(folder: string, disk: Disk = syncDisk) {
  const names = new Map<number, string>()
  const writes: string[] = []
  return {
    writes,
    disk: {
      ...disk,
      openUpdate: (path: string) => {
        const fd = disk.openUpdate(path)
        names.set(fd, path.slice(folder.length + 1))
        return fd
      },
      writeAt: (fd: number, bytes: Uint8Array, position: number) => {
        writes.push(`${names.get(fd)} ${position} ${Buffer.from(bytes).toString('hex')}`)
        disk.writeAt(fd, bytes, position)
      },
    } satisfies Disk,
  }
}

test('the same writes are made in the same order as of an index that is written at once', async () => {
  const [a, b] = [join(newFolder(), 'a'), join(newFolder(), 'b')]
  const [atOnce, beside] = [noted(a), noted(b)]
  const [first, second] = [IndexFiles.make(atOnce.disk, a), IndexFiles.make(beside.disk, b)]
  const [one, other] = [newIndex(), newIndex()]
  for (const [from, count] of [
    [0, 40],
    [40, 1],
    [41, 200],
  ] as const) {
    one.add(eventsFrom(from, count))
    one.flush(first, pointOf(one), 0)
    other.add(eventsFrom(from, count))
    expect(await other.flushBeside(second, pointOf(other), 0)).toBe(true)
  }
  expect(beside.writes).toEqual(atOnce.writes)
  expect(imageOf(b)).toEqual(imageOf(a))
  one.close()
  other.close()
})

test('whatever write fails, the index is whole once it was written again', async () => {
  const expected = join(newFolder(), 'expected')
  const files = IndexFiles.make(syncDisk, expected)
  const right = newIndex()
  for (const from of [0, 20]) {
    right.add(eventsFrom(from, 20))
    right.flush(files, pointOf(right), 0)
  }
  right.close()
  for (let failAt = 1; ; failAt++) {
    const folder = join(newFolder(), 'index')
    const index = newIndex()
    const healthy = IndexFiles.make(syncDisk, folder)
    index.add(eventsFrom(0, 20))
    index.flush(healthy, pointOf(index), 0)
    const plan = { failAt, code: 'ENOSPC', mode: 'once', only: ['writeAt'] } as const
    const faulty = faultyDisk(asyncDisk, plan)
    const opened = IndexFiles.make(faulty.disk, folder)
    index.add(eventsFrom(20, 20))
    const written = index.flushBeside(opened, pointOf(index), 0)
    if (!faulty.hasFailed()) {
      expect(await written).toBe(true)
      index.close()
      expect(failAt).toBeGreaterThan(60)
      break
    }
    await expect(written).rejects.toMatchObject({ code: 'storage-full' })
    expect(index.pendingCount).toBe(20)
    expect(index.lastVersion('s-0', 40)).toBe(5)
    expect(index.sequenceHead(typeSequence('t-1'), 40)).toEqual({ number: 19, position: 39 })
    await index.flushBeside(opened, pointOf(index), 0)
    expect(index.findHash(sha256Hex('25') as EventHash, 40)).toBe(25)
    expect(imageOf(folder)).toEqual(imageOf(expected))
    index.close()
  }
})

test.each([
  ['made', false],
  ['that fail', true],
])(
  'files that are closed meanwhile stay open until the answer about writes %s',
  async (_, fails) => {
    const folder = join(newFolder(), 'index')
    const held = heldDisk()
    const closed: number[] = []
    const close = (fd: number) => {
      closed.push(fd)
      asyncDisk.close(fd)
    }
    const files = IndexFiles.make({ ...held.disk, close }, folder)
    const index = newIndex()
    index.add(eventsFrom(0, 40))
    const written = index.flushBeside(files, pointOf(index), 0).catch(() => 'failed')
    index.close()
    files.close()
    expect(closed).toEqual([])
    const writes = await held.next()
    if (fails) writes.fail(new AppError('storage-full', 'There is no space left'))
    else await writes.make()
    expect(await written).toBe(fails ? 'failed' : false)
    files.close()
    expect(new Set(closed).size).toBe(6)
    expect(closed).toHaveLength(6)
    expect(fs.statSync(join(folder, 'entries')).size).toBe(fails ? 0 : 40 * 144)
  },
)
