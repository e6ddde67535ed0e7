/**
 * `npm test`: builds the executable, runs every project of the suite, and ends with one line that counts:
 * `N passed, N failed`. Words behind it go to Vitest; `--long` is `crash/long-run.mjs`.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = join(dirname(fileURLToPath(import.meta.url)), '..')
const report = join(project, 'build', 'test-report.json')
const options = { cwd: project, stdio: 'inherit' }

const build = spawnSync(process.execPath, ['build.mjs'], options)
if (build.status !== 0) process.exit(1)
if (process.argv.includes('--long')) await import('./crash/long-run.mjs')

mkdirSync(dirname(report), { recursive: true })
rmSync(report, { force: true })
const vitest = spawnSync(
  process.execPath,
  [
    join(project, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=dot',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ],
  options,
)
const {
  numPassedTests,
  numFailedTests,
  numPendingTests,
  numTotalTestSuites,
  success,
  testResults,
} = JSON.parse(readFileSync(report, 'utf8'))
// A file that does not load has failed without having counted a test.
const broken = testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
).length
const failed = numFailedTests + broken
const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : ''
if (numTotalTestSuites === 0) process.exit(1)
console.log(`${numPassedTests} passed, ${failed} failed${skipped}`)
process.exit(vitest.status === 0 && success && failed === 0 ? 0 : 1)
