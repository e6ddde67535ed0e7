/** Damaged content that is read, verified, and uploaded again. */
import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import { createFileContent } from '../../../src/storage/file/content.ts'
import { asyncDisk, type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import { makeDataFolder, scratchFolders, tree } from '../../support/data-folder.ts'
import { faultyDisk } from '../../support/fault-disk.ts'

const newFolder = scratchFolders()
const clock = { now: () => Date.now() }
const FIRST = { filename: 'first.txt', mediaType: 'text/plain' }
const SECOND = { filename: 'second', mediaType: 'a/b' }
const LARGE = 600_000

async function* bytes(size: number): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(size, 'x')
}

async function stored(size = 5, disk = syncDisk) {
  const root = join(newFolder(), 'data')
  const { layout } = await makeDataFolder(syncDisk, root)
  const open = (calls: Partial<Disk> = {}) =>
    createFileContent({ disk: { ...disk, ...calls }, layout, clock })
  const { hash } = await open().put(bytes(size), FIRST)
  const folder = join(root, 'content', hash.slice(0, 2))
  const files = { blob: join(folder, `${hash}.blob`), about: join(folder, `${hash}.json`) }
  return { root, layout, open, hash, ...files }
}

type Stored = Awaited<ReturnType<typeof stored>>

function flip(path: string): void {
  const found = fs.readFileSync(path)
  const at = found.length >> 1
  found[at] = (found[at] ?? 0) ^ 1
  fs.writeFileSync(path, found)
}

function withSize({ about }: Stored, size: number): void {
  fs.writeFileSync(about, JSON.stringify({ ...JSON.parse(fs.readFileSync(about, 'utf8')), size }))
}

async function sizeOf(chunks: AsyncIterable<Uint8Array> | undefined): Promise<number> {
  let size = 0
  for await (const chunk of chunks ?? []) size += chunk.length
  return size
}

describe('damaged content of one piece', () => {
  it.each([
    ['synchronous', syncDisk],
    ['asynchronous', asyncDisk],
  ])('is refused before anything of it is sent, with %s calls', async (_, disk) => {
    for (const size of [1, 5, 262_144]) {
      const { open, hash, blob } = await stored(size, disk)
      flip(blob)
      const before = fs.readdirSync('/proc/self/fd').length
      await expect(open().read(hash)).rejects.toMatchObject({ code: 'content-damaged' })
      const whole = { start: 0, end: size - 1 }
      await expect(open().read(hash, whole)).rejects.toMatchObject({ code: 'content-damaged' })
      expect(fs.readdirSync('/proc/self/fd').length).toBe(before)
    }
  })

  it('is refused where it is empty and should not be', async () => {
    const { root, open, hash, about } = await stored(0)
    expect(await sizeOf(await open().read(hash))).toBe(0)
    const other = '0'.repeat(64) as typeof hash
    const path = join(root, 'content/00', other)
    fs.mkdirSync(join(root, 'content/00'))
    fs.writeFileSync(`${path}.blob`, '')
    fs.writeFileSync(`${path}.json`, fs.readFileSync(about, 'utf8').replace(hash, other))
    await expect(open().read(other)).rejects.toMatchObject({ code: 'content-damaged' })
  })
})

const damages: [string, (found: Stored) => void, typeof FIRST][] = [
  ['one byte of which was changed', ({ blob }) => flip(blob), FIRST],
  ['that became shorter', ({ blob }) => fs.truncateSync(blob, 4), FIRST],
  ['whose bytes are gone', ({ blob }) => fs.unlinkSync(blob), FIRST],
  ['whose description is no text', ({ about }) => fs.writeFileSync(about, '{"hash":'), SECOND],
  ['whose description is empty', ({ about }) => fs.writeFileSync(about, ''), SECOND],
  ['whose description tells another size', (found) => withSize(found, 6), SECOND],
  ['whose description is gone', ({ about }) => fs.unlinkSync(about), SECOND],
  [
    'with both damaged',
    ({ blob, about }) => {
      flip(blob)
      fs.writeFileSync(about, 'nothing')
    },
    SECOND,
  ],
]

