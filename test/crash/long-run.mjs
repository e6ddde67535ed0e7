/**
 * `npm run test:crash -- --long`: repeats the crash and fuzz tests with other seeds until each has done as much
 * as its goal says. What is done is kept in `build/long-run.json`, so that a run that was ended goes on where it
 * was; `--fresh` begins anew. Ends with 1 where anything has failed, and says how to repeat it.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const stateFile = join(project, 'build', 'long-run.json')
const figuresFile = join(project, 'build', 'long-run-figures.jsonl')
const reportFile = join(project, 'build', 'long-run-round.json')

/** What is counted, how much of it is enough, and which test does it. */
const GOALS = [
  ['kills', 20_000, 'test/crash/kills.test.ts', 'kills of six writers'],
  ['acknowledged without a lock', 2_000_000, 'test/crash/kills.test.ts', 'without any lock'],
  ['stampedes', 5000, 'test/crash/races.test.ts', 'take over the same old lock'],
  ['pauses', 1400, 'test/crash/pauses.test.ts', 'stopped at any step'],
  ['fault points', 15_000, 'test/crash/faults.test.ts', 'whichever call of an append fails'],
  ['short writes', 900, 'test/crash/faults.test.ts', 'of a write that took k of n bytes'],
  ['changed bytes', 262_144, 'test/crash/damage.test.ts', 'a changed byte is reported'],
  ['cuts', 65_536, 'test/crash/damage.test.ts', 'a log that was cut'],
  ['rearranged logs', 2000, 'test/crash/structure.test.ts', 'a log that was rearranged'],
  ['states after a loss of power', 200_000, 'test/crash/power-loss.test.ts', 'power that goes'],
  ['index points', 1000, 'test/crash/index.test.ts', 'at 1,000 points'],
  ['events sent 1 to 4 times', 100_000, 'test/crash/races.test.ts', 'sent again and again'],
  ['versions', 20_000, 'test/crash/races.test.ts', 'expect the same version'],
  ['fuzzed requests', 1_000_000, 'test/security', ''],
  ['seeded bugs caught', 14, 'test/crash/seeded-bugs.test.ts', ''],
]

mkdirSync(dirname(stateFile), { recursive: true })
if (process.argv.includes('--fresh')) rmSync(stateFile, { force: true })
const state = existsSync(stateFile)
  ? JSON.parse(readFileSync(stateFile, 'utf8'))
  : { done: {}, rounds: 0, seconds: 0, failures: [] }

for (const [what, goal, file, name] of GOALS) {
  while ((state.done[what] ?? 0) < goal) {
    const before = state.done[what] ?? 0
    await round(file, name)
    say(`${what}: ${state.done[what] ?? 0} of ${goal}`)
    if ((state.done[what] ?? 0) === before) {
      fail(file, name, 'nothing was counted')
      break
    }
  }
}
say(`${state.rounds} rounds in ${Math.round(state.seconds)} s, ${state.failures.length} failures`)
for (const failure of state.failures) say(JSON.stringify(failure))
process.stdout.write(`${JSON.stringify(state, undefined, 2)}\n`)
process.exit(state.failures.length === 0 ? 0 : 1)

/** One run of one test with a seed of its own. */
async function round(file, name) {
  const seed = Math.floor(Math.random() * 2 ** 31)
  for (const path of [figuresFile, reportFile]) rmSync(path, { force: true })
  const since = performance.now()
  const words = ['run', file, ...(name === '' ? [] : ['-t', name])]
  const code = await run([...words, '--reporter=json', `--outputFile.json=${reportFile}`], {
    APIE_TEST_FIGURES: figuresFile,
    APIE_CRASH_SEED: String(seed),
    APIE_SECURITY_SEED: String(seed),
  })
  state.rounds++
  state.seconds += (performance.now() - since) / 1000
  for (const { what, amount } of figures()) state.done[what] = (state.done[what] ?? 0) + amount
  if (code !== 0) fail(file, name, `APIE_CRASH_SEED=${seed} APIE_SECURITY_SEED=${seed}`)
  save()
}

function run(words, variables) {
  const vitest = join(project, 'node_modules/vitest/vitest.mjs')
  const child = spawn(process.execPath, [vitest, ...words], {
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

function fail(file, name, how) {
  state.failures.push({ file, name, how })
  save()
}

function save() {
  writeFileSync(stateFile, `${JSON.stringify(state, undefined, 2)}\n`)
}

function say(text) {
  process.stderr.write(`${text}\n`)
}
