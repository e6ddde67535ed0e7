/** An index whose file of sequences is wrong: nothing else leads to a stream, and a lost one would begin anew. */
import { describe, expect, test } from 'vitest'
import { streamSequence } from '../../../src/domain/sequence.ts'
import { MemoryDisk } from '../../crash/memory-disk.ts'
import { openLog } from '../../crash/open-log.ts'
import { appendTo, draft } from '../../support/drafts.ts'

const ROOT = '/data'
const turns = { boot: 'a boot', lock: 'no-lock' } as const
const SLOT = 32

/** Streams with four events each; then `change` is made to the file of sequences, and the log opened anew. */
async function opened(change: (bytes: Buffer) => Uint8Array, streams = 3) {
  const memory = new MemoryDisk()
  const { log } = await openLog(ROOT, { ...turns, disk: memory.disk })
  for (let n = 0; n < 4 * streams; n++) {
    await log.append(appendTo(`s-${n % streams}`, [draft(n)]))
  }
  await log.close()
  const image = memory.image()
  const path = [...image.keys()].find((one) => /\/index\/[0-9a-f]+\/sequences$/.test(one)) ?? ''
  image.set(path, Buffer.from(change(Buffer.from(image.get(path) as Buffer))))
  const { disk } = new MemoryDisk(image, memory.folderPaths())
  return (await openLog(ROOT, { ...turns, disk })).log
}

const used = (bytes: Buffer) =>
  Array.from({ length: bytes.length / SLOT }, (_, n) => n * SLOT).filter((at) => bytes[at + 21])

/**
 * Bytes of a slot that say which sequence it is of, that it is in use, and where it begins; but for the lowest one
 * of the beginning, which may name a later member: from there the way is the same.
 */
const TELLING = [0, 7, 15, 17, 20, 21]

describe('a changed byte', () => {
  const cases = TELLING.map((at) => [at] as const)
  test.each(cases)('number %s of whatever slot is found by verify, and repaired', async (at) => {
    let count = 1
    for (let number = 0; number < count; number++) {
      const log = await opened((bytes) => {
        const slots = used(bytes)
        count = slots.length
        const place = (slots[number] ?? 0) + at
        bytes[place] = bytes[place] === 1 ? 0 : 1 ^ (bytes[place] ?? 0)
        return bytes
      })
      const { findings } = await log.verify()
      expect(findings.length, `slot ${number}`).toBeGreaterThan(0)
      for (const { kind } of findings) expect(kind).toBe('repairable')
      await log.reindex(() => {})
      expect((await log.verify()).findings).toEqual([])
      await log.close()
    }
    expect(count).toBeGreaterThan(6)
  })
})

describe.each<[string, (bytes: Buffer) => Uint8Array]>([
  ['is empty', () => Buffer.alloc(0)],
  // In the first slot that is in use: which sequence has it is chance.
  ['is cut off', (bytes) => bytes.subarray(0, (used(bytes)[0] ?? 0) + 1)],
  ['holds zeros', (bytes) => bytes.fill(0)],
])('a file that %s', (_what, change) => {
  test('is refused by reads and appends, and the log stays as it is', async () => {
    const log = await opened(change)
    const damaged = { code: 'index-damaged' }
    const append = async (n: number) => log.append(appendTo('s-0', [draft(n)]))
    await expect(append(20)).rejects.toMatchObject(damaged)
    await expect(append(21)).rejects.toMatchObject(damaged)
    const read = async () => log.readSequence(streamSequence('s-0'), 0, 'forwards', 10)
    await expect(read()).rejects.toMatchObject(damaged)
    expect((await log.verify()).findings.length).toBeGreaterThan(0)
    await log.reindex(() => {})
    expect(await log.verify()).toMatchObject({ counts: { events: 12 }, findings: [] })
    expect(await read()).toHaveLength(4)
    expect(await append(22)).toMatchObject({ kind: 'appended' })
  })
})

test('a stream that was begun anew is damage in the log, however good its index is', async () => {
  const log = await opened((bytes) => {
    // Of all sequences: another fingerprint each, which only a look at the events can tell from the right one.
    for (const at of used(bytes)) bytes[at + 9] = 1 ^ (bytes[at + 9] ?? 0)
    return bytes
  })
  expect(await log.append(appendTo('s-1', [draft(30)]))).toMatchObject({ kind: 'appended' })
  await log.reindex(() => {})
  expect((await log.verify()).findings).toMatchObject([
    {
      kind: 'damage',
      position: 12,
      message: expect.stringContaining('has version 0, but its stream has 4'),
    },
  ])
})

test('of more sequences than are listed verify says that there may be more', async () => {
  const wrong = (bytes: Buffer) => {
    for (const at of used(bytes)) bytes[at] = 1 ^ (bytes[at] ?? 0)
    return bytes
  }
  const few = await (await opened(wrong)).verify()
  expect(few.mayHaveMore).toBeUndefined()
  const many = await (await opened(wrong, 60)).verify()
  expect([many.findings.length, many.mayHaveMore]).toEqual([100, true])
})
