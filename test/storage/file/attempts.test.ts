import fs from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { AttemptKey } from '../../../src/domain/throttle.ts'
import { sha256Hex } from '../../../src/kit/sha256.ts'
import { createFileAttempts } from '../../../src/storage/file/attempts.ts'
import { syncDisk } from '../../../src/storage/file/disk.ts'
import { modeOf, scratchFolders } from '../../support/data-folder.ts'
import { codeOf, testAccounts } from '../../support/test-accounts.ts'

const newFolder = scratchFolders()
const SIZE = 131_072

/** Two keys with these last digits stand in one slot where the digits are equal. */
const key = (kind: AttemptKey['kind'], start: string, end = '00000000'): AttemptKey => ({
  kind,
  hash: sha256Hex(start).slice(0, 56) + end,
})
const some = { failures: 3, lastFailureMs: 1_577_836_800_000, lastSuccessMs: 1_577_836_700_000 }
const other = { failures: 70_000, lastFailureMs: 5, lastSuccessMs: 0 }

it('counts across processes in one file of fixed size that nobody else can read', () => {
  const path = join(newFolder(), 'attempts')
  const counter = createFileAttempts(syncDisk, path)
  expect(counter.read(key('network', 'a'))).toBeUndefined()
  expect(fs.existsSync(path)).toBe(false)
  counter.write(key('network', 'a'), some)
  expect(createFileAttempts(syncDisk, path).read(key('network', 'a'))).toEqual(some)
  expect(modeOf(path)).toBe('600')
  for (let n = 0; n < 5000; n++) {
    const hash = sha256Hex(String(n))
    counter.write({ kind: n % 2 === 0 ? 'network' : 'account', hash }, some)
  }
  expect(fs.statSync(path).size).toBe(SIZE)
})

it('keeps the newest of two keys that meet in a slot, and never mixes them up', () => {
  const counter = createFileAttempts(syncDisk, join(newFolder(), 'attempts'))
  counter.write(key('network', 'a'), some)
  counter.write(key('network', 'b'), other)
  expect(counter.read(key('network', 'a'))).toBeUndefined()
  expect(counter.read(key('network', 'b'))).toEqual({ ...other, failures: 65_535 })
})

it('keeps the count of a network whatever account names are invented', () => {
  const counter = createFileAttempts(syncDisk, join(newFolder(), 'attempts'))
  const ends = ['00000000', '000007ff', '00000800', 'ffffffff']
  for (const end of ends) counter.write(key('network', 'net', end), some)
  for (let n = 0; n < 4096; n++) {
    counter.write(key('account', String(n), n.toString(16).padStart(8, '0')), other)
  }
  expect(counter.read(key('network', 'net', 'ffffffff'))).toEqual(some)
  expect(counter.read(key('network', 'net', '00000800'))).toEqual(some)
})

it('counts as nothing what cannot be read or written, and goes on', () => {
  const folder = newFolder()
  const missing = createFileAttempts(syncDisk, join(folder, 'no', 'attempts'))
  missing.write(key('network', 'a'), some)
  expect(missing.read(key('network', 'a'))).toBeUndefined()
  const path = join(folder, 'link')
  fs.writeFileSync(join(folder, 'target'), 'untouched')
  fs.symlinkSync(join(folder, 'target'), path)
  createFileAttempts(syncDisk, path).write(key('network', 'a'), some)
  expect(fs.readFileSync(join(folder, 'target'), 'utf8')).toBe('untouched')
})

it('makes a file that was cut short or filled with anything usable again', () => {
  const path = join(newFolder(), 'attempts')
  fs.writeFileSync(path, Buffer.alloc(100, 0xff))
  const counter = createFileAttempts(syncDisk, path)
  expect(counter.read(key('account', 'a'))).toBeUndefined()
  counter.write(key('account', 'a'), some)
  expect(counter.read(key('account', 'a'))).toEqual(some)
  expect(fs.statSync(path).size).toBe(SIZE)
})

it('lets at most 100 of 10,000 guesses through that come from one process each', async () => {
  const path = join(newFolder(), 'attempts')
  let checked = 0
  const { records, clock } = testAccounts()
  for (let n = 0; n < 10_000; n++) {
    const one = testAccounts({ records, attempts: createFileAttempts(syncDisk, path) })
    one.clock.nowMs = clock.nowMs + n * 6
    await codeOf(one.signIn('owner', `guess ${n}`, `203.0.113.${n % 250}`))
    checked += one.hasher.calls.length
  }
  expect(checked).toBe(10)
  expect(fs.statSync(path).size).toBe(SIZE)
})
