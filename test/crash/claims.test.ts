/** Producers in processes of their own that want the same streams at the same time. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { uuid } from '../support/drafts.ts'
import { crashRun, scaled, tell } from './crash-run.ts'
import { openLog } from './open-log.ts'
import { bundled } from './workers.ts'

test('of three processes that claim a stream at once exactly one owns it', async () => {
  const run = crashRun()
  const root = join(run.folder(), 'data')
  const { log } = await openLog(root)
  const program = await bundled('claimer')
  const rounds = scaled(100)
  const claimers = [1, 2, 3].map((n) => {
    const stdio = ['pipe', 'pipe', 'inherit'] as const
    const child = spawn(process.execPath, [program, root, uuid(n)], { stdio: [...stdio] })
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return { id: uuid(n), child, answers }
  })
  const won = new Map<string, number>()
  for (let round = 0; round < rounds; round++) {
    const stream = `s-${round}`
    for (const { child } of claimers) child.stdin.write(`${stream}\n`)
    const told = await Promise.all(
      claimers.map(async ({ answers }) => (await answers.next()).value),
    )
    const owners = claimers.filter((_, at) => told[at] === `${stream} owner`)
    expect(told.toSorted()).toEqual([
      `${stream} owner`,
      `${stream} stream-locked`,
      `${stream} stream-locked`,
    ])
    const { owner } = await log.streamState(stream as never)
    expect(owner).toBe(owners[0]?.id)
    won.set(owner ?? '', (won.get(owner ?? '') ?? 0) + 1)
  }
  tell(`${rounds} streams, won ${[...won.values()].join(', ')}`)
  for (const { child } of claimers) child.stdin.end()
  expect((await log.verify()).findings).toEqual([])
  await log.close()
})