describe('an upload of content', () => {
  test.each(damages)('%s puts it right', async (_what, damage, names) => {
    for (const [size, disk] of [
      [5, syncDisk],
      [LARGE, asyncDisk],
    ] as const) {
      const found = await stored(size, disk)
      const { root, open, hash } = found
      damage(found)
      expect(await open().put(bytes(size), SECOND)).toMatchObject({ hash, ...names })
      expect(await open().info(hash)).toMatchObject({ hash, size, ...names })
      expect(await sizeOf(await open().read(hash))).toBe(size)
      expect((await open().verify()).findings).toEqual([])
      expect(tree(join(root, 'tmp'))).toEqual([])
    }
  })

  it('that is sound leaves its files alone', async () => {
    const { open, blob, about } = await stored(LARGE)
    const before = [blob, about].map((path) => fs.statSync(path).ino)
    expect(await open().put(bytes(LARGE), SECOND)).toMatchObject(FIRST)
    expect([blob, about].map((path) => fs.statSync(path).ino)).toEqual(before)
  })

  it('that the disk cannot read any more replaces it', async () => {
    const { open, blob } = await stored()
    const before = fs.statSync(blob).ino
    const readMuch: Disk['readMuch'] = () => {
      throw new AppError('storage-unavailable', 'The disk cannot be read')
    }
    await open({ readMuch }).put(bytes(5), SECOND)
    expect(fs.statSync(blob).ino).not.toBe(before)
    const mistaken: Disk['readMuch'] = () => {
      throw new TypeError('a mistake')
    }
    await expect(open({ readMuch: mistaken }).put(bytes(5), SECOND)).rejects.toThrow('a mistake')
  })

  test.each([
    ['ENOSPC', 'once'],
    ['ENOSPC', 'from-then-on'],
    ['EIO', 'once'],
    ['EIO', 'from-then-on'],
  ] as const)('that is damaged leaves it so or puts it right, %s %s', async (code, mode) => {
    for (let failAt = 1, hasFailed = true; hasFailed; failAt++) {
      const found = await stored()
      const { root, layout, open, hash, blob, about } = found
      flip(blob)
      fs.writeFileSync(about, 'nothing')
      const faulty = faultyDisk(syncDisk, { code, mode, failAt })
      const broken = createFileContent({ disk: faulty.disk, layout, clock })
      const error = await broken.put(bytes(5), SECOND).catch((reason: unknown) => reason)
      const { findings } = await open().verify()
      if (error instanceof AppError) expect(findings.length).toBeLessThanOrEqual(2)
      else
        expect([failAt, error, findings]).toEqual([failAt, expect.objectContaining({ hash }), []])
      await open().put(bytes(5), SECOND)
      expect([failAt, (await open().verify()).findings]).toEqual([failAt, []])
      expect(tree(join(root, 'content')).length).toBe(3)
      hasFailed = faulty.hasFailed()
    }
  })
})

describe('bytes without a description', () => {
  it('are told of, as no damage while an upload may go on', async () => {
    const { open, hash, blob, about } = await stored()
    fs.unlinkSync(about)
    expect((await open().verify()).findings).toMatchObject([{ kind: 'notice', hash }])
    fs.utimesSync(blob, 0, 0)
    expect((await open().verify()).findings).toMatchObject([{ kind: 'repairable', hash }])
  })

  it('that an upload completes meanwhile are none', async () => {
    const { open, about } = await stored()
    const told = fs.readFileSync(about)
    fs.unlinkSync(about)
    const status: Disk['status'] = (path) => {
      const found = syncDisk.status(path)
      if (path.endsWith('.blob')) fs.writeFileSync(about, told)
      return found
    }
    expect((await open({ status }).verify()).findings).toEqual([])
  })
})

test('a file in the place of the content store is damage', async () => {
  const { root, open } = await stored()
  fs.rmSync(join(root, 'content'), { recursive: true })
  fs.writeFileSync(join(root, 'content'), '')
  const message = 'The content store is not a folder'
  expect((await open().verify()).findings).toMatchObject([{ kind: 'damage', message }])
})
