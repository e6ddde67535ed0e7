/** The suite of the content port. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { ByteRange, ContentEngine, ContentHash } from '../../src/domain/ports.ts'
import { collect, type Engine, verifiedStores } from '../support/store.ts'

const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' as ContentHash
const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' as ContentHash
const TEXT = { filename: 'hello.txt', mediaType: 'text/plain' }

export function contentContract(engine: Engine): void {
  describe(`content of the ${engine.name} engine`, () => {
    const open = verifiedStores(engine)
    putGroup(open)
    readGroup(open)
    removeGroup(open)
    if (engine.persistence.kind === 'durable') {
      reopenGroup(open)
      damageGroup(open)
    }
  })
}

type Open = ReturnType<typeof verifiedStores>

/** The bytes in pieces of the given sizes, over and over. */
async function* pieces(bytes: Uint8Array, ...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length
    yield bytes.subarray(at, at + size)
    at += size
  }
}

const text = (value: string): AsyncIterable<Uint8Array> => pieces(Buffer.from(value))

async function bytesOf(
  content: ContentEngine,
  hash: ContentHash,
  range?: ByteRange,
): Promise<Buffer | undefined> {
  const chunks = await content.read(hash, range)
  if (!chunks) return undefined
  const copies: Buffer[] = []
  for await (const chunk of chunks) copies.push(Buffer.from(chunk))
  return Buffer.concat(copies)
}

/** Bytes that repeat only after a long while, from a fixed start. */
function mixedBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0, state = 1; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

function putGroup(open: Open): void {
  test('bytes are stored under their SHA-256 with what is known of them', async () => {
    const { store, clock } = await open()
    const info = await store.content.put(text('hello'), TEXT)
    const expected = { hash: HELLO, size: 5, ...TEXT, createdAtMs: clock.nowMs }
    expect(info).toEqual(expected)
    expect(await store.content.info(HELLO)).toEqual(expected)
    expect((await bytesOf(store.content, HELLO))?.toString()).toBe('hello')
  })

  test('0 bytes are content too', async () => {
    const { content } = (await open()).store
    const info = await content.put(text(''), TEXT)
    expect([info.hash, info.size]).toEqual([NOTHING, 0])
    expect((await bytesOf(content, NOTHING))?.length).toBe(0)
  })

  test('several MiB in odd pieces come back to the byte', async () => {
    const { content } = (await open()).store
    const bytes = mixedBytes(5 * 1024 * 1024 + 13)
    const info = await content.put(pieces(bytes, 1, 70_001, 0, 8_191, 262_147), TEXT)
    expect(info.size).toBe(bytes.length)
    expect(info.hash).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect((await bytesOf(content, info.hash))?.equals(bytes)).toBe(true)
  })

  test('small pieces before, between and after large ones stay in their order', async () => {
    const { content } = (await open()).store
    const sizes = [1, 8192, 65_536, 131_071, 131_072, 229_376, 262_144, 262_145]
    for (const first of sizes) {
      for (const second of sizes) {
        const bytes = mixedBytes(first + second + first)
        const info = await content.put(pieces(bytes, first, second, first), TEXT)
        expect(info.hash, `${first}, ${second}, ${first}`).toBe(
          createHash('sha256').update(bytes).digest('hex'),
        )
      }
    }
  })

  test('a buffer that the sender fills again does not spoil what it sent before', async () => {
    const { content } = (await open()).store
    async function* reused(): AsyncGenerator<Uint8Array> {
      const buffer = Buffer.alloc(1)
      for (const letter of 'hello') {
        buffer.write(letter)
        yield buffer
      }
    }
    expect((await content.put(reused(), TEXT)).hash).toBe(HELLO)
    expect((await bytesOf(content, HELLO))?.toString()).toBe('hello')
  })

  test('the same bytes again keep the first name, media type and time', async () => {
    const { store, clock } = await open()
    const first = await store.content.put(text('hello'), TEXT)
    clock.nowMs += 1000
    const other = { filename: 'other.html', mediaType: 'text/html' }
    expect(await store.content.put(text('hello'), other)).toEqual(first)
    expect(await store.content.info(HELLO)).toEqual(first)
    expect(await collect(store.content.list())).toEqual([first])
  })

  test('the same bytes under 10 names at once are stored once, under one of them', async () => {
    const { content } = (await open()).store
    const names = Array.from({ length: 10 }, (_, n) => `${n}.txt`)
    const infos = await Promise.all(
      names.map((filename) => content.put(text('hello'), { filename, mediaType: 'text/plain' })),
    )
    const kept = await content.info(HELLO)
    expect(names).toContain(kept?.filename)
    expect(new Set(infos.map(({ filename }) => filename))).toEqual(new Set([kept?.filename]))
    expect(await collect(content.list())).toEqual([kept])
  })

  test('names and media types of any script are kept', async () => {
    const { content } = (await open()).store
    const names = ['Größe.txt', '報告.pdf', 'a "b"; c.txt', '😀', 'CON', 'x'.repeat(255)]
    for (const filename of names) {
      const about = { filename, mediaType: 'text/plain; charset="utf-8"; name=ü' }
      const { hash } = await content.put(text(filename), about)
      expect(await content.info(hash)).toMatchObject(about)
    }
  })

  test('an upload that breaks off stores nothing', async () => {
    const { content } = (await open()).store
    const broken = new Error('connection lost')
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('hel')
      yield mixedBytes(300_000)
      throw broken
    }
    await expect(content.put(breaking(), TEXT)).rejects.toBe(broken)
    expect(await collect(content.list())).toEqual([])
    expect((await content.verify()).counts).toMatchObject({ contents: 0 })
    expect((await content.put(text('hello'), TEXT)).hash).toBe(HELLO)
  })
}

