/** A writer that is stopped in the middle of its append, for longer than its lock lives. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { randomUuid } from '../../src/kit/random.ts'
import { segmentName } from '../../src/storage/file/layout.ts'
import { count, crashRun, inParallel, scaled, tell } from './crash-run.ts'
import { openLog, SMALL_SEGMENT } from './open-log.ts'
import { findViolations, type Told } from './oracle.ts'
import { type StopAt, Worker } from './workers.ts'

/** Steps of an append, by the call of the disk that makes each; every one is met before and after. */
const STEPS: readonly (readonly [
  what: string,
  call: StopAt['call'],
  file: string,
  nth?: number,
])[] = [
  ['the owner record of the lock', 'openUpdate', '.owner'],
  ['the look at the free space', 'free', '/log'],
  ['the write', 'appendOnce', '.log'],
  ['the reading back', 'readAt', '.log'],
  ['the sync', 'syncData', '.log'],
  ['the index entries', 'writeAt', '/entries'],
  ['the links', 'writeAt', '/links'],
  ['the key of the hash', 'writeAt', '/hashes'],
  ['the key of the id', 'writeAt', '/ids'],
  ['the sequences', 'writeAt', '/sequences'],
  ['the look at the head', 'readAt', '/head'],
  ['the head', 'writeAt', '/head'],
]

/** Longer than a lock counts as held, ms. */
const PAUSE_MS = 2500
/** Longer than what is known of the free space is believed, ms: then it is looked at again. */
const FREE_MS = 120

let stops = 0

/** @param segmentBytes small: the others begin new files meanwhile */
async function pauseOnce(
  root: string,
  stopAt: StopAt,
  segmentBytes: number,
  tail: 'whole' | 'torn',
): Promise<string[]> {
  const opened = await openLog(root, { segmentBytes })
  const [paused, ...others] = await Promise.all(
    Array.from({ length: 3 }, () => Worker.start(root, 'lock', { segmentBytes })),
  )
  if (!paused) throw new Error('No worker was started')
  const stored: Told[] = []
  try {
    const append = async (worker: Worker, more: { stopAt?: StopAt } = {}) => {
      const id = randomUuid()
      // A stream of its own, so that the append begins sequences, too.
      const stream = more.stopAt ? 'paused' : 's'
      const answer = await worker.ask({ id, stream, pad: 300, ...more })
      if (answer?.kind !== 'appended') throw new Error(`Not stored: ${JSON.stringify(answer)}`)
      stored.push({ id, position: answer.position, hash: answer.hash })
    }
    await append(paused)
    if (tail === 'torn')
      appendFileSync(join(opened.layout.segments, segmentName(1)), 'the beginning')
    await new Promise((resolve) => setTimeout(resolve, FREE_MS))
    const late = append(paused, { stopAt })
    const since = performance.now()
    let isAnswered = false
    void late.then(() => {
      isAnswered = true
    })
    while (!isAnswered && !paused.isStopped) await new Promise((resolve) => setTimeout(resolve, 5))
    if (!isAnswered) stops++
    for (let n = 0; n < 5; n++) await Promise.all(others.map((worker) => append(worker)))
    const left = PAUSE_MS * (1 + Math.random()) - (performance.now() - since)
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, left)))
    paused.child.kill('SIGCONT')
    await late
    await Promise.all([paused, ...others].map((worker) => append(worker)))
    await Promise.all([paused, ...others].map((worker) => worker.end()))
  } finally {
    for (const { child } of [paused, ...others]) child.kill('SIGKILL')
  }
  return findViolations(opened, { stored, refused: new Set() })
}

test('a writer that is stopped at any step and goes on later spoils nothing', async () => {
  const run = crashRun()
  const cases = STEPS.flatMap((step) =>
    (['before', 'after'] as const).flatMap((when) =>
      Array.from({ length: scaled(6) }, (_, round) => ({ step, when, round })),
    ),
  )
  const bad: string[] = []
  await inParallel(cases, 24, async ({ step, when, round }) => {
    const [what, call, file, nth = 1] = step
    const root = `${run.folder()}/data`
    const found = await pauseOnce(
      root,
      { call, file, nth, when },
      round % 2 === 1 ? 2048 : SMALL_SEGMENT,
      'whole',
    )
    for (const problem of found) bad.push(`${when} ${what}: ${problem}`)
  })
  count('pauses', stops)
  tell(`${stops} pauses of ${PAUSE_MS} to ${2 * PAUSE_MS} ms at ${STEPS.length * 2} places`)
  expect(stops).toBe(cases.length)
  expect(bad).toEqual([])
})

test('a writer that is stopped at the end of a torn line leaves alone what comes behind it', async () => {
  const run = crashRun()
  const bad: string[] = []
  const rounds = Array.from({ length: scaled(6) }, (_, round) => round)
  await inParallel(rounds, 6, async () => {
    const stopAt = { call: 'readAt', file: '.log', nth: 1, when: 'after' } as const
    bad.push(...(await pauseOnce(`${run.folder()}/data`, stopAt, SMALL_SEGMENT, 'torn')))
  })
  expect(bad).toEqual([])
})

async function appendWith(worker: Worker, stored: Told[], stopAt?: StopAt): Promise<void> {
  const id = randomUuid()
  const answer = await worker.ask({ id, stream: 's', pad: 300, ...(stopAt && { stopAt }) })
  if (answer?.kind !== 'appended') throw new Error(`Not stored: ${JSON.stringify(answer)}`)
  stored.push({ id, position: answer.position, hash: answer.hash })
}

/**
 * Each of four holders is stopped just before its write until the next one has taken its lock for an old one;
 * then they go on in the order in which they came, and each lets go of a lock that is another's.
 */
async function chainOnce(root: string): Promise<string[]> {
  const opened = await openLog(root)
  const holders = await Promise.all(Array.from({ length: 4 }, () => Worker.start(root, 'lock')))
  const stored: Told[] = []
  const late: Promise<void>[] = []
  const stopAt = { call: 'appendOnce', file: '.log', nth: 1, when: 'before' } as const
  try {
    for (const holder of holders) {
      late.push(appendWith(holder, stored, stopAt))
      while (!holder.isStopped) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    for (const [n, { child }] of holders.entries()) {
      child.kill('SIGCONT')
      await late[n]
      for (const other of holders.slice(0, n)) await appendWith(other, stored)
    }
    await Promise.all(holders.map((holder) => appendWith(holder, stored)))
    await Promise.all(holders.map((holder) => holder.end()))
  } finally {
    for (const { child } of holders) child.kill('SIGKILL')
  }
  return findViolations(opened, { stored, refused: new Set() })
}

test('four holders of one lock, each stopped in turn, lose nothing when they let go of it', async () => {
  const run = crashRun()
  const bad: string[] = []
  const rounds = Array.from({ length: scaled(25) }, (_, round) => round)
  await inParallel(rounds, 25, async () => {
    bad.push(...(await chainOnce(`${run.folder()}/data`)))
  })
  count('chains of holders', rounds.length)
  tell(`${rounds.length} chains of four holders`)
  expect(bad).toEqual([])
})
