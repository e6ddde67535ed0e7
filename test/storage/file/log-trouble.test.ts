/** What is rare in the life of a log: files that vanish, an index that is wrong in one place, many files. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import type { EventHash } from '../../../src/domain/event.ts'
import { streamSequence } from '../../../src/domain/sequence.ts'
import { type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import { ENTRY_BYTES } from '../../../src/storage/file/entry.ts'
import { GENESIS } from '../../../src/storage/file/head-file.ts'
import { checkOriginal } from '../../../src/storage/file/original-source.ts'
import { armedDisk } from '../../crash/armed-disk.ts'
import { MemoryDisk } from '../../crash/memory-disk.ts'
import { type OpenLog, openLog, type Turns } from '../../crash/open-log.ts'
import { scratchFolders } from '../../support/data-folder.ts'
import { appendTo, draft, jsonBody, uuid } from '../../support/drafts.ts'

const newFolder = scratchFolders()
const ROOT = '/data'
const turns = { boot: 'a boot', lock: 'no-lock' } as const

async function filled(
  events: number,
  given: Turns = {},
): Promise<OpenLog & { memory: MemoryDisk }> {
  const memory = new MemoryDisk()
  const opened = await openLog(ROOT, { ...turns, disk: memory.disk, ...given })
  for (let n = 0; n < events; n++) await opened.log.append(appendTo(`s-${n % 3}`, [draft(n)]))
  return { ...opened, memory }
}

/** The events of a log with the hash that each follows. */
async function* linked({ log }: OpenLog) {
  let previous = GENESIS.hash as EventHash
  for await (const run of log.readLog(0, 1e9, 'forwards')) {
    for (const event of run) {
      yield { ...event, previous }
      previous = event.hash
    }
  }
}

describe('a log of many files', () => {
  test('is read from any place to any other', async () => {
    const { log } = await filled(120, { segmentBytes: 1000 })
    for (const from of [0, 50, 119, 3, 100]) {
      expect((await log.read(from))?.position).toBe(from)
    }
    for (let at = 119; at >= 0; at--) expect((await log.read(at))?.position).toBe(at)
    const members = await log.readSequence(streamSequence('s-0'), 39, 'backwards', 100)
    expect(members.map(({ event }) => event.position)).toEqual(
      Array.from({ length: 40 }, (_, n) => 117 - 3 * n),
    )
    expect((await log.verify()).findings).toEqual([])
  })
})

describe('verifying', () => {
  test('tells of the folder of the log that is gone, and of files that are no part of it', async () => {
    const { log, layout, memory } = await filled(3)
    memory.disk.close(memory.disk.openUpdate(join(layout.segments, 'notes.txt')))
    expect((await log.verify()).findings).toMatchObject([{ kind: 'notice' }])
    const list: Disk['list'] = (path) =>
      path === layout.segments ? undefined : memory.disk.list(path)
    const other = await openLog(ROOT, { ...turns, disk: { ...memory.disk, list } })
    expect((await other.log.verify()).findings.map(({ message }) => message)).toContain(
      'The folder of the log is missing',
    )
  })

  test('counts what stands behind the end of a file as void', async () => {
    const { log, layout, memory } = await filled(20, { segmentBytes: 1000 })
    const { voidBytes: before = 0 } = (await log.verify()).counts
    const fd = memory.disk.openUpdate(join(layout.segments, '00000001.log'))
    const size = memory.disk.size(fd)
    memory.disk.writeAt(fd, Buffer.from('behind the seal\nand more'), size)
    memory.disk.close(fd)
    const { findings, counts } = await log.verify()
    expect(findings).toEqual([])
    expect(counts['voidBytes']).toBe(before + 24)
  })

  test.each([
    ['whom its stream belongs to', 16],
    ['the end of its stream', 31],
    ['its place', 4],
    ['its number in its stream', 64],
    ['the one before it', 69],
  ])('tells of an index that is wrong about %s', async (_what, at) => {
    const { log, layout, memory } = await filled(10)
    await log.close()
    const path = [...memory.image().keys()].find(
      (one) => one.startsWith(layout.index) && one.endsWith('/entries'),
    )
    const fd = memory.disk.openUpdate(path ?? '')
    memory.disk.writeAt(fd, Buffer.from([1]), 7 * ENTRY_BYTES + at)
    memory.disk.close(fd)
    const { log: again } = await openLog(ROOT, { ...turns, disk: memory.disk })
    const { findings } = await again.verify()
    expect(findings.length).toBeGreaterThan(0)
    for (const { kind } of findings) expect(kind).toBe('repairable')
  })

  test.each([
    [100, undefined],
    [101, true],
  ])(
    'says of an index that is wrong about %i events whether it may be about more: %s',
    async (count, mayHaveMore) => {
      const { log, layout, memory } = await filled(count)
      await log.close()
      const path = [...memory.image().keys()].find(
        (one) => one.startsWith(layout.index) && one.endsWith('/entries'),
      )
      const fd = memory.disk.openUpdate(path ?? '')
      for (let n = 0; n < count; n++) memory.disk.writeAt(fd, Buffer.from([1]), n * ENTRY_BYTES + 4)
      memory.disk.close(fd)
      const { log: again } = await openLog(ROOT, { ...turns, disk: memory.disk })
      const report = await again.verify()
      expect([report.findings.length, report.mayHaveMore]).toEqual([100, mayHaveMore])
    },
  )

  test('does not hide a mistake of the program', async () => {
    const { memory, log, layout } = await filled(3)
    await log.close()
    const openRead: Disk['openRead'] = (path) => {
      if (path.startsWith(layout.segments)) throw new TypeError('a mistake')
      return memory.disk.openRead(path)
    }
    const { log: other } = await openLog(ROOT, { ...turns, disk: { ...memory.disk, openRead } })
    await expect(other.verify()).rejects.toThrow('a mistake')
  })
})

