/** Writers that never get their place, and disks that have none for them. */
import { describe, expect, test } from 'vitest'
import type { EventHash } from '../../../src/domain/event.ts'
import type { Disk } from '../../../src/storage/file/disk.ts'
import { GENESIS, HeadFile } from '../../../src/storage/file/head-file.ts'
import { MemoryDisk } from '../../crash/memory-disk.ts'
import { openLog } from '../../crash/open-log.ts'
import { appendTo, draft } from '../../support/drafts.ts'

const ROOT = '/data'
const turns = { boot: 'a boot', lock: 'no-lock' } as const

/** A disk on which somebody else writes before every write to the log. */
function contested({ disk }: MemoryDisk): Disk {
  const appendOnce: Disk['appendOnce'] = (fd, bytes) => {
    disk.appendOnce(fd, Buffer.from('junk\n'))
    return disk.appendOnce(fd, bytes)
  }
  return { ...disk, appendOnce }
}

describe('a writer', () => {
  test('that others always come before gives up, and nothing is stored', async () => {
    const memory = new MemoryDisk()
    const first = await openLog(ROOT, { ...turns, disk: memory.disk })
    await first.log.append(appendTo('s', [draft(1)]))
    const { log } = await openLog(ROOT, { ...turns, disk: contested(memory) })
    await expect(log.append(appendTo('s', [draft(2)]))).rejects.toMatchObject({
      code: 'lock-timeout',
    })
    expect((await first.log.head()).count).toBe(1)
    await first.log.append(appendTo('s', [draft(2)]))
    expect((await first.log.verify()).findings).toEqual([])
  })

  test('of an import that others come before is refused, and may go on', async () => {
    const memory = new MemoryDisk()
    const source = await openLog('/source', { ...turns, disk: new MemoryDisk().disk })
    await source.log.append(appendTo('s', [draft(1)]))
    await source.log.append(appendTo('s', [draft(2)]))
    async function* linked() {
      let previous = GENESIS.hash as EventHash
      for await (const run of source.log.readLog(0, 10, 'forwards')) {
        for (const event of run) {
          yield { ...event, previous }
          previous = event.hash
        }
      }
    }
    const { log } = await openLog(ROOT, { ...turns, disk: memory.disk })
    await log.append(appendTo('s', [draft(9)]))
    await expect(log.importEvents(linked())).rejects.toMatchObject({ code: 'import-refused' })
    const other = new MemoryDisk()
    await openLog(ROOT, { ...turns, disk: other.disk })
    const { log: lost } = await openLog(ROOT, { ...turns, disk: contested(other) })
    await expect(lost.importEvents(linked())).rejects.toMatchObject({ code: 'import-refused' })
    const { log: again } = await openLog(ROOT, { ...turns, disk: other.disk })
    expect(await again.importEvents(linked())).toEqual({ imported: 2, alreadyThere: 0 })
  })

  test('is refused where the disk has little space left, and told so', async () => {
    const memory = new MemoryDisk()
    const free = () => ({ bytes: 1000, inodes: 1000 })
    const { log } = await openLog(ROOT, { ...turns, disk: { ...memory.disk, free } })
    await expect(log.append(appendTo('s', [draft(1)]))).rejects.toMatchObject({
      code: 'storage-full',
    })
  })

  test('goes on with the index that another process has built anew', async () => {
    const memory = new MemoryDisk()
    const given = { ...turns, disk: memory.disk }
    const one = await openLog(ROOT, given)
    for (let n = 0; n < 5; n++) await one.log.append(appendTo('s', [draft(n)]))
    const other = await openLog(ROOT, given)
    await other.log.reindex(() => {})
    for (let n = 5; n < 10; n++) await one.log.append(appendTo('s', [draft(n)]))
    expect((await other.log.head()).count).toBe(10)
    const last = await openLog(ROOT, given)
    expect((await last.log.verify()).findings).toEqual([])
    expect((await last.log.findEventId('s', draft(7).eventId))?.position).toBe(7)
  })
})

describe('a head', () => {
  test('of an index that was replaced is not written over the new one', () => {
    const memory = new MemoryDisk()
    memory.disk.makeFolder('/index')
    const heads = new HeadFile(memory.disk, '/index', 'a store')
    const point = (count: number, offset = count) => ({ ...GENESIS, count, offset })
    const head = (generation: string, count: number, offset?: number, epoch = 0) => {
      const reached = point(count, offset)
      return { generation, epoch, boot: 'b', point: reached, synced: GENESIS }
    }
    expect(heads.write(head('a', 5))).toBe(true)
    expect(heads.write(head('a', 5, 9))).toBe(true)
    expect(heads.read()?.point.offset).toBe(9)
    expect(heads.write(head('b', 3, 3, 1))).toBe(true)
    expect(heads.write(head('a', 8))).toBe(false)
    expect(heads.read()).toMatchObject({ generation: 'b', most: 5 })
  })
})
