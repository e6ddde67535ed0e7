/** Cases about what the event server tells besides: single events, consumers, counts, searches, metrics, health. */
import parsePrometheus from 'parse-prometheus-text-format'
import { expect } from 'vitest'
import {
  type CorpusCase,
  get,
  json,
  type Send,
  serverCase,
  signedInCase,
} from './corpus-request.ts'
import {
  acknowledge,
  C1,
  C2,
  document,
  expectText,
  NOBODY,
  P1,
  post,
  publish,
  published,
} from './event-server-request.ts'

/** Publishes three events and acknowledges the first two for C1, the first for C2. */
async function consumed(send: Send): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < 3; n++) ids.push(await published(send, 'orders'))
  for (const [consumer, id = ''] of [
    [C1, ids[0]],
    [C1, ids[1]],
    [C2, ids[0]],
  ] as const) {
    expectText(await acknowledge(send, 'orders', id, { 'x-consumer-id': consumer }), 200, 'OK')
  }
  return ids
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

type Found = { readonly search_result: { readonly label: string; readonly category: string } }

async function found(send: Send, text: string): Promise<string[]> {
  const answer = await post(send, `/search?_q=${encodeURIComponent(text)}`)
  expect(answer.status, answer.body.toString()).toBe(200)
  return (json(answer) as Found[]).map(
    ({ search_result: { label, category } }) => `${category} ${label}`,
  )
}