describe('an import', () => {
  test('of more than is written at once goes in whole, and goes on where it was', async () => {
    const pad = jsonBody(JSON.stringify('x'.repeat(300_000)))
    const source = await filled(2)
    for (let n = 10; n < 18; n++) {
      await source.log.append(appendTo('s-1', [{ ...draft(n), body: pad }]))
    }
    const { log } = await filled(0)
    expect(await log.importEvents(linked(source))).toEqual({ imported: 10, alreadyThere: 0 })
    expect(await log.importEvents(linked(source))).toEqual({ imported: 0, alreadyThere: 10 })
    const other = await filled(1)
    await other.log.append(appendTo('s-9', [draft(99)]))
    await expect(log.importEvents(linked(other))).rejects.toMatchObject({ code: 'import-refused' })
  })

  test('names what is wrong with the folder that it is to take', () => {
    const root = newFolder()
    const problem = (folder: string, disk: Disk = syncDisk) => {
      try {
        checkOriginal(disk, folder)
        return ''
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        expect(error.code).toBe('import-refused')
        return error.message.replaceAll(root, '')
      }
    }
    writeFileSync(join(root, 'file'), '')
    mkdirSync(join(root, 'empty'))
    mkdirSync(join(root, 'whole', 'events', 'default', 'index'), { recursive: true })
    mkdirSync(join(root, 'events', 'index'), { recursive: true })
    mkdirSync(join(root, 'data', 'log'), { recursive: true })
    writeFileSync(join(root, 'data', 'format'), '')
    symlinkSync('loop', join(root, 'loop'))
    expect(problem(join(root, 'nowhere'))).toBe('There is no folder "/nowhere"')
    expect(problem(join(root, 'file'))).toMatch(/^"\/file" (is no folder|cannot be read)/)
    expect(problem(join(root, 'empty'))).toMatch(/has neither/)
    expect(problem(join(root, 'data'))).toMatch(/is a data folder of apie/)
    expect(problem(join(root, 'whole'))).toBe('')
    expect(problem(join(root, 'events'))).toBe('')
    expect(problem(join(root, 'loop'))).toMatch(/cannot be read \(ELOOP\)|no folder/)
    const list = () => {
      throw new TypeError('a mistake')
    }
    expect(() => problem(root, { ...syncDisk, list })).toThrow('a mistake')
  })
})

describe('a reader', () => {
  test('whose sync fails before anything was ever durable is refused', async () => {
    const memory = new MemoryDisk()
    const first = await openLog(ROOT, { ...turns, disk: memory.disk })
    await first.log.append(appendTo('s', [draft(1)]))
    await first.log.close()
    for (const path of memory.image().keys()) {
      if (path.startsWith(first.layout.index)) memory.disk.unlink(path)
    }
    const armed = armedDisk(memory.disk)
    const { log } = await openLog(ROOT, { ...turns, disk: armed.disk })
    armed.arm({ failAt: 1, code: 'EIO', mode: 'once', only: ['syncData'] })
    await expect(log.head()).rejects.toBeInstanceOf(AppError)
    armed.disarm()
    await log.verify()
    expect((await log.head()).count).toBe(1)
  })
})

describe('an append that lost its place', () => {
  test('is forgotten with all its ids and hashes', async () => {
    const { log, memory } = await filled(2, { isLongLived: true })
    const other = await openLog(ROOT, { ...turns, disk: memory.disk })
    let isLate = false
    const appendOnce: Disk['appendOnce'] = (fd, bytes) => {
      if (isLate) {
        isLate = false
        memory.disk.appendOnce(fd, Buffer.from('junk\n'))
      }
      return memory.disk.appendOnce(fd, bytes)
    }
    const slow = await openLog(ROOT, { ...turns, disk: { ...memory.disk, appendOnce } })
    await slow.log.append(appendTo('a', [draft(50)]))
    isLate = true
    // The same id in two streams, of one batch.
    const sent = [
      slow.log.append(appendTo('a', [draft(60)])),
      slow.log.append(appendTo('b', [draft(60)])),
      slow.log.append(appendTo('a', [draft(60)])),
      slow.log.append(appendTo('b', [draft(60)])),
    ]
    const kinds = (await Promise.all(sent)).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'appended')).toHaveLength(2)
    for (const stream of ['a', 'b']) {
      expect(await other.log.findEventId(stream, uuid(60))).toBeDefined()
    }
    expect((await log.head()).count).toBe(5)
    expect((await other.log.verify()).findings).toEqual([])
  })
})
