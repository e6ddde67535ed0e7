/** Mistakes put into the engine on purpose, one at a time: each is caught by the test that is there for it. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'
import { count, tell } from './crash-run.ts'
import { SEEDED_BUGS, type SeededBug } from './seeded-bugs.ts'

const here = dirname(fileURLToPath(import.meta.url))
const project = join(here, '..', '..')

// One at a time they keep one processor busy; `maxConcurrency` lets two go.
test.concurrent.for(SEEDED_BUGS)('$name is caught', async (bug, { expect }) => {
  const [, caughtBy] = bug.caughtBy
  const failed = await failedTests(bug)
  tell(`${bug.name}: ${failed.join('; ') || 'not caught'}`)
  expect(failed).toHaveLength(1)
  expect(failed[0]).toContain(caughtBy)
  count('seeded bugs caught', 1)
})

/** Names of the tests that fail where the engine has the bug. */
async function failedTests(bug: SeededBug): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'apie-seeded-'))
  const report = join(folder, 'report.json')
  const [file, name] = bug.caughtBy
  const words = ['run', '--project', 'crash', `test/crash/${file}`, '-t', name]
  // What was transformed for other runs has no bug in it.
  const output = [
    '--no-fsModuleCache',
    '--testTimeout=60000',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]
  const child = spawn(
    process.execPath,
    [join(project, 'node_modules/vitest/vitest.mjs'), ...words, ...output],
    {
      cwd: project,
      stdio: 'ignore',
      env: {
        ...process.env,
        TMPDIR: folder,
        APIE_SEEDED_BUG: bug.name,
        APIE_CRASH_SCALE: String(bug.scale),
        // What a program with a mistake does is no part of what is proved.
        APIE_TEST_FIGURES: '',
      },
    },
  )
  await new Promise((resolve) => child.on('close', resolve))
  try {
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report
    const results = testResults.flatMap(({ assertionResults }) => assertionResults)
    if (results.length === 0) throw new Error(`${bug.name}: ${testResults[0]?.message}`)
    return results.filter(({ status }) => status === 'failed').map(({ title }) => title)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type Report = {
  readonly testResults: readonly {
    readonly message: string
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[]
  }[]
}
