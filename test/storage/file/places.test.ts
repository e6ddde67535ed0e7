/** The table behind a scavenged file of the log, with many more rows than are read at once. */
import { expect, test } from 'vitest'
import { type Place, Places } from '../../../src/storage/file/places.ts'
import { MemoryDisk } from '../../crash/memory-disk.ts'

/** A file of `count` lines, of which every third was removed; each now stands at half of its place. */
function table(count: number, change = (bytes: Buffer) => bytes) {
  const rows: Place[] = Array.from({ length: count }, (_, n) => ({
    before: 300 + n * 100,
    now: 200 + n * 50,
  }))
  const sizeBefore = 300 + count * 100
  const { disk } = new MemoryDisk()
  disk.makeFolder('/data')
  const fd = disk.openUpdate('/data/f')
  const lines = Buffer.alloc(200 + count * 50, 'x')
  disk.writeAt(fd, change(Buffer.concat([lines, Places.table(rows, sizeBefore)])), 0)
  return { rows, open: () => Places.open(disk, fd, sizeBefore), end: lines.length }
}

test.each([1, 2, 100, 5000])('of %i rows each is found, and the one behind any place', (count) => {
  const { rows, open, end } = table(count)
  const places = open()
  for (let n = 0; n < count; n += count > 100 ? 7 : 1) {
    const row = rows[n]
    if (!row) throw new Error('no row')
    const found = { ...row, row: n, end: rows[n + 1]?.now ?? end }
    expect(places.find(row.before)).toEqual(found)
    expect(places.find(row.before - 99)).toEqual(found)
  }
  expect(places.find(0)).toMatchObject({ row: 0 })
  expect(places.find(300 + count * 100)).toBe(undefined)
  expect([...places.from(300)]).toEqual(rows)
  expect([...places.from(300 + (count - 1) * 100)]).toEqual(rows.slice(-1))
  expect([...places.from(300 + count * 100)]).toEqual([])
})

test.each<[string, (bytes: Buffer) => Buffer]>([
  ['is cut off', (bytes) => bytes.subarray(0, -1)],
  ['is missing', () => Buffer.from('x')],
  [
    'speaks of another size',
    (bytes) => {
      const changed = Buffer.from(bytes)
      changed.write('9', changed.length - 2)
      return changed
    },
  ],
])('whose table %s is damaged', (_what, change) => {
  expect(table(100, change).open).toThrow(expect.objectContaining({ code: 'log-damaged' }))
})
