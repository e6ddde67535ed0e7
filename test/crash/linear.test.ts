/** Histories of five processes on three streams: as if there had been one client that did one thing at a time. */
import { expect, test } from 'vitest'
import { count, crashRun, scaled, tell } from './crash-run.ts'
import { askOnce, type Histories, STEPS, streamsOf } from './histories.ts'
import { isLinear, type Step } from './linear.ts'
import { openLog } from './open-log.ts'
import { findViolations } from './oracle.ts'
import { type Answer, Worker } from './workers.ts'

const PROCESSES = 5

const step = (from: number, to: number, what: Step['what']): Step => ({ from, to, what })
const APPENDED = { kind: 'appended', version: 0 } as const

test.each<[string, boolean, readonly Step[]]>([
  [
    'an append seen by a later look',
    true,
    [step(0, 1, APPENDED), step(2, 3, { kind: 'looked', version: 0 })],
  ],
  [
    'an append that a later look misses',
    false,
    [step(0, 1, APPENDED), step(2, 3, { kind: 'looked', version: -1 })],
  ],
  [
    'an append that a look at the same time misses',
    true,
    [step(0, 2, APPENDED), step(1, 3, { kind: 'looked', version: -1 })],
  ],
  ['one version given twice', false, [step(0, 5, APPENDED), step(1, 4, APPENDED)]],
  [
    'a refusal of the version that stands there',
    false,
    [step(0, 1, APPENDED), step(2, 3, { kind: 'refused', expected: 0 })],
  ],
  [
    'an append without an answer that shows later',
    true,
    [
      step(0, Number.POSITIVE_INFINITY, { kind: 'unknown', expected: -1 }),
      step(2, 3, { kind: 'looked', version: -1 }),
      step(4, 5, { kind: 'looked', version: 0 }),
    ],
  ],
  [
    'a head that goes back',
    false,
    [
      step(0, Number.POSITIVE_INFINITY, { kind: 'unknown', expected: -1 }),
      step(2, 3, { kind: 'looked', version: 0 }),
      step(4, 5, { kind: 'looked', version: -1 }),
    ],
  ],
])('the checker judges %s', (_what, isRight, steps) => {
  expect(isLinear(steps)).toBe(isRight)
})

test('what five processes are answered can be put into one order', async () => {
  const { random, folder } = crashRun()
  const histories = scaled(20)
  const root = `${folder()}/data`
  await openLog(root)
  // In half of the histories without a lock, and some of them as servers do.
  const workers = await Promise.all(
    Array.from({ length: PROCESSES }, (_, n) =>
      Worker.start(root, n % 2 === 0 ? 'lock' : 'no-lock', { isLongLived: n > 2 }),
    ),
  )
  const all: Histories = { steps: new Map(), stored: [] }
  // Only a process that was killed gives no answer.
  const silence = (answer?: Answer) => (answer === undefined ? 'unknown' : undefined)
  let kills = 0
  for (let history = 0; history < histories; history++) {
    let left = STEPS
    const streams = streamsOf(history)
    const one = async (slot: number) => {
      while (left-- > 0) {
        await askOnce(workers[slot] as Worker, streams, random, all, silence)
        if (random() > 0.005) continue
        const victim = Math.floor(random() * PROCESSES)
        workers[victim]?.kill()
        const kind = victim % 2 === 0 ? 'lock' : 'no-lock'
        workers[victim] = await Worker.start(root, kind, { isLongLived: victim > 2 })
        kills++
      }
    }
    await Promise.all(Array.from({ length: PROCESSES }, (_, slot) => one(slot)))
  }
  await Promise.all(workers.map((worker) => worker.end()))
  const bad = [...all.steps].filter(([, steps]) => !isLinear(steps)).map(([stream]) => stream)
  count('histories', histories)
  tell(`${histories} histories of ${STEPS} steps, ${kills} kills, ${all.stored.length} appends`)
  expect(bad).toEqual([])
  const { stored } = all
  expect(await findViolations(await openLog(root), { stored, refused: new Set() })).toEqual([])
})
