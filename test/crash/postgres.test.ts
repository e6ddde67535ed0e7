/** A PostgreSQL store under what happens to databases: many processes, a server that dies, cut connections. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSettings } from '../../src/config.ts'
import { parseAccountName } from '../../src/domain/account.ts'
import { createAccountRecords } from '../../src/domain/account-records.ts'
import { type EventId, parseStoredEvent } from '../../src/domain/event.ts'
import type { Store } from '../../src/domain/ports.ts'
import { sha256Hex } from '../../src/kit/sha256.ts'
import { openApp, openCommandStore } from '../../src/wire.ts'
import { sendTo } from '../support/app-send.ts'
import { appendTo, draft, uuid } from '../support/drafts.ts'
import {
  type PostgresCluster,
  postgresPrograms,
  startCluster,
} from '../support/postgres-cluster.ts'
import {
  makePostgresPlace,
  openPostgresPlace,
  type PostgresPlace,
} from '../support/postgres-store.ts'
import { handClock, verifyStore } from '../support/store.ts'

const CHILD = fileURLToPath(new URL('./postgres-writer-child.ts', import.meta.url))
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const BASIC = `Basic ${Buffer.from('a@b.c:pw').toString('base64')}`

/** What the follower of one test has seen, in its order. */
async function follow(store: Store, seen: string[], signal: AbortSignal, until: () => number) {
  while (seen.length < until()) {
    await store.log.waitForMore(seen.length, signal)
    const { count } = await store.log.head()
    for await (const run of store.log.readLog(seen.length, count, 'forwards')) {
      for (const { position, hash } of run) {
        expect(position).toBe(seen.length)
        seen.push(hash)
      }
    }
  }
}

async function linesOf(child: ChildProcess): Promise<Record<string, number>[]> {
  let text = ''
  child.stdout?.on('data', (bytes) => {
    text += bytes
  })
  const [code] = await once(child, 'close')
  expect(code).toBe(0)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** How often each event id stands in a log. */
async function idsOf(store: Store): Promise<Map<EventId, number>> {
  const { count } = await store.log.head()
  const ids = new Map<EventId, number>()
  for await (const run of store.log.readLog(0, count, 'forwards')) {
    for (const event of run) {
      const { eventId } = parseStoredEvent(event)
      ids.set(eventId, (ids.get(eventId) ?? 0) + 1)
    }
  }
  return ids
}

describe.skipIf(postgresPrograms() === undefined)('a store in PostgreSQL', () => {
  let cluster: PostgresCluster
  let place: PostgresPlace
  beforeAll(async () => {
    cluster = await startCluster()
    place = await makePostgresPlace(cluster.url)
  })
  afterAll(() => cluster?.stop())

  test('that four processes append to has one chain, and a follower misses nothing', async () => {
    const own = await makePostgresPlace(cluster.url)
    const { store } = await openPostgresPlace(own, handClock())
    const processes = 4
    const events = 100
    const expected = processes * events + 31
    const seen: string[] = []
    const following = follow(store, seen, new AbortController().signal, () => expected)
    const children = Array.from({ length: processes }, (_, n) =>
      spawn(process.execPath, [CHILD, own.url, String(n + 1), String(events)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    )
    const told = (await Promise.all(children.map(linesOf))).flat()
    await following
    expect((await store.log.head()).count).toBe(expected)
    expect(new Set(seen).size).toBe(expected)
    const won = told.filter((line) => 'won' in line).map(({ won }) => Number(won))
    expect(won.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 31 }, (_, n) => n - 1))
    const ids = await idsOf(store)
    for (const { id } of told) expect(ids.get(uuid(Number(id)) as EventId)).toBe(1)
    await verifyStore(store)
    await store.close()
  })

  test.each(['to PostgreSQL', 'from PostgreSQL'])(
    'a copy %s that is killed goes on',
    async (way) => {
      const folder = mkdtempSync(join(tmpdir(), 'apie-copy-'))
      const own = await makePostgresPlace(cluster.url)
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
        await cluster.kill()
        return () => cluster.start()
      },
    },
    {
      name: 'whose connections are cut',
      strike: async () => {
        const client = new Client({ connectionString: cluster.url })
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
    const before = await openPostgresPlace(place, handClock())
    const accounts = createAccountRecords(before.store.records)
    await accounts.addFirstAdmin({
      name: parseAccountName('a@b.c'),
      role: 'admin',
      password: { kind: 'generated', sha256: sha256Hex('pw') },
      info: '',
      createdAtMs: 0,
    })
    await before.store.close()
    const { app, close } = await openApp(
      readSettings({ options: { store: place.url, logFile: '/dev/null' } }),
      'many-requests',
    )
    const send = sendTo(app)
    const acknowledged: string[] = []
    const statuses = new Set<number>()
    let isOver = false
    const lane = async () => {
      while (!isOver) {
        const eventId = crypto.randomUUID()
        const body = JSON.stringify({ eventType: 'x', eventId, body: { lane: eventId } })
        for (let isStored = false; !isStored; ) {
          const answer = await send({
            method: 'PUT',
            path: '/events',
            headers: { authorization: BASIC, 'content-type': 'application/json' },
            body,
          })
          statuses.add(answer.status)
          if (answer.status === 503) expect(answer.headers['retry-after']).toMatch(/^\d+$/)
          else expect([200, 201]).toContain(answer.status)
          isStored = answer.status !== 503
          if (isStored) acknowledged.push(eventId)
          else await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
    }
    const lanes = Array.from({ length: 8 }, lane)
    const reach = async (count: number) => {
      while (acknowledged.length < count) await new Promise((resolve) => setTimeout(resolve, 10))
    }
    for (let round = 1; round <= 4; round++) {
      await reach(acknowledged.length + 100)
      const mend = await strike()
      await mend()
    }
    await reach(acknowledged.length + 100)
    isOver = true
    await Promise.all(lanes)
    await close()
    const { store } = await openPostgresPlace(place, handClock())
    const ids = await idsOf(store)
    expect(acknowledged.filter((id) => ids.get(id as EventId) !== 1)).toEqual([])
    expect(ids.size).toBe((await store.log.head()).count)
    expect(statuses).toContain(503)
    await verifyStore(store)
    await store.close()
  })
})
