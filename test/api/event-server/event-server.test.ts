/** What the corpus leaves out: many bad documents, a store that is opened anew, trouble of the storage, limits. */
import { expect, it } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import type { Store } from '../../../src/domain/ports.ts'
import { createMemoryStore } from '../../../src/storage/memory/engine.ts'
import { engines } from '../../contract/engines.ts'
import { get, json, type Send, signedIn } from '../../gateway/corpus-request.ts'
import { MORE_BAD_DOCUMENTS } from '../../gateway/event-server-documents.ts'
import {
  acknowledge,
  C1,
  document,
  expectText,
  post,
  publish,
  published,
  read,
  sequencesFor,
} from '../../gateway/event-server-request.ts'
import { verifiedStores } from '../../support/store.ts'
import { openTestApp } from '../../support/test-app.ts'

const clock = { now: () => Date.now() }

async function open(environment: Record<string, string> = {}, store?: Store): Promise<Send> {
  const { send } = await openTestApp({ environment, ...(store && { store }) })
  return signedIn(send)
}

it('says of every bad document what is wrong where, and stores nothing', async () => {
  const send = await open()
  for (const [bad, message] of MORE_BAD_DOCUMENTS) {
    expectText(await publish(send, 'orders', bad), 400, message)
  }
  expectText(await publish(send, 'a/b'), 400, 'Bad Request - stream must not contain "/"')
  expectText(await read(send, 'orders'), 404, /^Not Found/)
})

it.each(engines.filter(({ persistence }) => persistence.kind === 'durable'))(
  'keeps events and offsets when the store is opened anew ($name)',
  async (engine) => {
    const opened = await stores(engine)
    const first = await open({}, opened.store)
    const id = await published(first, 'orders')
    await published(first, 'orders')
    expectText(await acknowledge(first, 'orders', id), 200, 'OK')
    const second = await open({}, await opened.reopen())
    expect(await sequencesFor(second, 'orders')).toEqual([2])
    expectText(await acknowledge(second, 'orders', id), 200, 'OK')
    await published(second, 'orders')
    expect(await sequencesFor(second, 'orders')).toEqual([2, 3])
  },
)

const makers = new Map(engines.map((engine) => [engine.name, verifiedStores(engine)]))
async function stores({ name }: { readonly name: string }) {
  const maker = makers.get(name)
  if (!maker) throw new Error(`There is no engine ${name}`)
  return maker()
}

it('delivers what is new to a consumer whose offset came back from a later moment than the log', async () => {
  const store = createMemoryStore({ clock })
  const send = await open({}, store)
  const id = await published(send, 'orders')
  const key = `orders/${C1}/OrderPlaced`
  await store.records.write('offset', key, { offset: 3, movedAt: '' }, 'absent')
  const consumers = await get(send, '/api/v1/consumers/orders')
  expect(json(consumers)).toMatchObject([{ offset: 1, consumedPercentage: 100, behind: 0 }])
  expectText(await acknowledge(send, 'orders', id), 200, 'OK')
  const second = await published(send, 'orders')
  expect(await sequencesFor(send, 'orders')).toEqual([2])
  expectText(await acknowledge(send, 'orders', second), 200, 'OK')
  expect(await sequencesFor(send, 'orders')).toEqual([])
})

it.each(['storage-unavailable', 'storage-full', 'lock-timeout', 'index-behind'] as const)(
  'answers trouble of the storage (%s) with 503 and when to try again',
  async (code) => {
    const store = createMemoryStore({ clock })
    await published(await open({}, store), 'orders')
    const fail = async (): Promise<never> => {
      throw new AppError(code, 'The storage does not work')
    }
    store.log.append = fail
    store.log.head = fail
    store.log.sequenceHead = fail
    const send = await open({}, store)
    const answers = [
      await publish(send, 'orders'),
      await read(send, 'orders'),
      await get(send, '/api/v1/health'),
    ]
    for (const answer of answers) {
      expectText(answer, 503, 'Service Unavailable - The storage does not work')
      expect(answer.headers['retry-after']).toMatch(/^[1-9][0-9]*$/)
      expect(answer.headers['x-apie-code']).toBe(code)
    }
  },
)

it('answers a mistake of ours with a reference to the log, and no more', async () => {
  const store = createMemoryStore({ clock })
  store.log.sequenceHead = async () => {
    throw new TypeError('secret of the inside')
  }
  expectText(
    await read(await open({}, store), 'orders'),
    500,
    /^Internal Server Error - Something went wrong inside; the log tells more under [0-9a-f-]{36}$/,
  )
})

