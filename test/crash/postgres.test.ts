/** A PostgreSQL store under what happens to databases: many processes, a server that dies, cut connections. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { readSettings } from '../../src/config.ts'
import { openCommandStore } from '../../src/wire.ts'
import { appendTo, draft } from '../support/drafts.ts'
import { postgresPrograms } from '../support/postgres-cluster.ts'
import { makePostgresPlace, openPostgresPlace } from '../support/postgres-store.ts'
import { handClock, verifyStore } from '../support/store.ts'
import { appendFromFour, strikeWhileServing } from './database-runs.ts'
import { ownCluster } from './own-cluster.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

describe.skipIf(postgresPrograms() === undefined)('a store in PostgreSQL', () => {
  const its = ownCluster()

  test('that four processes append to has one chain, and a follower misses nothing', async () => {
    const own = await makePostgresPlace(its.cluster.url)
    const { store } = await openPostgresPlace(own, handClock())
    await appendFromFour(store, own.url)
    await store.close()
  })

  test.each(['to PostgreSQL', 'from PostgreSQL'])(
    'a copy %s that is killed goes on',
    async (way) => {
      const folder = mkdtempSync(join(tmpdir(), 'apie-copy-'))
      const own = await makePostgresPlace(its.cluster.url)
      const file = `file:${join(folder, 'data')}`
      const [from, to] = way === 'to PostgreSQL' ? [file, own.url] : [own.url, file]
      const open = (store: string) =>
        openCommandStore(readSettings({ options: { store } }), 'create')
      const source = await open(from)
      for (let n = 0; n < 60; n++) {
        const events = Array.from({ length: 500 }, (_, at) => draft(n * 500 + at))
        await source.log.append(appendTo(`s-${n % 7}`, events))
      }
      const target = await open(to)
      const copy = () =>
        spawn(process.execPath, [MAIN, 'copy', '--from', from, '--to', to], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
      const killed = copy()
      const over = once(killed, 'close')
      while ((await target.log.head()).count < 3000) await setImmediate()
      killed.kill('SIGKILL')
      await over
      expect((await target.log.head()).count).toBeLessThan(30_000)
      const [code] = await once(copy(), 'close')
      expect(code).toBe(0)
      expect(await target.log.head()).toEqual(await source.log.head())
      await verifyStore(target)
      await source.close()
      await target.close()
      rmSync(folder, { recursive: true })
    },
  )

  const troubles = [
    {
      name: 'whose server is killed and started again',
      strike: async () => {
        await its.cluster.kill()
        return () => its.cluster.start()
      },
    },
    {
      name: 'whose connections are cut',
      strike: async () => {
        const client = new Client({ connectionString: its.cluster.url })
        await client.connect()
        await client.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'apie'",
        )
        await client.end()
        return async () => {}
      },
    },
  ]

  test.each(troubles)('$name answers 503 meanwhile and loses nothing', async ({ strike }) => {
    const open = async () => (await openPostgresPlace(its.place, handClock())).store
    expect(await strikeWhileServing(its.place.url, open, strike)).toContain(503)
  })
})
