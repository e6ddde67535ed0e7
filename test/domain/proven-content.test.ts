/** Whatever an engine reads, only what was stored is handed out whole. */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import type { ContentHash } from '../../src/domain/ports.ts'
import { AT_ONCE_BYTES, isDamaged, readProven } from '../../src/domain/proven-content.ts'

async function* each(pieces: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece)
}

function infoOf(text: string) {
  const hash = createHash('sha256').update(text).digest('hex') as ContentHash
  return { hash, size: text.length }
}

async function textOf(stored: string, pieces: readonly string[]): Promise<string> {
  const read: string[] = []
  const proven = await readProven(infoOf(stored), undefined, () => each(pieces))
  for await (const piece of proven) read.push(Buffer.from(piece).toString())
  return read.join()
}

const large = 'x'.repeat(AT_ONCE_BYTES + 1)
const damaged = { code: 'content-damaged' }

test('pieces that are what was stored are handed out', async () => {
  expect(await textOf('', [])).toBe('')
  expect(await textOf('abc', ['ab', 'c'])).toBe('ab,c')
  expect(await textOf(large, [large])).toBe(large)
})

test.each([
  ['other bytes', 'abc', ['ab', 'd']],
  ['too few', 'abc', ['ab']],
  ['too many', 'abc', ['abc', 'd']],
  ['none', 'abc', []],
  ['some where there are none', '', ['a']],
  ['too few of many', large, ['x']],
  ['too many of many', large, [large, 'x']],
])('%s are damage', async (_what, stored, pieces) => {
  await expect(textOf(stored, pieces)).rejects.toMatchObject(damaged)
})

test('a part is handed out as it is, within the content', async () => {
  const asked: unknown[] = []
  const read = (range: unknown) => {
    asked.push(range)
    return each(['?'])
  }
  const info = infoOf('abc')
  for await (const piece of await readProven(info, { start: 1, end: 9 }, read)) {
    expect(Buffer.from(piece).toString()).toBe('?')
  }
  expect(asked).toEqual([{ start: 1, end: 2 }])
  await expect(readProven(info, { start: 0, end: 9 }, read)).rejects.toMatchObject(damaged)
})

test('what was removed is not damaged, and other failures are not damage', async () => {
  const { hash } = infoOf('abc')
  const info = async () => undefined
  const failing = (error: Error) => ({
    info,
    read: async () => {
      throw error
    },
  })
  expect(await isDamaged({ info, read: info }, hash)).toBe(false)
  expect(await isDamaged(failing(new AppError('content-damaged', 'gone')), hash)).toBe(false)
  const other = new AppError('storage-unavailable', 'away')
  await expect(isDamaged(failing(other), hash)).rejects.toBe(other)
})
