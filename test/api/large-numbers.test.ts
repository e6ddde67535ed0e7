/** Numbers on both sides of 2^31, 2^32 and 2^53 in each API, on a log that has come that far. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { noLock } from '../../src/storage/file/lock.ts'
import { bootId } from '../crash/open-log.ts'
import type { Send } from '../gateway/corpus.ts'
import { signedIn } from '../gateway/corpus-request.ts'
import { scratchFolders } from '../support/data-folder.ts'
import { uuid } from '../support/drafts.ts'
import { openTestStore } from '../support/file-store.ts'
import { plantLog } from '../support/planted-log.ts'
import { openTestApp } from '../support/test-app.ts'

const newFolder = scratchFolders()
const CONSUMER = 'c0000000-0000-4000-8000-000000000001'
const SAFE = Number.MAX_SAFE_INTEGER
const BEYOND = ['9007199254740992', '18446744073709551616', '1'.repeat(30)]

/** A log of `count` events whose last one is number `version` of stream `s-1`. */
async function open(count: number, version: number): Promise<Send> {
  const root = join(newFolder(), 'data')
  await plantLog(root, bootId(), { count, version })
  const store = await openTestStore(root, {
    create: false,
    clock: { now: () => 1 },
    sync: false,
    lock: noLock,
  })
  return signedIn((await openTestApp({ store })).send)
}

const append = (send: Send, n: number, expected: number | string) =>
  send({
    method: 'POST',
    path: '/events',
    body: `{"eventId":"${uuid(n)}","eventType":"x","stream":"s-1","body":1,"expectedVersion":${expected}}`,
  })

const publish = (send: Send, n: number, expected: number | string) =>
  send({
    method: 'POST',
    path: '/streams/s-1',
    headers: {
      'content-type': 'application/json',
      'es-eventtype': 'x',
      'es-eventid': uuid(n),
      'es-expectedversion': String(expected),
    },
    body: '{}',
  })

const STARTS = [
  [2 ** 31 + 5, 2 ** 31 - 2],
  [2 ** 31 - 1, 70],
  [2 ** 32 - 8, 2 ** 32 - 10],
] as const

test.each(STARTS)('%i events, the last with version %i: appends', async (count, version) => {
  const send = await open(count, version)
  const first = await append(send, 1, version)
  expect(JSON.parse(first.body.toString())).toMatchObject({ position: count, version: version + 1 })
  expect((await append(send, 2, version)).status).toBe(409)
  expect((await publish(send, 3, version + 1)).status).toBe(201)
  expect((await publish(send, 3, version + 1)).status).toBe(201)
  for (const wrong of [version, 2 ** 31 - 3, 2 ** 32, 2 ** 53 - 1]) {
    expect([wrong, (await publish(send, 4, wrong)).status]).toEqual([wrong, 400])
    expect([wrong, (await append(send, 4, wrong)).status]).toEqual([wrong, 409])
  }
  for (const wrong of BEYOND) {
    expect([wrong, (await append(send, 4, wrong)).status]).toEqual([wrong, 400])
    expect([wrong, (await publish(send, 4, wrong)).status]).toEqual([wrong, 400])
  }
  const { body } = await send({ method: 'GET', path: '/events', query: 'order=desc&limit=2' })
  const found = JSON.parse(body.toString()) as { position: number; version: number }[]
  expect(found.map(({ position, version: at }) => [position, at])).toEqual([
    [count + 1, version + 2],
    [count, version + 1],
  ])
})

test.each(STARTS)('%i events, the last with version %i: pages', async (count, version) => {
  const send = await open(count, version)
  for (let n = 1; n <= 3; n++) expect((await append(send, n, version + n - 1)).status).toBe(200)
  const headers = { accept: 'application/vnd.eventstore.atom+json' }
  const numbersOf = async (path: string) => {
    const answer = await send({ method: 'GET', path, query: 'embed=rich', headers })
    expect([path, answer.status]).toEqual([path, 200])
    const { entries } = JSON.parse(answer.body.toString()) as {
      entries: { eventNumber: number }[]
    }
    return entries.map(({ eventNumber }) => eventNumber)
  }
  const behind = [version + 3, version + 2, version + 1]
  expect(await numbersOf(`/streams/s-1/${version + 1}/forward/20`)).toEqual(behind)
  expect(await numbersOf(`/streams/s-1/${version + 3}/backward/3`)).toEqual(behind)
  expect(await numbersOf('/streams/s-1/head/backward/3')).toEqual(behind)
  for (const far of [version + 4, SAFE, ...BEYOND.slice(0, 1)]) {
    expect(await numbersOf(`/streams/s-1/${far}/forward/20`)).toEqual([])
  }
  const one = (number: number | string) =>
    send({ method: 'GET', path: `/streams/s-1/${number}`, headers: { accept: 'application/json' } })
  expect((await one(version + 3)).status).toBe(200)
  for (const far of [version + 4, 2 ** 40, SAFE, ...BEYOND.slice(0, 1)]) {
    expect([far, (await one(far)).status]).toEqual([far, 404])
  }
  for (const bad of BEYOND.slice(1)) expect([bad, (await one(bad)).status]).toEqual([bad, 400])
})

test.each(STARTS)('%i events, the last with version %i: consumers', async (count, version) => {
  const send = await open(count, version)
  for (let n = 1; n <= 3; n++) expect((await append(send, n, version + n - 1)).status).toBe(200)
  const consumer = { 'x-consumer-id': CONSUMER }
  const move = (offset: number | string) =>
    send({ method: 'POST', path: `/api/v1/s-1/${CONSUMER}/x/change/${offset}` })
  const read = async (limit: number | string) => {
    const path = '/api/v1/streams/s-1/events'
    const query = `eventName=x&limit=${limit}`
    const { body } = await send({ method: 'GET', path, query, headers: consumer })
    const events = JSON.parse(body.toString()) as { sequence: number }[]
    return events.map(({ sequence }) => sequence)
  }
  expect((await move(version + 2)).status).toBe(200)
  expect(await read(SAFE)).toEqual([version + 3, version + 4])
  const done = await send({
    method: 'POST',
    path: `/api/v1/streams/s-1/events/${uuid(2)}`,
    headers: { ...consumer, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'action=ACK',
  })
  expect(done.status).toBe(200)
  expect(await read('18446744073709551616')).toEqual([version + 4])
  for (const far of [version + 5, 2 ** 40, SAFE, ...BEYOND]) {
    expect([far, (await move(far)).status]).toEqual([far, 400])
  }
})
