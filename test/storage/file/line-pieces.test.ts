/** Pieces of a file of lines, and the reading ahead of the one that is taken. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { linePieces } from '../../../src/storage/file/line-pieces.ts'

/** Lines of 0 to 999 bytes and their line feeds, and the begin of another. */
const FILE = Buffer.from(
  `${Array.from({ length: 200 }, (_, n) => `${n}`.padEnd((n * 7919) % 1000, 'x')).join('\n')}\nno end`,
)
const END = FILE.lastIndexOf(10) + 1

function readFile(into: Buffer, offset: number): number {
  return FILE.copy(into, 0, offset)
}

async function readLater(into: Buffer, offset: number): Promise<number> {
  await nextTurn()
  return readFile(into, offset)
}

test.each([
  ['at once', readFile],
  ['later', readLater],
])('hold all lines in order, none cut, where bytes come %s', async (_when, read) => {
  for (const from of [0, FILE.indexOf(10, 5000) + 1, END]) {
    for (const size of [4096, 5000, 65_536, 1 << 20]) {
      let text = ''
      for await (const { bytes, offset } of linePieces(read, from, FILE.length, size)) {
        expect(offset).toBe(from + text.length)
        expect(bytes.at(-1)).toBe(10)
        // What is read meanwhile must go elsewhere.
        await nextTurn()
        await nextTurn()
        text += bytes.toString('latin1')
      }
      expect(text).toBe(FILE.toString('latin1', from, END))
    }
  }
})

test('hold a line that is longer than what is read in one go', async () => {
  const long = Buffer.from(`a\n${'b'.repeat(70_000)}\nc\n${'d'.repeat(30_000)}\ne\n`)
  const read = async (into: Buffer, offset: number) => long.copy(into, 0, offset)
  const pieces: string[] = []
  for await (const { bytes } of linePieces(read, 0, long.length, 4096)) {
    pieces.push(bytes.toString('latin1'))
  }
  expect(pieces.join('')).toBe(long.toString('latin1'))
})

test('end where the file is shorter than was said', async () => {
  let text = ''
  for await (const { bytes } of linePieces(readLater, 0, FILE.length + 10_000, 4096)) {
    text += bytes.toString('latin1')
  }
  expect(text).toBe(FILE.toString('latin1', 0, END))
})

test('are not read ahead for whoever takes one alone', async () => {
  let reads = 0
  const read = async (into: Buffer, offset: number) => {
    reads++
    return readFile(into, offset)
  }
  for await (const _piece of linePieces(read, 0, FILE.length, 4096)) break
  expect(reads).toBe(1)
})

test('are no more in use when their reader has stopped', async () => {
  let reads = 0
  const opened = Promise.withResolvers<void>()
  const read = async (into: Buffer, offset: number) => {
    if (++reads === 3) await opened.promise
    return readFile(into, offset)
  }
  const pieces = linePieces(read, 0, FILE.length, 4096)
  await pieces.next()
  await pieces.next()
  let hasStopped = false
  const stopped = pieces.return(undefined).then(() => {
    hasStopped = true
  })
  await nextTurn()
  expect([reads, hasStopped]).toEqual([3, false])
  opened.resolve()
  await stopped
})

test('a failure to read ahead is told to who asks for more, and to nobody else', async () => {
  for (const isSynchronous of [true, false]) {
    let reads = 0
    const read = (into: Buffer, offset: number) => {
      reads++
      if (reads < 3) return readFile(into, offset)
      if (isSynchronous) throw new Error('the disk is gone')
      return Promise.reject(new Error('the disk is gone'))
    }
    const pieces = linePieces(read, 0, FILE.length, 4096)
    await pieces.next()
    expect((await pieces.next()).done).toBe(false)
    await nextTurn()
    await expect(pieces.next()).rejects.toThrow('the disk is gone')
    reads = 0
    const left = linePieces(read, 0, FILE.length, 4096)
    await left.next()
    await left.next()
    await left.return(undefined)
    expect(reads).toBe(3)
  }
})
