/** Writers that are killed at any moment, with the lock and without it. */
import { expect, test } from 'vitest'
import { count, crashRun, most, pick, scaled, tell } from './crash-run.ts'
import { findViolations, type History, killWriters } from './killing.ts'

async function expectNoViolation(folder: string, history: History): Promise<void> {
  expect(history.failures.join('\n')).toBe('')
  const { voidBytes, ...violations } = await findViolations(folder, history)
  count('void bytes', voidBytes)
  most('slowest recovery with kills, ms', history.slowestMs)
  most('longest append with kills, ms', history.longestMs)
  tell(
    `${voidBytes} void bytes; ${history.slowestMs} ms without an answer, ${history.longestMs} ms for one append at most`,
  )
  expect(violations).toEqual({ count: 0, examples: [] })
}

test('1,000 kills of six writers lose, change and repeat nothing', async () => {
  const run = crashRun()
  const folder = `${run.folder()}/data`
  const history = await killWriters({
    folder,
    writers: 6,
    kills: scaled(1000),
    acknowledged: 0,
    hasLock: true,
    largestBody: () => (run.random() < 0.1 ? 1_000_000 : 4096),
    life: [1, 120],
    random: run.random,
  })
  count('kills', history.kills)
  tell(`${history.kills} kills, ${history.acknowledged.length} acknowledged with the lock`)
  await expectNoViolation(folder, history)
})

test('50,000 acknowledged appends without any lock, and none is lost', async () => {
  const run = crashRun()
  const folder = `${run.folder()}/data`
  const history = await killWriters({
    folder,
    writers: 4,
    kills: scaled(20),
    acknowledged: scaled(50_000),
    hasLock: false,
    largestBody: () => 1024,
    callers: () => pick(run.random, [1, 2, 8, 32]),
    life: [300, 4000],
    random: run.random,
  })
  count('acknowledged without a lock', history.acknowledged.length)
  tell(`${history.acknowledged.length} acknowledged without a lock, ${history.kills} kills`)
  await expectNoViolation(folder, history)
})
