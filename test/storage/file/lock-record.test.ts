/**
 * The lock and the record beside it are hints: where the disk fails there, or somebody has left a lock that
 * never gets old, no append is answered otherwise.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { asyncDisk, type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import { diskError } from '../../../src/storage/file/disk-error.ts'
import { appendTo, draft } from '../../support/drafts.ts'
import { openTestStore } from '../../support/file-store.ts'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const failure = (action: string) =>
  diskError(Object.assign(new Error('planned'), { code: 'EIO' }), action)

/** A disk on which one call fails for the record of the owner. */
function withBrokenRecord(disk: Disk, call: 'readAt' | 'close'): Disk {
  const records = new Set<number>()
  const isRecord = (fd: number) => records.has(fd)
  return {
    ...disk,
    openUpdate: (path) => {
      const fd = disk.openUpdate(path)
      if (path.endsWith('.owner')) records.add(fd)
      else records.delete(fd)
      return fd
    },
    readAt: (fd, into, position) => {
      if (call === 'readAt' && isRecord(fd)) throw failure('read')
      return disk.readAt(fd, into, position)
    },
    close: (fd) => {
      disk.close(fd)
      if (records.delete(fd) && call === 'close') throw failure('close')
    },
  }
}

function openStore(root: string, disk: Disk, isLongLived: boolean) {
  return openTestStore(root, { disk, isLongLived })
}

function makeRoot(): string {
  const folder = mkdtempSync(join(tmpdir(), 'apie-lock-'))
  folders.push(folder)
  return join(folder, 'data')
}

test.for([
  ['readAt', true],
  ['readAt', false],
  ['close', true],
  ['close', false],
] as const)('an append is stored where %s fails (server: %s)', async ([call, isLongLived]) => {
  const root = makeRoot()
  const disk = withBrokenRecord(isLongLived ? asyncDisk : syncDisk, call)
  const store = await openStore(root, disk, isLongLived)
  for (let n = 0; n < 3; n++) {
    const { kind } = await store.log.append(appendTo('s', [draft(n)]))
    expect(kind).toBe('appended')
  }
  await store.close()
  expect(readdirSync(join(root, 'locks'))).toEqual(['log.owner'])
})

test('a lock of the future is put away and leaves nothing behind', async () => {
  const root = makeRoot()
  const store = await openStore(root, syncDisk, false)
  const lock = join(root, 'locks', 'log.lock')
  mkdirSync(lock)
  utimesSync(lock, Date.now() / 1000 + 3600, Date.now() / 1000 + 3600)
  expect(await store.log.append(appendTo('s', [draft(0)]))).toMatchObject({ kind: 'appended' })
  await store.close()
  expect(readdirSync(join(root, 'locks'))).toEqual(['log.owner'])
})