function readGroup(open: Open): void {
  test('what is not there is neither known nor read', async () => {
    const { content } = (await open()).store
    expect(await content.info(HELLO)).toBeUndefined()
    expect(await content.read(HELLO)).toBeUndefined()
    expect(await content.read(HELLO, { start: 0, end: 0 })).toBeUndefined()
  })

  test('a range gives the bytes from start to end, both included', async () => {
    const { content } = (await open()).store
    const { hash } = await content.put(text('0123456789'), TEXT)
    const cases: readonly (readonly [number, number, string])[] = [
      [0, 0, '0'],
      [0, 9, '0123456789'],
      [3, 5, '345'],
      [9, 9, '9'],
    ]
    for (const [start, end, expected] of cases) {
      expect((await bytesOf(content, hash, { start, end }))?.toString()).toBe(expected)
    }
  })

  test('a range of a large blob gives the same bytes as the whole', async () => {
    const { content } = (await open()).store
    const bytes = mixedBytes(1_000_003)
    const { hash } = await content.put(pieces(bytes, 99_991), TEXT)
    for (const [start, end] of [
      [65_535, 65_536],
      [1, 999_999],
      [700_000, 1_000_002],
    ] as const) {
      const expected = bytes.subarray(start, end + 1)
      expect((await bytesOf(content, hash, { start, end }))?.equals(expected)).toBe(true)
    }
  })

  test('a blob can be read many times at once, and a reader may stop early', async () => {
    const { content } = (await open()).store
    const bytes = mixedBytes(500_000)
    const { hash } = await content.put(pieces(bytes), TEXT)
    for await (const chunk of (await content.read(hash)) ?? []) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    const copies = await Promise.all([1, 2, 3].map(() => bytesOf(content, hash)))
    expect(copies.map((copy) => copy?.equals(bytes))).toEqual([true, true, true])
  })

  test('the list has every blob once', async () => {
    const { content } = (await open()).store
    const infos = []
    for (let n = 0; n < 30; n++) infos.push(await content.put(text(`blob ${n}`), TEXT))
    const listed = await collect(content.list())
    const byHash = (a: { hash: string }, b: { hash: string }) => (a.hash < b.hash ? -1 : 1)
    expect(listed.toSorted(byHash)).toEqual(infos.toSorted(byHash))
  })
}

