/** Entries of an index that name places where no event can be. */
import { expect, test, vi } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import { streamSequence } from '../../../src/domain/sequence.ts'
import { ENTRY_BYTES } from '../../../src/storage/file/entry.ts'
import { MemoryDisk } from '../../crash/memory-disk.ts'
import { openLog } from '../../crash/open-log.ts'
import { appendTo, draft } from '../../support/drafts.ts'

const ROOT = '/data'
const turns = { boot: 'a boot', lock: 'no-lock' } as const
const EVENTS = 6
const LARGEST = 2 ** 32 - 1
const [OFFSET, LENGTH, LINE_OFFSET] = [4, 8, 12]
/** Far more than these events have; far less than their entries ask for. */
const MOST_BYTES = 1 << 20

async function openedWith(at: number, field: number, value: number) {
  const memory = new MemoryDisk()
  const { log } = await openLog(ROOT, { ...turns, disk: memory.disk })
  for (let n = 0; n < EVENTS; n++) await log.append(appendTo('s', [draft(n)]))
  await log.close()
  const image = memory.image()
  const path = [...image.keys()].find((one) => /\/index\/[0-9a-f]+\/entries$/.test(one)) ?? ''
  const entries = Buffer.from(image.get(path) as Buffer)
  entries.writeUInt32LE(value, at * ENTRY_BYTES + field)
  image.set(path, entries)
  const { disk } = new MemoryDisk(image, memory.folderPaths())
  return (await openLog(ROOT, { ...turns, disk })).log
}

async function errorOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work()
    return undefined
  } catch (error) {
    return error
  }
}

const asked = [
  ['the length', LENGTH, LARGEST],
  ['the offset', OFFSET, LARGEST],
  ['the offset before its line', OFFSET, 0],
  ['the offset of the line', LINE_OFFSET, LARGEST],
] as const
const cases = asked.flatMap((one) => [0, 2, EVENTS - 1].map((at) => [...one, at] as const))

test.each(cases)('%s, byte %i, is %i in the entry at position %i', async (_, field, value, at) => {
  const log = await openedWith(at, field, value)
  const allocations = [vi.spyOn(Buffer, 'alloc'), vi.spyOn(Buffer, 'allocUnsafe')]
  const all = async (direction: 'forwards' | 'backwards') => {
    for await (const run of log.readLog(0, EVENTS, direction)) expect(run).not.toEqual([])
  }
  const errors = [
    await errorOf(() => log.read(at)),
    await errorOf(() => all('forwards')),
    await errorOf(() => all('backwards')),
    await errorOf(() => log.readSequence(streamSequence('s'), 0, 'forwards', EVENTS)),
    await errorOf(() => log.findEventId('s', draft(at).eventId)),
  ]
  const sizes = allocations.flatMap((spy) => spy.mock.calls.map(([size]) => size))
  vi.restoreAllMocks()
  expect(Math.max(...sizes)).toBeLessThan(MOST_BYTES)
  for (const error of errors) if (error !== undefined) expect(error).toBeInstanceOf(AppError)
  if (field !== LINE_OFFSET) expect(errors[0]).toMatchObject({ code: 'log-damaged' })
  await log.reindex(() => {})
  expect((await log.verify()).findings).toEqual([])
  expect((await log.read(at))?.position).toBe(at)
})
