/** Clocks that jump: between processes, and under one that runs. Order, positions and versions do not follow. */
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseStoredEvent } from '../../src/domain/event.ts'
import { FAKETIME } from '../support/install-crash-tools.ts'
import { count, crashRun, inParallel, pick, scaled, tell } from './crash-run.ts'
import { ExecutableStore } from './executable-store.ts'
import { openLog } from './open-log.ts'

const STEPS = ['+1s', '-1s', '+1h', '-1h', '+3650d', '-3650d', '+0s']

/** Times of the events in their order, and whether one of them goes back. */
async function timesOf(root: string): Promise<{ readonly times: string[]; readonly back: number }> {
  const { log } = await openLog(root)
  const times: string[] = []
  for await (const events of log.readLog(0, Number.MAX_SAFE_INTEGER, 'forwards')) {
    for (const event of events) times.push(parseStoredEvent(event).createdAt)
  }
  await log.close()
  return { times, back: times.filter((time, at) => at > 0 && time < (times[at - 1] ?? '')).length }
}

/** The library that faketime loads into a program, where the system keeps it. */
function library(): string {
  const words = ['-f', '+0s', 'sh', '-c', 'echo $LD_PRELOAD']
  return execFileSync(FAKETIME, words, { encoding: 'utf8' }).trim()
}

test.skipIf(!existsSync(FAKETIME))(
  'of processes whose clocks are hours and years apart each appends in its turn',
  async () => {
    const run = crashRun()
    const store = new ExecutableStore(`${run.folder()}/data`)
    const steps = Array.from({ length: scaled(120) }, () => pick(run.random, STEPS))
    const bad: string[] = []
    // The program `faketime` itself refuses to start where an earlier one with its number was killed.
    const around = { LD_PRELOAD: library() }
    await inParallel(steps, 4, async (step) => {
      const outcome = await store.append({ variables: { ...around, FAKETIME: step } })
      if (outcome.kind !== 'stored') bad.push(`${step}: ${JSON.stringify(outcome)}`)
    })
    expect(bad).toEqual([])
    const { times, back } = await timesOf(store.root)
    expect([times.length, back]).toEqual([steps.length, 0])
    expect(await store.findViolations()).toEqual([])
    count('steps of the clock', steps.length)
    tell(`${steps.length} processes, times from ${times[0]} to ${times.at(-1)}`)
  },
)

test.skipIf(!existsSync(FAKETIME))(
  'a server whose clock is set while it writes goes on',
  async () => {
    const run = crashRun()
    const folder = run.folder()
    const store = new ExecutableStore(join(folder, 'data'))
    expect((await store.append()).kind).toBe('stored')
    const clock = join(folder, 'clock')
    writeFileSync(clock, '+0s\n')
    const server = await store.serve({
      variables: {
        LD_PRELOAD: library(),
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: '1',
        // Time-outs must not wait for years.
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        DONT_FAKE_MONOTONIC: '1',
      },
    })
    try {
      let isOver = false
      const setting = (async () => {
        while (!isOver) {
          writeFileSync(clock, `${pick(run.random, STEPS)}\n`)
          await new Promise((resolve) => setTimeout(resolve, 3))
        }
        return 0
      })()
      const requests = Array.from({ length: scaled(200) }, (_, n) => n)
      await inParallel(requests, 4, async (n) => {
        const outcome = await store.append({ server, stream: `s-${n % 3}` })
        expect(outcome.kind).toBe('stored')
      })
      isOver = true
      await setting
      const { times, back } = await timesOf(store.root)
      expect([times.length, back]).toEqual([requests.length + 1, 0])
      expect(await store.findViolations()).toEqual([])
      count('steps of the clock', requests.length)
      tell(`${requests.length} appends, times from ${times[0]} to ${times.at(-1)}`)
    } finally {
      await server.kill('SIGTERM')
    }
  },
)
