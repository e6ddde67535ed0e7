/** What the tests of several processes on one database do and look at, whatever the database is. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { readSettings } from '../../src/config.ts'
import { parseAccountName } from '../../src/domain/account.ts'
import { createAccountRecords } from '../../src/domain/account-records.ts'
import { type EventId, parseStoredEvent } from '../../src/domain/event.ts'
import type { Store } from '../../src/domain/ports.ts'
import { sha256Hex } from '../../src/kit/sha256.ts'
import { openApp } from '../../src/wire.ts'
import { sendTo } from '../support/app-send.ts'
import { uuid } from '../support/drafts.ts'
import { verifyStore } from '../support/store.ts'

const CHILD = fileURLToPath(new URL('./database-writer-child.ts', import.meta.url))

const BASIC = `Basic ${Buffer.from('a@b.c:pw').toString('base64')}`

/** Starts `database-writer-child.ts`. */
export const startWriter = (url: string, writer: number, events: number): ChildProcess =>
  spawn(process.execPath, [CHILD, url, String(writer), String(events)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })

/** What the follower of one test has seen, in its order. */
export async function follow(
  store: Store,
  seen: string[],
  signal: AbortSignal,
  until: () => number,
) {
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

export async function linesOf(child: ChildProcess): Promise<Record<string, number>[]> {
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
export async function idsOf(store: Store): Promise<Map<EventId, number>> {
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

/** Four processes append and race; a follower sees each event once, and an expected version is won once. */
export async function appendFromFour(store: Store, url: string): Promise<void> {
  const processes = 4
  const events = 100
  const expected = processes * events + 31
  const seen: string[] = []
  const following = follow(store, seen, new AbortController().signal, () => expected)
  const children = Array.from({ length: processes }, (_, n) => startWriter(url, n + 1, events))
  const told = (await Promise.all(children.map(linesOf))).flat()
  await following
  expect((await store.log.head()).count).toBe(expected)
  expect(new Set(seen).size).toBe(expected)
  const won = told.filter((line) => 'won' in line).map(({ won }) => Number(won))
  expect(won.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 31 }, (_, n) => n - 1))
  const ids = await idsOf(store)
  for (const { id } of told) expect(ids.get(uuid(Number(id)) as EventId)).toBe(1)
  await verifyStore(store)
}

/** Does harm, and hands out what mends it. */
export type Strike = () => Promise<() => Promise<void>>

/** Serves appends while the database is struck: answers 201, 200 or 503, and loses nothing that was acknowledged. */
export async function strikeWhileServing(
  url: string,
  open: () => Promise<Store>,
  strike: Strike,
): Promise<ReadonlySet<number>> {
  const before = await open()
  const accounts = createAccountRecords(before.records)
  await accounts.addFirstAdmin({
    name: parseAccountName('a@b.c'),
    role: 'admin',
    password: { kind: 'generated', sha256: sha256Hex('pw') },
    info: '',
    createdAtMs: 0,
  })
  await before.close()
  const { app, close } = await openApp(
    readSettings({ options: { store: url, logFile: '/dev/null' } }),
    'many-requests',
  )
  const { acknowledged, statuses } = await serve(sendTo(app), strike)
  await close()
  const store = await open()
  const ids = await idsOf(store)
  expect(acknowledged.filter((id) => ids.get(id as EventId) !== 1)).toEqual([])
  expect(ids.size).toBe((await store.log.head()).count)
  await verifyStore(store)
  await store.close()
  return statuses
}

async function serve(send: ReturnType<typeof sendTo>, strike: Strike) {
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
  return { acknowledged, statuses }
}
