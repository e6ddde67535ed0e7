import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import { createProgramLog } from '../../src/program-log.ts'
import { syncDisk } from '../../src/storage/file/disk.ts'

const clock = { now: () => Date.UTC(2026, 0, 2) }
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'apie-log-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the log of the program', () => {
  test('appends a line an entry to its file, which nobody else may read', () => {
    const file = join(folder, 'apie.log')
    const log = createProgramLog({ file, disk: syncDisk, clock })
    log.write('info', 'one')
    log.write('warning', 'two', { n: 2 })
    expect(readFileSync(file, 'utf8')).toBe(
      '2026-01-02T00:00:00.000Z info one\n2026-01-02T00:00:00.000Z warning two n=2\n',
    )
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('tells of a failure its reference, code, cause and mapped stack in one line', () => {
    const file = join(folder, 'apie.log')
    const log = createProgramLog({
      file,
      disk: syncDisk,
      clock,
      mapStack: () => 'E\n    at src/a.ts:1',
    })
    const cause = new Error('unforeseen')
    log.report('ab12', new AppError('log-damaged', 'It is damaged', {}, cause))
    expect(readFileSync(file, 'utf8')).toBe(
      '2026-01-02T00:00:00.000Z error It is damaged reference=ab12 ' +
        'code=log-damaged cause=unforeseen stack="at src/a.ts:1"\n',
    )
  })

  test('writes the stack of a failure once, and a short line each further time', () => {
    const file = join(folder, 'apie.log')
    const log = createProgramLog({
      file,
      disk: syncDisk,
      clock,
      mapStack: () => '    at src/a.ts:1',
    })
    for (const reference of ['a', 'b', 'c']) log.report(reference, new Error('gone'))
    log.report('d', new Error('another'))
    const prefix = '2026-01-02T00:00:00.000Z error'
    expect(readFileSync(file, 'utf8').split('\n')).toEqual([
      `${prefix} gone reference=a code=internal stack="at src/a.ts:1"`,
      `${prefix} gone reference=b code=internal`,
      `${prefix} gone reference=c code=internal`,
      `${prefix} another reference=d code=internal stack="at src/a.ts:1"`,
      '',
    ])
  })

  test('says of what the machine refuses the code and the reason, without a stack', () => {
    const file = join(folder, 'apie.log')
    const log = createProgramLog({ file, disk: syncDisk, clock })
    const cause = new Error('ENOSPC: no space left on device')
    log.report('ab12', new AppError('storage-full', 'There is no space left', {}, cause))
    expect(readFileSync(file, 'utf8')).toBe(
      '2026-01-02T00:00:00.000Z error There is no space left reference=ab12 ' +
        'code=storage-full cause="ENOSPC: no space left on device"\n',
    )
  })

  test('takes what is no error', () => {
    const file = join(folder, 'apie.log')
    createProgramLog({ file, disk: syncDisk, clock }).report('ab12', 'a text')
    expect(readFileSync(file, 'utf8')).toContain('error thrown: a text reference=ab12\n')
  })

  test('goes to standard error where its file cannot be written', () => {
    const lines: string[] = []
    const disk = {
      ...syncDisk,
      appendOnce: (fd: number, bytes: Uint8Array) => {
        lines.push(`${fd} ${Buffer.from(bytes).toString()}`)
        return bytes.length
      },
    }
    const file = join(folder, 'missing', 'apie.log')
    createProgramLog({ file, disk, clock }).write('info', 'one')
    expect(lines).toEqual(['2 2026-01-02T00:00:00.000Z info one\n'])
    expect(existsSync(file)).toBe(false)
  })
})