function removeGroup(open: Open): void {
  test('a blob is removed once; its bytes may come again under a new name', async () => {
    const { content } = (await open()).store
    await content.put(text('hello'), TEXT)
    await content.put(text('other'), TEXT)
    expect(await content.remove(HELLO)).toBe(true)
    expect(await content.remove(HELLO)).toBe(false)
    expect(await content.info(HELLO)).toBeUndefined()
    expect(await content.read(HELLO)).toBeUndefined()
    expect((await collect(content.list())).length).toBe(1)
    const again = await content.put(text('hello'), { filename: 'new', mediaType: 'a/b' })
    expect(again.filename).toBe('new')
  })
}

function reopenGroup(open: Open): void {
  test('blobs outlive a reopening', async () => {
    const opened = await open()
    const info = await opened.store.content.put(text('hello'), TEXT)
    const { content } = await opened.reopen()
    expect(await collect(content.list())).toEqual([info])
    expect((await bytesOf(content, HELLO))?.toString()).toBe('hello')
  })
}

function damageGroup(open: Open): void {
  const sizes = [5, 262_144, 262_145, 1_000_003]
  const cases = sizes.flatMap((size) => (['changed', 'cut'] as const).map((how) => ({ size, how })))

  test.each(cases)(
    '$size bytes that were $how are told of, and mended by an upload',
    async (given) => {
      const { size, how } = given
      const opened = await open()
      const { content } = opened.store
      const bytes = mixedBytes(size)
      const { hash, ...about } = await content.put(pieces(bytes, 70_001), TEXT)
      const other = await content.put(text('hello'), TEXT)
      await opened.spoil(hash, how)
      const damaged = { code: 'content-damaged', facts: { hash } }
      if (size <= 262_144) await expect(content.read(hash)).rejects.toMatchObject(damaged)
      else await expect(bytesOf(content, hash)).rejects.toMatchObject(damaged)
      expect((await content.verify()).findings).toMatchObject([{ kind: 'damage', hash }])
      const again = await content.put(pieces(bytes, 262_144), { filename: 'new', mediaType: 'a/b' })
      expect(again).toEqual({ hash, ...about })
      expect((await bytesOf(content, hash))?.equals(bytes)).toBe(true)
      expect(await collect(content.list())).toHaveLength(2)
      expect(await content.info(other.hash)).toEqual(other)
    },
  )

  test('of large content that is damaged the last piece is not handed out', async () => {
    const opened = await open()
    const { content } = opened.store
    const bytes = mixedBytes(600_000)
    const { hash } = await content.put(pieces(bytes), TEXT)
    await opened.spoil(hash, 'changed')
    let read = 0
    const reading = (async () => {
      for await (const piece of (await content.read(hash)) ?? []) read += piece.length
    })()
    await expect(reading).rejects.toMatchObject({ code: 'content-damaged' })
    expect(read).toBeLessThan(bytes.length)
    await content.put(pieces(bytes), TEXT)
  })

  test('damaged content that many upload at once is mended once', async () => {
    const opened = await open()
    const { content } = opened.store
    const bytes = mixedBytes(300_000)
    const first = await content.put(pieces(bytes), TEXT)
    await opened.spoil(first.hash, 'changed')
    const about = { filename: 'new', mediaType: 'a/b' }
    const uploads = Array.from({ length: 8 }, () => content.put(pieces(bytes, 50_000), about))
    for (const info of await Promise.all(uploads)) expect(info).toEqual(first)
    expect((await bytesOf(content, first.hash))?.equals(bytes)).toBe(true)
    expect(await collect(content.list())).toEqual([first])
  })
}