export const EVENT_SERVER_REPORT_CASES: readonly CorpusCase[] = [
  signedInCase('an event is read by its id alone', async (send) => {
    await published(send, 'invoices')
    await published(send, 'orders')
    const id = await published(send, 'orders')
    const answer = await get(send, `/api/v1/events/${id.toUpperCase()}/payload`)
    expect([answer.status, json(answer)]).toEqual([
      200,
      {
        ...document(),
        event: { name: 'OrderPlaced', version: 1, id },
        eventId: id,
        sequence: 2,
        createdAt: expect.stringMatching(ISO),
        streamName: 'orders',
      },
    ])
    expectText(await get(send, `/api/v1/events/${NOBODY}/payload`), 404, 'Not Found')
    expectText(await get(send, '/api/v1/events/x/payload'), 400, /^Bad Request - .*UUID$/)
  }),
  signedInCase('the consumers of a stream are told with how far each is behind', async (send) => {
    await consumed(send)
    const answer = await get(send, '/api/v1/consumers/orders')
    const row = { movedAt: expect.stringMatching(ISO), eventName: 'OrderPlaced' }
    expect([answer.status, json(answer)]).toEqual([
      200,
      [
        { ...row, consumerId: C1, offset: 2, consumedPercentage: 66.67, behind: 1 },
        { ...row, consumerId: C2, offset: 1, consumedPercentage: 33.33, behind: 2 },
      ],
    ])
    expect(json(await get(send, '/api/v1/consumers/order'))).toEqual([])
  }),
  signedInCase('streams are counted', async (send) => {
    await consumed(send)
    await published(send, 'invoices')
    expect(json(await get(send, '/api/v1/stats/events-per-stream'))).toEqual([
      { label: 'orders', value: 3 },
      { label: 'invoices', value: 1 },
    ])
    expect(json(await get(send, '/api/v1/stats/stream-data'))).toEqual([
      { streamName: 'orders', eventsCount: 3, consumedEvents: 3, ranking: '**' },
      { streamName: 'invoices', eventsCount: 1, consumedEvents: 0, ranking: '*' },
    ])
  }),
  signedInCase('the days of the month are counted', async (send) => {
    await consumed(send)
    const answer = await get(send, '/api/v1/stats/events-current-month')
    const rows = json(answer) as { date: string; eventcount: number; progress: string }[]
    const now = new Date()
    const days = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 0)).getUTCDate()
    expect(rows.map(({ date }) => date.slice(8))).toEqual(
      Array.from({ length: days }, (_, n) => String(n + 1).padStart(2, '0')),
    )
    expect(rows.reduce((sum, { eventcount }) => sum + eventcount, 0)).toBe(3)
    const busy = rows.find(({ eventcount }) => eventcount > 0)
    expect(busy?.progress).toBe(busy?.date.endsWith('-01') ? '' : '+  3')
  }),
  signedInCase('events of the last hours are told with who has acknowledged them', async (send) => {
    const [first, second, third] = await consumed(send)
    const answer = await post(send, '/event-period-search/orders?period=6hour')
    const row = { eventName: 'OrderPlaced', createdAt: expect.stringMatching(ISO) }
    expect([answer.status, json(answer)]).toEqual([
      200,
      [
        { ...row, eventId: third, consumerids: [] },
        { ...row, eventId: second, consumerids: [C1] },
        { ...row, eventId: first, consumerids: [C1, C2] },
      ],
    ])
    for (const period of ['24hour', '2day', '7day', '14day', '1month']) {
      const same = await post(send, `/event-period-search/orders?period=${period}`)
      expect(json(same)).toEqual(json(answer))
    }
    expectText(
      await post(send, '/event-period-search/orders?period=x'),
      400,
      /^Bad Request - period must be one of 6hour, /,
    )
    expectText(await post(send, '/event-period-search/orders'), 400, /period is missing$/)
    expect(json(await post(send, '/event-period-search/none?period=2day'))).toEqual([])
  }),
  signedInCase(
    'a search finds text in streams, names and payloads, and whole ids',
    async (send) => {
      const [id = ''] = await consumed(send)
      await publish(send, 'Läden', document('Opened', { payload: { text: 'say "Hello" Ä' } }))
      const url = await post(send, `/search?_q=${id}`)
      expect(json(url)).toEqual([
        {
          search_result: {
            label: 'OrderPlaced',
            category: 'events',
            url: expect.stringMatching(new RegExp(`/api/v1/events/${id}/payload$`)),
          },
        },
      ])
      expect(await found(send, 'ORDER')).toEqual([
        'streams orders',
        ...Array(3).fill('events OrderPlaced'),
      ])
      expect(await found(send, 'läd')).toEqual(['streams Läden'])
      expect(await found(send, 'hello')).toEqual(['events Opened'])
      expect(await found(send, 'ä')).toEqual(['streams Läden', 'events Opened'])
      expect(await found(send, P1.toUpperCase())).toEqual(['streams orders', 'streams Läden'])
      expect(await found(send, C2)).toEqual([`consumers ${C2}`])
      expect(await found(send, 'Europe/Berlin')).toEqual([])
      expectText(
        await post(send, '/search'),
        400,
        'Bad Request - The query parameter _q is missing',
      )
    },
  ),
  serverCase('the metrics are what Prometheus reads', async (send) => {
    await consumed(send)
    await published(send, 'a "quoted\\" name')
    const answer = await get(send, '/api/v1/metrics')
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    const metrics = new Map(
      parsePrometheus(answer.body.toString()).map(({ name, metrics }) => [name, metrics]),
    )
    expect(Object.fromEntries(metrics)).toEqual({
      streams_total: [{ value: '2' }],
      events_total: [
        { labels: { producerId: P1, stream: 'orders' }, value: '3' },
        { labels: { producerId: P1, stream: 'a "quoted\\" name' }, value: '1' },
      ],
      consumers_total: [{ labels: { stream: 'orders' }, value: '2' }],
      consumer_offset: [
        { labels: { stream: 'orders', consumerId: C1, eventName: 'OrderPlaced' }, value: '2' },
        { labels: { stream: 'orders', consumerId: C2, eventName: 'OrderPlaced' }, value: '1' },
      ],
    })
  }),
  {
    name: 'health is told to everybody, the metrics are not',
    run: async (send) => {
      const health = await get(send, '/api/v1/health')
      expect([health.status, health.body.toString()]).toEqual([200, '{"status":"OK"}'])
      expectText(await get(send, '/api/v1/metrics'), 401, 'Unauthorized')
    },
  },
]
