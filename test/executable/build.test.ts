/** What the build promises of the executable, beyond that it runs. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  const data = join(folder, 'data')
  const variables = {
    APIE_DATA: data,
    APIE_ANONYMOUS: 'admin',
    CONTENT_TYPE: 'application/json',
  }
  const body = '{"eventType":"t","body":"hello"}'
  await runCgi(EXECUTABLE, { method: 'POST', target: '/events', variables, body })
  damage(join(data, 'log'), 'hello', 'hellp')
  const { code, err } = await runCgi(EXECUTABLE, { target: '/events', variables })
  expect(code).toBe(500)
  const [, file = '', line] = /stack="at \S+ \((src\/[a-z/-]+\.ts):(\d+):\d+\)/.exec(err) ?? []
  const source = readFileSync(join(PROJECT, file), 'utf8').split('\n')
  expect(source[Number(line) - 1]).toContain("new AppError('log-damaged'")
})

/** Changes bytes of every file in a folder that has them. */
function damage(log: string, from: string, to: string): void {
  for (const name of readdirSync(log)) {
    const path = join(log, name)
    const text = readFileSync(path, 'latin1')
    if (text.includes(from)) writeFileSync(path, text.replace(from, to), 'latin1')
  }
}
