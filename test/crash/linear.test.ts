/** Histories of five processes on three streams: as if there had been one client that did one thing at a time. */
import { expect, test } from 'vitest'
import { randomUuid } from '../../src/kit/random.ts'
import { count, crashRun, pick, type Random, scaled, tell } from './crash-run.ts'
import { isLinear, type Step } from './linear.ts'
import { openLog } from './open-log.ts'
import { findViolations, type Told } from './oracle.ts'
import { Worker } from './workers.ts'

const PROCESSES = 5
const STEPS = 200

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

type Run = { readonly steps: Map<string, Step[]>; readonly stored: Told[]; kills: number }

/** One question of one process. */
async function ask(worker: Worker, stream: string, random: Random, run: Run): Promise<void> {
  const isLook = random() < 0.4
  const steps = run.steps.get(stream) ?? []
  run.steps.set(stream, steps)
  const last = steps.reduce(
    (most, { what }) => Math.max(most, 'version' in what ? what.version : -1),
    -1,
  )
  // Mostly what was seen last, so that some succeed and others come too late.
  const expected = isLook || random() < 0.4 ? undefined : last
  const id = randomUuid()
  const from = performance.now()
  const answer = await worker.ask({
    id,
    stream,
    pad: 20,
    isLook,
    ...(expected === undefined || expected < 0 ? {} : { expected }),
  })
  const to = performance.now()
  const wanted = expected === undefined || expected < 0 ? undefined : expected
  if (answer?.kind === 'head') {
    steps.push({ from, to, what: { kind: 'looked', version: answer.version } })
  } else if (answer?.kind === 'appended') {
    run.stored.push({ id, position: answer.position, hash: answer.hash })
    steps.push({ from, to, what: { kind: 'appended', version: answer.version } })
  } else if (answer?.kind === 'refused' && answer.code === 'wrong-expected-version') {
    steps.push({ from, to, what: { kind: 'refused', expected: wanted ?? -2 } })
  } else if (answer !== undefined) {
    throw new Error(`answered ${JSON.stringify(answer)}`)
  } else if (!isLook) {
    const never = Number.POSITIVE_INFINITY
    steps.push({ from, to: never, what: { kind: 'unknown', expected: wanted } })
  }
}

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
  const all: Run = { steps: new Map(), stored: [], kills: 0 }
  for (let history = 0; history < histories; history++) {
    let left = STEPS
    const streams = [0, 1, 2].map((n) => `h${history}-${n}`)
    const one = async (slot: number) => {
      while (left-- > 0) {
        await ask(workers[slot] as Worker, pick(random, streams), random, all)
        if (random() > 0.005) continue
        const victim = Math.floor(random() * PROCESSES)
        workers[victim]?.kill()
        const kind = victim % 2 === 0 ? 'lock' : 'no-lock'
        workers[victim] = await Worker.start(root, kind, { isLongLived: victim > 2 })
        all.kills++
      }
    }
    await Promise.all(Array.from({ length: PROCESSES }, (_, slot) => one(slot)))
  }
  await Promise.all(workers.map((worker) => worker.end()))
  const bad = [...all.steps].filter(([, steps]) => !isLinear(steps)).map(([stream]) => stream)
  count('histories', histories)
  tell(`${histories} histories of ${STEPS} steps, ${all.kills} kills, ${all.stored.length} appends`)
  expect(bad).toEqual([])
  const { stored } = all
  expect(await findViolations(await openLog(root), { stored, refused: new Set() })).toEqual([])
})
