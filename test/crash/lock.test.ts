/** A lock that was sabotaged, or whose holder died, delays writers a little and spoils nothing. */
import { chmodSync, chownSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { randomUuid } from '../../src/kit/random.ts'
import { appendTo, draft } from '../support/drafts.ts'
import { crashRun, most, scaled, tell } from './crash-run.ts'
import { openLog } from './open-log.ts'
import { findViolations, type Told } from './oracle.ts'
import { SABOTAGE } from './sabotage.ts'
import { Worker } from './workers.ts'

/** What a writer waits for a lock before it refuses, where no setting says otherwise; a lock is old after 2 s. */
const WAIT_MS = 8000

async function appendAll(workers: readonly Worker[], stored: Told[]): Promise<number> {
  const since = performance.now()
  await Promise.all(
    workers.map(async (worker) => {
      const id = randomUuid()
      const answer = await worker.ask({ id, stream: 's', pad: 50 })
      if (answer?.kind !== 'appended') throw new Error(`Not stored: ${JSON.stringify(answer)}`)
      stored.push({ id, position: answer.position, hash: answer.hash })
    }),
  )
  return performance.now() - since
}

test.for(SABOTAGE)(
  'writers get past %s, each within the time that it waits for a lock',
  async ([what, plant]) => {
    const run = crashRun()
    const root = `${run.folder()}/data`
    const opened = await openLog(root)
    const workers = await Promise.all(
      Array.from({ length: 4 }, () => Worker.start(root, 'lock', { lockTimeoutMs: WAIT_MS })),
    )
    const stored: Told[] = []
    await appendAll(workers, stored)
    plant(opened.layout)
    const tookMs = await appendAll(workers, stored)
    tell(`${what}: ${Math.round(tookMs)} ms`)
    most('slowest append behind a sabotaged lock, ms', Math.round(tookMs))
    await Promise.all(workers.map((worker) => worker.end()))
    expect(await findViolations(opened, { stored, refused: new Set() })).toEqual([])
  },
)

test('writers that may not make a lock go on without it', async () => {
  const run = crashRun()
  const parent = run.folder()
  const root = join(parent, 'data')
  const opened = await openLog(root)
  const stored: Told[] = []
  await opened.log.append(appendTo('s', [draft(1)]))
  const uid = process.getuid?.() === 0 ? 65_534 : undefined
  if (uid !== undefined) for (const path of everything(parent)) chownSync(path, uid, uid)
  chmodSync(dirname(opened.layout.lock), 0o500)
  const given = uid === undefined ? {} : { uid }
  const workers = await Promise.all(
    Array.from({ length: 4 }, () => Worker.start(root, 'lock', given)),
  )
  for (let n = 0; n < 20; n++) await appendAll(workers, stored)
  await Promise.all(workers.map((worker) => worker.end()))
  chmodSync(dirname(opened.layout.lock), 0o700)
  expect(stored.length).toBe(80)
  expect(await findViolations(opened, { stored, refused: new Set() })).toEqual([])
})

function everything(root: string): string[] {
  const below = readdirSync(root, { recursive: true, encoding: 'utf8' })
  return [root, ...below.map((name) => join(root, name))]
}

test('a holder that was killed keeps no writer waiting for longer than it waits for a lock', async () => {
  const run = crashRun()
  const known: number[] = []
  const unknown: number[] = []
  for (let round = 0; round < scaled(6); round++) {
    const root = `${run.folder()}/data`
    const opened = await openLog(root)
    const given = { lockTimeoutMs: WAIT_MS }
    const holder = await Worker.start(root, 'lock', given)
    const next = await Worker.start(root, 'lock', given)
    const stored: Told[] = []
    await appendAll([holder, next], stored)
    const stopAt = { call: 'appendOnce', file: '.log', nth: 1, when: 'before' } as const
    void holder.ask({ id: randomUuid(), stream: 's', pad: 10, stopAt })
    while (!holder.isStopped) await new Promise((resolve) => setTimeout(resolve, 2))
    const isKnown = round % 2 === 0
    if (!isKnown) rmSync(opened.layout.owner)
    holder.kill()
    await holder.end()
    const tookMs = await appendAll([next], stored)
    ;(isKnown ? known : unknown).push(Math.round(tookMs))
    await next.end()
    expect(await findViolations(opened, { stored, refused: new Set() })).toEqual([])
  }
  tell(`behind a dead holder that is recognised: ${known} ms; that is not: ${unknown} ms`)
  most('slowest append behind a dead holder that is recognised, ms', Math.max(...known))
  most('slowest append behind a dead holder that is not, ms', Math.max(0, ...unknown))
})
