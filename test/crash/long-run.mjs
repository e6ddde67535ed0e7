/**
 * `npm run test:crash -- --long`: repeats the crash and fuzz tests with other seeds until each has done as much
 * as its goal says. What is done is kept in `build/`, so that a run that was ended goes on where it was; `--fresh`
 * begins anew. `--share 0.001` asks for a thousandth of each goal, to see that everything works. Ends with 1 where
 * anything has failed, and says how to repeat it.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const share = Number(wordBehind('--share') ?? '1')
if (!(share > 0 && share <= 1)) throw new Error('--share is a number above 0, at most 1')
const stateName = share === 1 ? 'long-run' : `long-run-${share}`
const stateFile = join(project, 'build', `${stateName}.json`)
// Of this process alone: tests whose scheduler was killed may still be running.
const figuresFile = join(project, 'build', `${stateName}-figures-${process.pid}.jsonl`)
const reportFile = join(project, 'build', `${stateName}-round-${process.pid}.json`)

/** Of a share only so much is done in a round; no goal is more than fifty rounds of the usual size. */
const roundScale = Math.min(1, share * 50)

const FUZZ = ['requests', 'bytes', 'paths'].map((name) => `test/security/${name}.test.ts`)

/** What is counted, how much of it is enough, which files and tests do it, and how large a round is; what tells most comes first. */
const GOALS = [
  ['kills', 20_000, ['test/crash/kills.test.ts'], 'kills of six writers'],
  ['fault points', 15_000, ['test/crash/faults.test.ts'], 'whichever call of an append fails'],
  ['states after a loss of power', 200_000, ['test/crash/power-loss.test.ts'], 'power that goes'],
  ['fuzzed requests', 1_000_000, FUZZ, '', 2],
  ['seeded bugs caught', 16, ['test/crash/seeded-bugs.test.ts'], ''],
  ['acknowledged without a lock', 2_000_000, ['test/crash/kills.test.ts'], 'without any lock'],
  ['stampedes', 5000, ['test/crash/races.test.ts'], 'take over the same old lock'],
  ['pauses', 1400, ['test/crash/pauses.test.ts'], 'stopped at any step'],
  ['system calls that fail', 1000, ['test/crash/system-calls.test.ts'], '', 6],
  ['syncs that lie', 200, ['test/crash/faults.test.ts'], 'a sync of the log that failed'],
  ['uploads', 5000, ['test/crash/content-kills.test.ts'], ''],
  ['kills of readers', 100, ['test/crash/readers.test.ts'], ''],
  ['short writes', 900, ['test/crash/faults.test.ts'], 'of a write that took k of n bytes'],
  ['changed bytes', 262_144, ['test/crash/damage.test.ts'], 'a changed byte is reported'],
  ['cuts', 65_536, ['test/crash/damage.test.ts'], 'a log that was cut'],
  ['rearranged logs', 2000, ['test/crash/structure.test.ts'], 'a log that was rearranged'],
  ['indexes of any bytes', 50_000, ['test/crash/structure.test.ts'], 'an index of any bytes', 10],
  ['index points', 1000, ['test/crash/index.test.ts'], 'at 1,000 points'],
  ['events sent 1 to 4 times', 100_000, ['test/crash/races.test.ts'], 'sent again and again'],
  ['versions', 20_000, ['test/crash/races.test.ts'], 'expect the same version'],
  ['kills under Apache', 2000, ['test/crash/cgi-kills.test.ts'], 'under Apache'],
  ['kills of a server', 400, ['test/crash/cgi-kills.test.ts'], 'kills of a server'],
  ['chains of holders', 500, ['test/crash/pauses.test.ts'], 'four holders'],
  ['states after a second loss of power', 20_000, ['test/crash/power-loss-store.test.ts'], 'again'],
  ['steps of the clock', 3000, ['test/crash/clocks.test.ts'], ''],
  ['copies', 2000, ['test/crash/copies.test.ts'], '', 4],
  ['histories', 500, ['test/crash/linear.test.ts'], 'put into one order', 4],
  ['events through CGI', 30_000, ['test/crash/soak.test.ts'], '', 10],
]

