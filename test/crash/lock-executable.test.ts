/** A sabotaged lock as the built program meets it: one process a request, and a server. */
import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { layoutOf } from '../../src/storage/file/layout.ts'
import { crashRun, most, tell } from './crash-run.ts'
import { ExecutableStore, type Front } from './executable-store.ts'
import { SABOTAGE } from './sabotage.ts'

/** Four at once; how long it took, in ms. */
async function appendFour(store: ExecutableStore, server?: Front): Promise<number> {
  const since = performance.now()
  const sent = Array.from({ length: 4 }, () => store.append(server ? { server } : {}))
  for (const { kind } of await Promise.all(sent)) expect(kind).toBe('stored')
  return Math.round(performance.now() - since)
}

test.for(SABOTAGE)('appends by CGI and by a server get past %s', async ([what, plant]) => {
  const run = crashRun()
  const store = new ExecutableStore(`${run.folder()}/data`)
  const { events } = layoutOf(store.root)
  await appendFour(store)
  plant(events)
  const cgiMs = await appendFour(store)
  for (const path of [events.lock, events.owner]) rmSync(path, { recursive: true, force: true })
  const server = await store.serve()
  try {
    plant(events)
    const serverMs = await appendFour(store, server)
    tell(`${what}: ${cgiMs} ms by CGI, ${serverMs} ms by a server`)
    most('slowest request behind a sabotaged lock, ms', Math.max(cgiMs, serverMs))
  } finally {
    await server.kill('SIGTERM')
  }
  expect(await store.findViolations()).toEqual([])
})
