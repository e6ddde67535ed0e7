import { execFile } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { ContentEngine, ContentHash, Finding } from '../../../src/domain/ports.ts'
import { createFileContent } from '../../../src/storage/file/content.ts'
import { asyncDisk, type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import {
  fixedClock,
  makeDataFolder,
  modeOf,
  scratchFolders,
  tree,
} from '../../support/data-folder.ts'

const newFolder = scratchFolders()

const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' as ContentHash
const NAMES = { filename: 'hello.txt', mediaType: 'text/plain' }
const BLOB = `content/2c/${HELLO}.blob`
const ABOUT = `content/2c/${HELLO}.json`
const DAY_MS = 86_400_000

type Opened = { readonly root: string; readonly content: ContentEngine }

async function open(disk: Disk = syncDisk, clock = fixedClock): Promise<Opened> {
  const root = join(newFolder(), 'data')
  const { layout } = await makeDataFolder(syncDisk, root)
  return { root, content: createFileContent({ disk, layout, clock }) }
}

async function* bytesOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

async function textOf(chunks: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> {
  if (!chunks) return undefined
  const copies: Buffer[] = []
  for await (const chunk of chunks) copies.push(Buffer.from(chunk))
  return Buffer.concat(copies).toString('latin1')
}

async function openWithHello(): Promise<Opened> {
  const opened = await open()
  await opened.content.put(bytesOf('he', 'llo'), NAMES)
  return opened
}

async function findings(content: ContentEngine): Promise<readonly Finding[]> {
  return (await content.verify()).findings
}

describe('stored content', () => {
  it('is two private files under the first two digits of its hash', async () => {
    const { root, content } = await openWithHello()
    expect(tree(join(root, 'content'))).toEqual(['2c/', `2c/${HELLO}.blob`, `2c/${HELLO}.json`])
    expect(tree(join(root, 'tmp'))).toEqual([])
    expect(fs.readFileSync(join(root, BLOB), 'utf8')).toBe('hello')
    expect(fs.readFileSync(join(root, ABOUT), 'utf8')).toBe(
      `{"hash":"${HELLO}","filename":"hello.txt","mediaType":"text/plain","size":5,"createdAt":"2020-01-01T00:00:00.000Z"}\n`,
    )
    expect([modeOf(join(root, BLOB)), modeOf(join(root, ABOUT))]).toEqual(['600', '600'])
    expect(modeOf(join(root, 'content/2c'))).toBe('700')
    const counts = { contents: 1, contentBytes: 5 }
    expect(await content.verify()).toEqual({ counts, findings: [] })
  })

  it('is handed out in pieces of at most 256 KiB, through both kinds of disk', async () => {
    const text = 'abcdefghij'.repeat(60_000)
    for (const disk of [syncDisk, asyncDisk]) {
      const { content } = await open(disk)
      const { hash } = await content.put(bytesOf(text.slice(0, 7), text.slice(7)), NAMES)
      const sizes: number[] = []
      for await (const chunk of (await content.read(hash)) ?? []) sizes.push(chunk.length)
      expect(sizes).toEqual([262_144, 262_144, 75_712])
      expect(await textOf(await content.read(hash))).toBe(text)
      const range = { start: 262_140, end: 524_300 }
      expect(await textOf(await content.read(hash, range))).toBe(text.slice(262_140, 524_301))
    }
  })

  it('is closed when its reader stops early', async () => {
    const { content } = await open()
    const { hash } = await content.put(bytesOf('x'.repeat(600_000)), NAMES)
    const before = fs.readdirSync('/proc/self/fd').length
    for await (const chunk of (await content.read(hash)) ?? []) {
      expect(chunk.length).toBe(262_144)
      break
    }
    await content.read(hash)
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before)
  })

  it('says so when it is removed between being found and being read', async () => {
    const { content } = await open()
    const { hash } = await content.put(bytesOf('x'.repeat(600_000)), NAMES)
    const chunks = await content.read(hash)
    await content.remove(hash)
    await expect(textOf(chunks)).rejects.toMatchObject({ code: 'content-not-found' })
  })
})

describe('damaged content', () => {
  it('never hands out the last piece of wrong bytes', async () => {
    const { root, content } = await open()
    const { hash } = await content.put(bytesOf('x'.repeat(600_000)), NAMES)
    const path = join(root, 'content', hash.slice(0, 2), `${hash}.blob`)
    const fd = fs.openSync(path, 'r+')
    fs.writeSync(fd, 'y', 1000)
    fs.closeSync(fd)
    let received = 0
    const read = async () => {
      for await (const chunk of (await content.read(hash)) ?? []) received += chunk.length
    }
    await expect(read()).rejects.toMatchObject({ code: 'content-damaged', facts: { hash } })
    expect(received).toBe(524_288)
    expect(await findings(content)).toEqual([
      { kind: 'damage', message: 'The bytes do not have their hash', hash },
    ])
  })

  it('is refused before the first piece when its length is wrong, and mended by an upload', async () => {
    const { root, content } = await openWithHello()
    fs.truncateSync(join(root, BLOB), 4)
    await expect(content.read(HELLO)).rejects.toMatchObject({ code: 'content-damaged' })
    await content.put(bytesOf('hello'), { filename: 'other', mediaType: 'a/b' })
    expect(await textOf(await content.read(HELLO))).toBe('hello')
    expect(await content.info(HELLO)).toMatchObject(NAMES)
    expect(tree(join(root, 'tmp'))).toEqual([])
  })

  it('is reported in each of its forms, and nothing is changed', async () => {
    const { root, content } = await openWithHello()
    const other = await content.put(bytesOf('other'), NAMES)
    const third = await content.put(bytesOf('third'), NAMES)
    const path = (hash: string, ending: string) =>
      join(root, 'content', hash.slice(0, 2), `${hash}.${ending}`)
    fs.unlinkSync(path(HELLO, 'blob'))
    fs.unlinkSync(path(other.hash, 'json'))
    fs.utimesSync(path(other.hash, 'blob'), 0, 0)
    fs.writeFileSync(path(third.hash, 'json'), '{"hash":')
    fs.chmodSync(path(third.hash, 'blob'), 0o644)
    fs.chmodSync(join(root, 'content/2c'), 0o755)
    fs.writeFileSync(join(root, 'content/2c/notes'), '')
    fs.writeFileSync(join(root, 'content/stray'), '')
    fs.writeFileSync(join(root, 'tmp/left'), '')
    fs.utimesSync(join(root, 'tmp/left'), 0, 0)
    const before = tree(root)
    const found = (await findings(content)).map(({ kind, message, hash }) => [kind, message, hash])
    expect(found).toHaveLength(8)
    expect(found).toEqual(
      expect.arrayContaining([
        ['damage', 'The bytes are missing', HELLO],
        ['repairable', 'Bytes without a description, left by an upload or a removal', other.hash],
        ['damage', 'The description of the content cannot be read', third.hash],
        ['repairable', 'A blob is open to others (mode 644, not 600)', third.hash],
        [
          'repairable',
          'Folder 2c of the content store is open to others (mode 755, not 700)',
          undefined,
        ],
        ['notice', 'A file in folder 2c does not belong there', undefined],
        ['notice', 'A file in the content store does not belong there', undefined],
        ['repairable', '1 temporary file left by an upload that ended early', undefined],
      ]),
    )
    expect(tree(root)).toEqual(before)
  })
})

describe('planted symbolic links', () => {
  it('are not read through', async () => {
    const { root, content } = await openWithHello()
    fs.writeFileSync(join(root, 'secret'), 'hello')
    fs.unlinkSync(join(root, BLOB))
    fs.symlinkSync(join(root, 'secret'), join(root, BLOB))
    await expect(content.read(HELLO).then(textOf)).rejects.toMatchObject({
      code: 'content-damaged',
    })
    expect(await findings(content)).toMatchObject([{ kind: 'damage' }])
  })

  it('are replaced by an upload, which never writes through them', async () => {
    const { root, content } = await open()
    fs.writeFileSync(join(root, 'secret'), 'secret')
    fs.mkdirSync(join(root, 'content/2c'), 0o700)
    fs.symlinkSync(join(root, 'secret'), join(root, BLOB))
    await content.put(bytesOf('hello'), NAMES)
    expect(fs.readFileSync(join(root, 'secret'), 'utf8')).toBe('secret')
    expect(await textOf(await content.read(HELLO))).toBe('hello')
  })

  it('do not take the place of a folder', async () => {
    const { root, content } = await open()
    const elsewhere = newFolder()
    fs.symlinkSync(elsewhere, join(root, 'content/2c'))
    const outcome = content.put(bytesOf('hello'), NAMES)
    await expect(outcome).rejects.toMatchObject({ code: 'storage-unavailable' })
    expect(tree(elsewhere)).toEqual([])
  })
})

describe('an upload', () => {
  it('that breaks off leaves nothing', async () => {
    const { root, content } = await open()
    const broken = new Error('connection lost')
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(1_000_000)
      throw broken
    }
    await expect(content.put(breaking(), NAMES)).rejects.toBe(broken)
    expect(tree(join(root, 'content'))).toEqual([])
    expect(tree(join(root, 'tmp'))).toEqual([])
  })

  it('is refused before it eats the space that the log needs', async () => {
    const { content } = await open({ ...syncDisk, free: () => ({ bytes: 20 << 20, inodes: 1e6 }) })
    const outcome = content.put(bytesOf('hello'), NAMES)
    await expect(outcome).rejects.toMatchObject({ code: 'storage-full' })
    const few = await open({ ...syncDisk, free: () => ({ bytes: 1e12, inodes: 3 }) })
    const second = few.content.put(bytesOf('hello'), NAMES)
    await expect(second).rejects.toMatchObject({ code: 'storage-full' })
    expect(tree(join(few.root, 'content'))).toEqual([])
  })

  it('makes the folders that a copy of the data folder left out', async () => {
    const { root, content } = await open()
    fs.rmdirSync(join(root, 'tmp'))
    fs.rmdirSync(join(root, 'content'))
    await content.put(bytesOf('hello'), NAMES)
    expect(await textOf(await content.read(HELLO))).toBe('hello')
    expect([modeOf(join(root, 'tmp')), modeOf(join(root, 'content'))]).toEqual(['700', '700'])
  })

  it('sweeps what killed uploads left a day ago, and nothing younger', async () => {
    const now = Date.now()
    const { root, content } = await open(syncDisk, { now: () => now })
    fs.writeFileSync(join(root, 'tmp/old'), '')
    fs.utimesSync(join(root, 'tmp/old'), 0, (now - DAY_MS) / 1000 - 1)
    fs.writeFileSync(join(root, 'tmp/young'), '')
    await content.put(bytesOf('hello'), NAMES)
    expect(tree(join(root, 'tmp'))).toEqual(['young'])
  })

  it('completes the bytes that an upload or a removal left without description', async () => {
    const { root, content } = await openWithHello()
    fs.unlinkSync(join(root, ABOUT))
    expect(await content.info(HELLO)).toBeUndefined()
    expect(await content.read(HELLO)).toBeUndefined()
    await content.put(bytesOf('hello'), { filename: 'second', mediaType: 'a/b' })
    expect(await content.info(HELLO)).toMatchObject({ filename: 'second', mediaType: 'a/b' })
  })

  it('and a removal at the same time end in one of the two outcomes', async () => {
    const { root, content } = await open(asyncDisk)
    for (let round = 0; round < 50; round++) {
      const puts = [content.put(bytesOf('hello'), NAMES), content.put(bytesOf('hello'), NAMES)]
      await Promise.all([...puts, content.remove(HELLO)])
      const info = await content.info(HELLO)
      const files = tree(join(root, 'content')).filter((path) => path.endsWith('.json'))
      expect(files.length).toBe(info ? 1 : 0)
    }
    expect(await findings(content)).toEqual([])
  })

  it('of the same bytes by two processes at once stores them once', async () => {
    const { root, content } = await open()
    const child = join(import.meta.dirname, '../../support/upload-child.ts')
    const run = promisify(execFile)
    const upload = () => run(process.execPath, [child, root, 'same'])
    const [a, b, c] = await Promise.all([upload(), upload(), upload()])
    expect(JSON.parse(a.stdout)).toEqual(JSON.parse(b.stdout))
    expect(JSON.parse(a.stdout)).toEqual(JSON.parse(c.stdout))
    expect(tree(join(root, 'content'))).toHaveLength(3)
    expect(tree(join(root, 'tmp'))).toEqual([])
    expect(await findings(content)).toEqual([])
  })
})