it('gives no more events at once than the setting says, and counts the rest as unread', async () => {
  const send = await open({ APIE_MAX_PAGE_EVENTS: '2' })
  for (let n = 0; n < 3; n++) await published(send, 'orders')
  expect(await sequencesFor(send, 'orders', { limit: 1000 })).toEqual([1, 2])
  const recent = await post(send, '/event-period-search/orders?period=6hour')
  expect([(json(recent) as unknown[]).length, recent.headers['x-apie-cut']]).toEqual([
    2,
    'maxPageEvents',
  ])
})

it('says which setting has cut a report', async () => {
  const send = await open({ APIE_MAX_STATISTICS_STREAMS: '2' })
  for (const stream of ['a', 'b', 'c']) await published(send, stream)
  for (const path of ['stats/events-per-stream', 'stats/stream-data', 'metrics']) {
    const answer = await get(send, `/api/v1/${path}`)
    expect([answer.status, answer.headers['x-apie-cut']]).toEqual([200, 'maxStatisticsStreams'])
  }
  expect((await post(send, '/search?_q=a')).headers['x-apie-cut']).toBe('maxStatisticsStreams')
  const few = await open({ APIE_MAX_STATISTICS_STREAMS: '3' })
  for (const stream of ['a', 'b', 'c']) await published(few, stream)
  expect((await get(few, '/api/v1/metrics')).headers).not.toHaveProperty('x-apie-cut')
})

it('looks through no more events, and finds no more, than the settings say', async () => {
  const send = await open({ APIE_MAX_SEARCH_EVENTS: '2', APIE_MAX_SEARCH_RESULTS: '2' })
  for (const name of ['first', 'second', 'third']) await published(send, 'orders', name)
  const old = await post(send, '/search?_q=first')
  expect([json(old), old.headers['x-apie-cut']]).toEqual([[], 'maxSearchEvents'])
  const many = await post(send, '/search?_q=order')
  expect([(json(many) as unknown[]).length, many.headers['x-apie-cut']]).toEqual([
    2,
    'maxSearchResults',
  ])
})

it('refuses a document that is too large', async () => {
  const send = await open({ APIE_MAX_EVENT_BYTES: '400' })
  const large = document('x', { payload: { text: 'x'.repeat(400) } })
  expectText(await publish(send, 'orders', large), 413, /^Content Too Large - /)
})

it('tells the metrics to everybody where a setting says so', async () => {
  const { send } = await openTestApp({ environment: { APIE_OPEN_METRICS: 'on' } })
  await published(signedIn(send), 'orders')
  expect((await get(send, '/api/v1/metrics')).body.toString()).toContain(
    'events_total{producerId="0190b7a2-1111-7000-8000-000000000001",stream="orders"} 1\n',
  )
})

it('sends many large events piece by piece, as one array', async () => {
  const send = await open()
  const large = document('OrderPlaced', { payload: { text: 'Größe '.repeat(5000) } })
  for (let n = 0; n < 40; n++) expect((await publish(send, 'orders', large)).status).toBe(200)
  const answer = await read(send, 'orders', 'eventName=OrderPlaced&limit=1000')
  expect(answer.headers).not.toHaveProperty('content-length')
  expect((json(answer) as unknown[]).length).toBe(40)
})

it('lets a reader with an account acknowledge, and nobody without one', async () => {
  const store = createMemoryStore({ clock })
  const { send } = await openTestApp({ store })
  const id = await published(signedIn(send), 'orders')
  expectText(await acknowledge(send, 'orders', id), 401, 'Unauthorized')
  expectText(await post(send, `/orders/${C1}/OrderPlaced/change/0`), 401, 'Unauthorized')
  expect(await sequencesFor(signedIn(send), 'orders')).toEqual([1])
})

it('looks for no event again that it has handed out', async () => {
  const store = createMemoryStore({ clock })
  const reader = await open({}, store)
  const ids = [await published(reader, 'orders'), await published(reader, 'orders')]
  const [first = '', second = ''] = ids
  expect(await sequencesFor(reader, 'orders')).toEqual([1, 2])
  const { findEventId } = store.log
  store.log.findEventId = async () => {
    throw new AppError('storage-unavailable', 'The storage does not work')
  }
  const stranger = await open({}, store)
  expectText(await acknowledge(stranger, 'orders', first), 503, /^Service Unavailable/)
  const early = /The event has the sequence 2, but 1 is to be acknowledged next$/
  expectText(await acknowledge(reader, 'orders', second), 400, early)
  expectText(await acknowledge(reader, 'orders', first), 200, 'OK')
  expectText(await acknowledge(reader, 'orders', second), 200, 'OK')
  expectText(await acknowledge(reader, 'orders', first), 200, 'OK')
  expect(await sequencesFor(reader, 'orders')).toEqual([])
  store.log.findEventId = findEventId
  expectText(await acknowledge(stranger, 'orders', second), 200, 'OK')
})
