/** What `apie doctor` says of the modes of files in the data folder. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Check } from '../../src/cli/doctor/check.ts'
import { checkDataFiles } from '../../src/cli/doctor/data-files.ts'

const verdicts = (checks: readonly Check[]) =>
  Object.fromEntries(checks.map(({ name, verdict }) => [name, verdict]))

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'apie-doctor-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

describe('the data files', () => {
  const modes = (files: Readonly<Record<string, number>>) => {
    for (const [name, mode] of Object.entries(files)) {
      writeFileSync(join(root, name), '')
      chmodSync(join(root, name), mode)
    }
    return checkDataFiles(root)
  }

  test('that their owner alone can read and write are fine, and links are let alone', () => {
    mkdirSync(join(root, 'log'), { mode: 0o700 })
    symlinkSync('nowhere', join(root, 'link'))
    expect(new Set(Object.values(verdicts(modes({ format: 0o600 }))))).toEqual(new Set(['ok']))
  })

  test('that cannot be written are a problem with the command that helps, whoever asks', () => {
    expect(modes({ a: 0o600, b: 0o400, c: 0o200 })[2]).toEqual({
      name: 'rights on data files',
      verdict: 'problem',
      message: `their owner may not read or write 2 of 3; ${join(root, 'b')} has mode 400`,
      fix: `chmod -R u+rwX ${root}`,
    })
  })

  test('in a folder that cannot be written are a problem', () => {
    mkdirSync(join(root, 'log'), { mode: 0o500 })
    expect(verdicts(checkDataFiles(root))['rights on data files']).toBe('problem')
  })
})
