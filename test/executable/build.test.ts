/** What the build promises of the executable, beyond that it runs. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runCgi } from '../support/cgi-run.ts'
import { EXECUTABLE, PROJECT } from '../support/executable.ts'

const folder = mkdtempSync(join(tmpdir(), 'apie-build-test-'))
/** Always the same, since the build remembers what it made where. */
const builds = join(PROJECT, 'build', 'test-builds')
afterAll(() => {
  rmSync(folder, { recursive: true })
  rmSync(builds, { recursive: true, force: true })
})

function build(name: string): Buffer {
  const out = join(builds, name)
  execFileSync(process.execPath, ['build.mjs', '--no-code-cache', '--out', out], {
    cwd: PROJECT,
    stdio: 'ignore',
  })
  return readFileSync(out)
}

test('two builds without code cache are equal to the byte', () => {
  expect(build('one').equals(build('other'))).toBe(true)
})

test('the stack of a failure in the log names lines of the sources', async () => {
  const variables = { APIE_DATA: join(folder, 'data'), APIE_PORT: 'x' }
  const { err } = await runCgi(EXECUTABLE, { target: '/events', variables })
  const [, file = '', line] = /stack="at \w+ \((src\/[a-z-]+\.ts):(\d+):\d+\)/.exec(err) ?? []
  const source = readFileSync(join(PROJECT, file), 'utf8').split('\n')
  expect(source[Number(line) - 1]).toContain("new AppError('bad-setting'")
})
