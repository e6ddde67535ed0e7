/** What a crash test that fails leaves behind. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PROJECT } from '../support/executable.ts'
import { crashRun } from './crash-run.ts'

const ON_PURPOSE = 'fails on purpose'

test.runIf(process.env['APIE_CRASH_FAIL'] === '1')(ON_PURPOSE, () => {
  fs.writeFileSync(join(crashRun().folder(), 'state'), 'as it was')
  expect('what went wrong').toBe('')
})

test('a test that fails tells its seed and keeps its folder', () => {
  const vitest = join(PROJECT, 'node_modules/vitest/vitest.mjs')
  const words = ['run', '--project', 'crash', 'test/crash/kept.test.ts', '-t', ON_PURPOSE]
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, ...words], {
    cwd: PROJECT,
    encoding: 'utf8',
    env: { ...process.env, APIE_CRASH_FAIL: '1', APIE_CRASH_SEED: '77' },
  })
  expect(status).toBe(1)
  const [, seed, folder = ''] = /APIE_CRASH_SEED=(\d+); kept: (\S+)/.exec(stdout + stderr) ?? []
  expect(seed).toBe('77')
  expect(fs.readFileSync(join(folder, 'state'), 'utf8')).toBe('as it was')
  fs.rmSync(folder, { recursive: true })
})
