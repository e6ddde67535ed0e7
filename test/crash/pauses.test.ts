/** A writer that is stopped in the middle of its append, for longer than its lock lives. */
import { expect, test } from 'vitest'
import { randomUuid } from '../../src/kit/random.ts'
import { crashRun, inParallel, scaled, tell } from './crash-run.ts'
import { openLog } from './open-log.ts'
import { findViolations, type Told } from './oracle.ts'
import { type StopAt, Worker } from './workers.ts'

/** Steps of an append, by the call of the disk that makes each; every one is met before and after. */
const STEPS: readonly (readonly [what: string, call: StopAt['call'], nth: number])[] = [
  ['the owner record of the lock', 'openUpdate', 1],
  ['the look at the free space', 'free', 1],
  ['the write', 'appendOnce', 1],
  ['the sync', 'syncData', 1],
  ['the index entries', 'writeAt', 2],
  ['the links', 'writeAt', 3],
  ['the keys', 'writeAt', 4],
  ['the keys again', 'writeAt', 5],
  ['the sequences', 'writeAt', 6],
  ['the head', 'writeAt', 8],
]

/** Longer than a lock counts as held, ms. */
const PAUSE_MS = 2500

async function pauseOnce(root: string, stopAt: StopAt, isSeal: boolean): Promise<string[]> {
  const opened = await openLog(root, isSeal ? { segmentBytes: 4096 } : {})
  const [paused, ...others] = await Promise.all(
    Array.from({ length: 3 }, () => Worker.start(root, 'lock')),
  )
  if (!paused) throw new Error('No worker was started')
  const stored: Told[] = []
  const append = async (worker: Worker, more: { stopAt?: StopAt } = {}) => {
    const id = randomUuid()
    const answer = await worker.ask({ id, stream: 's', pad: 300, ...more })
    if (answer?.kind !== 'appended') throw new Error(`Not stored: ${JSON.stringify(answer)}`)
    stored.push({ id, position: answer.position, hash: answer.hash })
  }
  await append(paused)
  const late = append(paused, { stopAt })
  const since = performance.now()
  let isStopped = false
  void late.then(() => {
    isStopped = true
  })
  while (!isStopped && !paused.isStopped) await new Promise((resolve) => setTimeout(resolve, 5))
  for (let n = 0; n < 5; n++) await Promise.all(others.map((worker) => append(worker)))
  const left = PAUSE_MS - (performance.now() - since)
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, left)))
  paused.child.kill('SIGCONT')
  await late
  await Promise.all([paused, ...others].map((worker) => append(worker)))
  await Promise.all([paused, ...others].map((worker) => worker.end()))
  return findViolations(opened, { stored, refused: new Set() })
}

test('a writer that is stopped at any step and goes on later spoils nothing', async () => {
  const run = crashRun()
  const cases = STEPS.flatMap((step) =>
    (['before', 'after'] as const).flatMap((when) =>
      Array.from({ length: scaled(7) }, (_, round) => ({ step, when, round })),
    ),
  )
  const bad: string[] = []
  await inParallel(cases, 16, async ({ step: [what, call, nth], when, round }) => {
    const root = `${run.folder()}/data`
    const found = await pauseOnce(root, { call, nth, when }, round % 2 === 1)
    for (const problem of found) bad.push(`${when} ${what}: ${problem}`)
  })
  tell(`${cases.length} pauses of ${PAUSE_MS} ms at ${STEPS.length * 2} places`)
  expect(bad).toEqual([])
})
