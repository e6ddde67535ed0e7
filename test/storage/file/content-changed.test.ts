/** Content that changes, or goes, between two looks of whoever reads or verifies it. */
import { rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import type { AttemptKey } from '../../../src/domain/throttle.ts'
import { createFileAttempts } from '../../../src/storage/file/attempts.ts'
import { createFileContent } from '../../../src/storage/file/content.ts'
import { type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import { makeDataFolder, scratchFolders } from '../../support/data-folder.ts'

const newFolder = scratchFolders()
const clock = { now: () => Date.now() }
const about = { filename: 'f', mediaType: 'text/plain' }

async function* bytes(size: number): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(size, 'x')
}

async function stored(size = 5) {
  const root = join(newFolder(), 'data')
  const { layout } = await makeDataFolder(syncDisk, root)
  const open = (calls: Partial<Disk> = {}) =>
    createFileContent({ disk: { ...syncDisk, ...calls }, layout, clock })
  const { hash } = await open().put(bytes(size), about)
  const folder = join(root, 'content', hash.slice(0, 2))
  const files = { blob: join(folder, `${hash}.blob`), about: join(folder, `${hash}.json`) }
  return { root, open, hash, folder, ...files }
}

const told = { filename: 'f', mediaType: 'a/b', size: 5, createdAt: '2026-01-31T12:00:00.000Z' }

describe('content', () => {
  test.each<[string, Record<string, unknown>]>([
    ['a name that is none', { filename: 5 }],
    ['a media type that is none', { mediaType: null }],
    ['a size that is none', { size: '5' }],
    ['a time that is none', { createdAt: 'yesterday' }],
    ['the hash of another', { hash: '0'.repeat(64) }],
  ])('that is described with %s is damaged', async (_what, wrong) => {
    const { open, hash, about: path } = await stored()
    writeFileSync(path, JSON.stringify({ hash, ...told, ...wrong }))
    await expect(open().info(hash)).rejects.toMatchObject({ code: 'content-damaged' })
    expect((await open().verify()).findings).toMatchObject([{ kind: 'damage', hash }])
  })

  test('that is described with another size is damaged', async () => {
    const { open, hash, about: path } = await stored()
    writeFileSync(path, JSON.stringify({ hash, ...told, size: 6 }))
    expect((await open().verify(() => {})).findings).toMatchObject([{ kind: 'damage', hash }])
    await expect(open().read(hash)).rejects.toMatchObject({ code: 'content-damaged' })
  })

  test('that becomes shorter before or while it is read is damaged', async () => {
    const { open, hash, blob } = await stored(600_000)
    const read = async (calls: Partial<Disk>) => {
      for await (const _ of (await open(calls).read(hash)) ?? []);
    }
    const early: Disk['openRead'] = (path) => {
      if (path === blob) truncateSync(blob, 599_999)
      return syncDisk.openRead(path)
    }
    await expect(read({ openRead: early })).rejects.toMatchObject({ code: 'content-damaged' })
    await open().put(bytes(600_000), about)
    const late: Disk['size'] = (fd) => {
      const size = syncDisk.size(fd)
      truncateSync(blob, 300_000)
      return size
    }
    await expect(read({ size: late })).rejects.toMatchObject({ code: 'content-damaged' })
  })

  test('that is removed while it is verified is no damage', async () => {
    const { open, folder } = await stored()
    const gone: Disk['openRead'] = (path) => {
      if (path.endsWith('.blob')) return undefined
      return syncDisk.openRead(path)
    }
    expect((await open({ openRead: gone }).verify()).findings).toEqual([])
    const status: Disk['status'] = (path) => {
      if (path.endsWith('.blob')) rmSync(folder, { recursive: true, force: true })
      return syncDisk.status(path)
    }
    expect((await open({ status }).verify()).findings).toEqual([])
  })

  test('whose folders are gone is none', async () => {
    const { root, open, folder } = await stored()
    const list: Disk['list'] = (path) => {
      const names = syncDisk.list(path)
      return path === folder ? undefined : names
    }
    const all = async (calls: Partial<Disk>) => {
      const found: string[] = []
      for await (const { hash } of open(calls).list()) found.push(hash)
      expect((await open(calls).verify(() => {})).findings).toEqual([])
      return found.length
    }
    expect(await all({})).toBe(1)
    expect(await all({ list })).toBe(0)
    rmSync(join(root, 'content'), { recursive: true })
    expect(await all({})).toBe(0)
  })

  test('that cannot be looked at for a reason that nobody knows is no finding, but fails', async () => {
    const { open } = await stored()
    const status: Disk['status'] = (path) => {
      if (path.endsWith('.json')) throw new TypeError('a mistake')
      return syncDisk.status(path)
    }
    await expect(open({ status }).verify()).rejects.toThrow('a mistake')
  })

  test('that uploads left unfinished is counted', async () => {
    const { root, open } = await stored()
    const old = Date.now() / 1000 - 200_000
    for (const [name, found] of [
      ['one', '1 temporary file '],
      ['two', '2 temporary files '],
    ] as const) {
      writeFileSync(join(root, 'tmp', name), 'x')
      utimesSync(join(root, 'tmp', name), old, old)
      const { findings } = await open().verify()
      expect(findings).toMatchObject([{ kind: 'repairable' }])
      expect(findings[0]?.message).toContain(found)
    }
  })
})

test('counting failed sign-ins goes on without a disk, and hides no mistake', async () => {
  const path = join(newFolder(), 'attempts')
  const key: AttemptKey = { kind: 'account', hash: 'ab'.repeat(32) }
  const broken = (error: unknown): Disk => ({
    ...syncDisk,
    openRead: () => {
      throw error
    },
  })
  expect(createFileAttempts(syncDisk, path).read(key)).toBe(undefined)
  const full = new AppError('storage-full', 'There is no space')
  expect(createFileAttempts(broken(full), path).read(key)).toBe(undefined)
  expect(() => createFileAttempts(broken(new TypeError('a mistake')), path).read(key)).toThrow(
    'a mistake',
  )
})