mkdirSync(dirname(stateFile), { recursive: true })
if (process.argv.includes('--fresh')) rmSync(stateFile, { force: true })
const state = existsSync(stateFile)
  ? JSON.parse(readFileSync(stateFile, 'utf8'))
  : { goals: {}, done: {}, most: {}, rounds: 0, seconds: 0, failures: [] }

let child
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    child?.kill('SIGTERM')
    say(`ended by ${signal}; the same command goes on`)
    process.exit(130)
  })

for (const [what, whole, files, name, size = 1] of GOALS) {
  const goal = Math.ceil(whole * share)
  state.goals[what] = goal
  while ((state.done[what] ?? 0) < goal) {
    const before = state.done[what] ?? 0
    const since = performance.now()
    await round(files, name, size)
    const seconds = Math.round((performance.now() - since) / 1000)
    say(`${what}: ${state.done[what] ?? 0} of ${goal} (round ${state.rounds}, ${seconds} s)`)
    if ((state.done[what] ?? 0) === before) {
      fail(files, name, 'nothing was counted')
      break
    }
  }
}
save()
say(`${state.rounds} rounds in ${Math.round(state.seconds)} s, ${state.failures.length} failures`)
for (const failure of state.failures) say(JSON.stringify(failure))
process.stdout.write(`${JSON.stringify(state, undefined, 2)}\n`)
process.exit(state.failures.length === 0 ? 0 : 1)

/** One run of the tests with a seed of its own. */
async function round(files, name, size) {
  const seed = Math.floor(Math.random() * 2 ** 31)
  for (const path of [figuresFile, reportFile]) rmSync(path, { force: true })
  const since = performance.now()
  const words = ['run', ...files, ...(name === '' ? [] : ['-t', name])]
  const variables = {
    APIE_CRASH_SEED: String(seed),
    APIE_CRASH_SCALE: process.env.APIE_CRASH_SCALE ?? String(roundScale * size),
    APIE_SECURITY_SEED: String(seed),
    APIE_SECURITY_SCALE: process.env.APIE_SECURITY_SCALE ?? String(roundScale * size),
  }
  const code = await run(
    [...words, '--testTimeout=3600000', '--reporter=json', `--outputFile.json=${reportFile}`],
    { APIE_TEST_FIGURES: figuresFile, ...variables },
  )
  state.rounds++
  state.seconds += (performance.now() - since) / 1000
  for (const { what, amount, most } of figures()) {
    if (most === undefined) state.done[what] = (state.done[what] ?? 0) + amount
    else state.most[what] = Math.max(state.most[what] ?? 0, most)
  }
  const failed = failedTests()
  if (code !== 0) {
    const how = Object.entries(variables).map(([variable, value]) => `${variable}=${value}`)
    fail(files, name, how.join(' '), failed)
  }
  save()
}

function run(words, variables) {
  const vitest = join(project, 'node_modules/vitest/vitest.mjs')
  child = spawn(process.execPath, [vitest, ...words], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...variables },
  })
  return new Promise((resolve) => child.on('close', resolve))
}

function figures() {
  if (!existsSync(figuresFile)) return []
  return readFileSync(figuresFile, 'utf8').trim().split('\n').map(JSON.parse)
}

function failedTests() {
  if (!existsSync(reportFile)) return []
  const { testResults } = JSON.parse(readFileSync(reportFile, 'utf8'))
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ title, failureMessages }) => [title, failureMessages.join('\n').slice(0, 2000)]),
  )
}

function fail(files, name, how, tests = []) {
  state.failures.push({ files, name, how, tests })
  save()
}

/** A run that is ended while it writes must find what it knew before. */
function save() {
  writeFileSync(`${stateFile}.new`, `${JSON.stringify(state, undefined, 2)}\n`)
  renameSync(`${stateFile}.new`, stateFile)
}

function wordBehind(option) {
  const at = process.argv.indexOf(option)
  return at < 0 ? undefined : process.argv[at + 1]
}

function say(text) {
  process.stderr.write(`${text}\n`)
}
