/**
 * Positions, versions and offsets on both sides of 2^31 and 2^32, on real files, which have holes where the
 * events before would be.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import { parseStoredEvent, type StoredEvent } from '../../../src/domain/event.ts'
import { streamSequence, streamTypeSequence, typeSequence } from '../../../src/domain/sequence.ts'
import { sha256Hex } from '../../../src/kit/sha256.ts'
import { MOST_EVENTS } from '../../../src/storage/file/log-index.ts'
import { type OpenLog, openLog } from '../../crash/open-log.ts'
import { scratchFolders } from '../../support/data-folder.ts'
import { appendTo, draft, uuid } from '../../support/drafts.ts'
import { plantLog } from '../../support/planted-log.ts'

const newFolder = scratchFolders()
const BOOT = 'a boot'
const P31 = 2 ** 31
const P32 = 2 ** 32
/** The largest setting. */
const SEGMENT_BYTES = P31 - 1

const open = (root: string) =>
  openLog(root, { boot: BOOT, lock: 'no-lock', segmentBytes: SEGMENT_BYTES })

/** Each in a process of its own, as a web server starts them. */
async function inNew<T>(root: string, work: (opened: OpenLog['log']) => Promise<T>): Promise<T> {
  const { log } = await open(root)
  try {
    return await work(log)
  } finally {
    await log.close()
  }
}

type Placed = { readonly version: number; readonly position: number }
const placeOf = (event: StoredEvent | undefined): unknown => {
  if (!event) return undefined
  const { version, position } = parseStoredEvent(event) as unknown as Placed
  return { version, position, isAt: event.position }
}

/** Appends eight events in five ways, then asks for them in every way that there is. */
async function goThrough(root: string, count: number, version: number): Promise<void> {
  const stored: StoredEvent[] = []
  for (const ids of [[1], [2], [3, 4, 5], [6], [7, 8]]) {
    const { events } = await inNew(root, (log) =>
      log.append(
        appendTo(
          's-1',
          ids.map((n) => draft(n)),
          { expectedVersion: { kind: 'version', version: version + stored.length } },
        ),
      ),
    )
    stored.push(...events)
  }
  const positions = stored.map(({ position }) => position)
  expect(positions).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((n) => count + n))
  const { log } = await open(root)
  expect(await log.head()).toMatchObject({ count: count + 8, hash: stored.at(-1)?.hash })
  const read: StoredEvent[] = []
  for await (const run of log.readLog(count, count + 8, 'forwards')) read.push(...run)
  expect(read.map(({ hash }) => hash)).toEqual(stored.map(({ hash }) => hash))
  for (const [n, { hash, position }] of stored.entries()) {
    const place = { version: version + 1 + n, position, isAt: position }
    expect(placeOf(await log.read(position))).toEqual(place)
    expect(await log.findHash(hash)).toBe(position)
    expect((await log.findEventId('s-1', uuid(n + 1)))?.position).toBe(position)
    for (const key of [streamSequence('s-1'), streamTypeSequence('s-1', 'x'), typeSequence('x')]) {
      const [found] = await log.readSequence(key, version + 1 + n, 'forwards', 1)
      expect(found && placeOf(found.event)).toEqual(place)
    }
  }
  const last = { number: version + 8, position: count + 7 }
  expect(await log.sequenceHead(streamSequence('s-1'))).toEqual(last)
  const again = await log.append(appendTo('s-1', [draft(4)]))
  expect([again.kind, again.events[0]?.position]).toEqual(['already-there', count + 3])
  await log.close()
}

describe('a log', () => {
  test.each([
    ['position 2^31', P31 - 4, 100],
    ['version 2^31', P31 + 1000, P31 - 5],
    ['the first position that a table for 2^32 events holds', 1_431_654_400 - 4, 7],
    ['position and version 2^32 - 2', P32 - 10, P32 - 11],
  ])('goes through %s', async (_what, count, version) => {
    const root = join(newFolder(), 'data')
    await plantLog(root, BOOT, { count, version })
    await goThrough(root, count, version)
  })

  test('goes on behind 2 GiB of a file, then begins the next one', async () => {
    const root = join(newFolder(), 'data')
    // The first line that is appended begins below 2^31 and ends above it.
    await plantLog(root, BOOT, { count: 1000, version: 10, lineOffset: P31 - 800 })
    await goThrough(root, 1000, 10)
    const { log, layout, options } = await open(root)
    expect(options.disk.status(join(layout.segments, '00000002.log'))?.size).toBeGreaterThan(P31)
    expect(options.disk.status(join(layout.segments, '00000003.log'))).toBeDefined()
    await log.close()
  })

  test('that is as long as its index can tell refuses more, as a whole, and is read', async () => {
    const root = join(newFolder(), 'data')
    await plantLog(root, BOOT, { count: MOST_EVENTS - 2, version: 5 })
    const append = (...ids: number[]) =>
      inNew(root, (log) =>
        log.append(
          appendTo(
            's-1',
            ids.map((n) => draft(n)),
          ),
        ),
      )
    await expect(append(1, 2, 3)).rejects.toMatchObject({ code: 'storage-full' })
    expect((await append(4, 5)).events.at(-1)?.position).toBe(MOST_EVENTS - 1)
    await expect(append(6)).rejects.toMatchObject({ code: 'storage-full' })
    expect((await append(5)).kind).toBe('already-there')
    await inNew(root, async (log) => {
      expect((await log.head()).count).toBe(MOST_EVENTS)
      expect(placeOf(await log.read(MOST_EVENTS - 1))).toMatchObject({ version: 7 })
      expect(await log.read(MOST_EVENTS)).toBe(undefined)
    })
  })

  test.each([P31, P32, 2 ** 40, Number.MAX_SAFE_INTEGER])(
    'whose head speaks of %i events that are not there is damaged, and says so',
    async (count) => {
      const root = join(newFolder(), 'data')
      const { log, layout } = await open(root)
      await log.append(appendTo('s', [draft(1)]))
      await log.close()
      const head = options(layout.index, count)
      writeFileSync(head.path, head.bytes)
      const again = await open(root)
      const refused = await again.log.append(appendTo('s', [draft(2)])).catch((error) => error)
      expect(refused).toBeInstanceOf(AppError)
      expect(refused.code).toBe('log-damaged')
      const { findings } = await again.log.verify()
      expect(findings).toContainEqual(expect.objectContaining({ kind: 'damage' }))
      await again.log.close()
    },
  )
})

/** A head with a good checksum that speaks of `count` events. */
function options(folder: string, count: number): { path: string; bytes: string } {
  const hash = 'b'.repeat(64)
  const point = { count, hash, segment: 1, offset: 100, createdAtMs: 0, sequences: 1 }
  const head = { generation: 'c'.repeat(16), boot: BOOT, point, synced: point }
  const text = JSON.stringify({ change: 1000, head })
  const bytes = `${`${sha256Hex(text).slice(0, 32)} ${text}`.padEnd(1023)}\n`
  return { path: join(folder, 'head'), bytes }
}
