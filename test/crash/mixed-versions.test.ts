/**
 * The program of an earlier release and this one on one folder, as while a new one is put in place. Left out
 * without `APIE_PREVIOUS_EXECUTABLE`, the path of that program.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EXECUTABLE } from '../support/executable.ts'
import { count, crashRun, inParallel, scaled, tell } from './crash-run.ts'
import { ExecutableStore } from './executable-store.ts'

const PREVIOUS = process.env['APIE_PREVIOUS_EXECUTABLE'] ?? ''

test.skipIf(!existsSync(PREVIOUS))(
  'an earlier program and this one, killed now and then, write one log',
  async () => {
    const run = crashRun()
    const store = new ExecutableStore(join(run.folder(), 'data'))
    expect((await store.append({ executable: PREVIOUS })).kind).toBe('stored')
    let kills = 0
    const requests = Array.from({ length: scaled(200) }, (_, n) => n)
    await inParallel(requests, 4, async (n) => {
      const executable = n % 2 === 0 ? PREVIOUS : EXECUTABLE
      const isKilled = run.random() < 0.3
      // Of the time that a request takes about as much as it may live.
      const seconds = (0.01 + run.random() * 0.12).toFixed(3)
      const around = isKilled ? ['timeout', '-s', 'KILL', seconds] : []
      const outcome = await store.append({ executable, around, stream: `s-${n % 3}` })
      if (isKilled) kills++
      else expect(outcome.kind).toBe('stored')
    })
    for (const executable of [PREVIOUS, EXECUTABLE])
      expect((await store.verify(executable)).status).toBe(0)
    count('kills of mixed versions', kills)
    tell(`${kills} kills, ${store.history.stored.length} acknowledged by both`)
    expect(await store.findViolations()).toEqual([])
  },
)
