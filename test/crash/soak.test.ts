/**
 * Many events, one process a request: the number of files does not grow with them, and little is written in vain.
 * What a request takes is told, not judged: the machine decides.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { count, crashRun, inParallel, most, scaled, tell } from './crash-run.ts'
import { ExecutableStore } from './executable-store.ts'
import { openLog } from './open-log.ts'

const CLIENTS = 4

const filesIn = (root: string) => readdirSync(root, { recursive: true }).length

const percentile = (times: readonly number[], part: number) =>
  Math.round(times.toSorted((a, b) => a - b)[Math.floor(times.length * part)] ?? 0)

test('of many events through processes of one request little is void, and no file is made for them', async () => {
  const run = crashRun()
  const store = new ExecutableStore(join(run.folder(), 'data'))
  for (let n = 0; n < 10; n++) expect((await store.append()).kind).toBe('stored')
  const files = filesIn(store.root)
  const times: number[] = []
  const requests = Array.from({ length: scaled(300) }, (_, n) => n)
  await inParallel(requests, CLIENTS, async (n) => {
    const since = performance.now()
    const outcome = await store.append({ stream: `s-${n % 500}`, pad: n % 400 })
    times.push(performance.now() - since)
    expect(outcome.kind).toBe('stored')
  })
  const tenth = Math.ceil(times.length / 10)
  const [first, last] = [times.slice(0, tenth), times.slice(-tenth)].map((some) =>
    percentile(some, 0.99),
  )
  const { log } = await openLog(store.root)
  const { counts, findings } = await log.verify()
  await log.close()
  const voidBytes = counts['voidBytes'] ?? 0
  const logs = readdirSync(join(store.root, 'log'))
  const bytes = logs.reduce((sum, name) => sum + statSync(join(store.root, 'log', name)).size, 0)
  count('events through CGI', requests.length)
  // A machine that stops a process for longer than a lock lives makes void lines: a figure as the times are.
  most('void bytes of 1000 through CGI', Math.round((voidBytes * 1000) / bytes))
  most('p99 of the last tenth of requests, ms', last ?? 0)
  tell(
    `p99 ${first} ms in the first tenth, ${last} ms in the last; ${voidBytes} void bytes of ${bytes}`,
  )
  expect(findings).toEqual([])
  // A new file of the log for each eight megabytes, and one for each index that grew out of its place.
  expect(filesIn(store.root) - files).toBeLessThanOrEqual(5 + requests.length / 5000)
  expect(await store.findViolations()).toEqual([])
})
