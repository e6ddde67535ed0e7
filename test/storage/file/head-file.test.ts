/** `index/head`: which of its two slots counts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { syncDisk } from '../../../src/storage/file/disk.ts'
import { GENESIS, HeadFile, type IndexHead } from '../../../src/storage/file/head-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'apie-head-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function head(count: number): IndexHead {
  const point = { ...GENESIS, count }
  return { generation: 'g', boot: 'b', point, synced: point }
}

/** Two heads, of which the one with two events is the later. */
function written(): HeadFile {
  const file = new HeadFile(syncDisk, folder, 'store')
  file.write(head(1))
  file.write(head(2))
  return file
}

/** Changes one character of the slot that speaks of so many events. */
function damage(count: number): void {
  const path = join(folder, 'head')
  const text = readFileSync(path, 'latin1')
  writeFileSync(path, text.replace(`"count":${count}`, `"count":${count + 7}`), 'latin1')
}

test('the later of two heads counts, wherever it stands', () => {
  const file = written()
  expect(file.read()?.point.count).toBe(2)
  file.write(head(3))
  expect(file.read()?.point.count).toBe(3)
})

test('a later head that is damaged leaves the earlier one', () => {
  const file = written()
  damage(2)
  expect(file.read()?.point.count).toBe(1)
})

test('an earlier head that is damaged hides nothing', () => {
  const file = written()
  damage(1)
  expect(file.read()?.point.count).toBe(2)
})

test('two damaged heads are none', () => {
  const file = written()
  damage(1)
  damage(2)
  expect(file.read()).toBeUndefined()
})

test('the head of another store is none', () => {
  written()
  expect(new HeadFile(syncDisk, folder, 'other').read()).toBeUndefined()
})
