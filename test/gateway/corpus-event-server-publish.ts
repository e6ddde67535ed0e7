/** Cases about publishing to the event server: what is taken, whose a stream is, what is refused. */
import { expect } from 'vitest'
import {
  basic,
  type CorpusCase,
  expectError,
  get,
  hashesOf,
  json,
  type EventJson as LogEvent,
  putEvent,
  serverCase,
  signedInCase,
} from './corpus-request.ts'
import { BAD_DOCUMENTS, SYSTEM } from './event-server-documents.ts'
import {
  document,
  eventsFor,
  expectText,
  P1,
  P2,
  publish,
  published,
  QUOTED_UUID,
  read,
  sequencesFor,
} from './event-server-request.ts'

const SECOND_WRITER = 'Locked - Second writers not allowed'
const as = (producer: string): Record<string, string> => ({ 'x-producer-id': producer })

export const EVENT_SERVER_PUBLISH_CASES: readonly CorpusCase[] = [
  signedInCase('a publish answers with the id of the event as a JSON string', async (send) => {
    const answer = await publish(send, 'orders')
    expect([answer.status, answer.body.toString()]).toEqual([
      200,
      expect.stringMatching(QUOTED_UUID),
    ])
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(answer.headers).not.toHaveProperty('location')
    const id = json(answer) as string
    expect(answer.headers['link']).toMatch(new RegExp(`/api/v1/events/${id}/payload>; rel="item"$`))
  }),
  signedInCase('a second producer is refused, and nothing is stored', async (send) => {
    await published(send, 'orders')
    const refused = await publish(send, 'orders', document(), as(P2))
    expectText(refused, 423, SECOND_WRITER)
    expect(await sequencesFor(send, 'orders')).toEqual([1])
    expect(await published(send, 'invoices')).not.toBe('')
  }),
  signedInCase('a producer is the same in upper case', async (send) => {
    await published(send, 'orders', 'OrderPlaced', P1)
    await published(send, 'orders', 'OrderPlaced', P1.toUpperCase())
    expect(await sequencesFor(send, 'orders')).toEqual([1, 2])
  }),
  {
    name: 'publishing without credentials, or with wrong ones, is 401 with a challenge',
    meetsServer: true,
    run: async (send) => {
      for (const headers of [{}, basic('a@b.c', 'wrong')]) {
        const answer = await publish(send, 'orders', document(), headers)
        expectText(answer, 401, 'Unauthorized')
        expect(answer.headers['www-authenticate']).toMatch(/^Basic realm=/)
      }
      expectText(await read(send, 'orders'), 401, 'Unauthorized')
      expectText(await get(send, '/api/v1/nothing'), 401, 'Unauthorized')
    },
  },
  signedInCase('a producer that is missing or no UUID is 400', async (send) => {
    for (const id of ['', 'p1', `${P1}0`]) {
      const answer = await publish(send, 'orders', document(), as(id))
      const problem = id === '' ? 'is missing; it' : 'is wrong: it'
      expectText(
        answer,
        400,
        `Bad Request - The header X-Producer-ID ${problem} must be a UUID, such as 0190b7a2-1111-7000-8000-000000000001`,
      )
    }
    expectText(await read(send, 'orders'), 404, /^Not Found/)
  }),
  signedInCase('every bad document is 400 that says where, and makes no stream', async (send) => {
    for (const [bad, message] of BAD_DOCUMENTS) {
      expectText(await publish(send, 'orders', bad), 400, message)
    }
    expectText(await read(send, 'orders'), 404, /^Not Found/)
    await published(send, 'orders', 'OrderPlaced', P2)
  }),
  signedInCase('texts that are new to no clock are taken', async (send) => {
    const good = [
      { time: '2024-02-29T23:59:59', timezone: 'UTC' },
      { time: '2026-01-31 12:00:00.123456', timezone: 'America/Argentina/Buenos_Aires' },
      { time: '1999-12-31 00:00:00', timezone: 'US/Eastern' },
    ]
    for (const times of good) {
      const sent = document('x', { system: { ...SYSTEM, ...times } })
      expect((await publish(send, 'orders', sent)).status, times.timezone).toBe(200)
    }
    const events = await eventsFor(send, 'orders', { name: 'x' })
    expect(events.map((event) => event.system)).toMatchObject(good)
  }),
  signedInCase(
    'a document comes back whole, unknown members only inside the payload',
    async (send) => {
      const sent =
        '{"event":{"name":"x","version":2,"extra":1},"more":{},"system":{"id":"S","name":"Größe",' +
        '"time":"2026-01-31 12:00:00","timezone":"UTC","host":"h"},"trigger":{"type":"t","name":"n"},' +
        '"payload":{"n":12345678901234567890.50,"list":[],"extra":{"a":null}}}'
      const answer = await publish(send, 'orders', sent)
      const id = json(answer) as string
      const got = (await read(send, 'orders', 'eventName=x&limit=1')).body.toString()
      expect(got.replace(/"createdAt":"[^"]+"/, '"createdAt":"TIME"')).toBe(
        `[{"event":{"name":"x","version":2,"id":"${id}"},"system":{"id":"S","name":"Größe",` +
          '"time":"2026-01-31 12:00:00","timezone":"UTC"},"trigger":{"type":"t","name":"n"},' +
          '"payload":{"n":12345678901234567890.50,"list":[],"extra":{"a":null}},' +
          `"eventId":"${id}","sequence":1,"createdAt":"TIME","streamName":"orders"}]`,
      )
    },
  ),
  signedInCase('names of streams and events are any text that is a name', async (send) => {
    const names = [
      'Codello Newsletter Subscriptions',
      "x'; DROP TABLE events;--",
      'Größe-😀',
      '100%',
      'a.b_c',
    ]
    for (const name of names) {
      await published(send, name, 'Subscription initiated')
      const [event] = await eventsFor(send, name, { name: 'Subscription initiated' })
      expect(event).toMatchObject({ streamName: name, sequence: 1 })
    }
    for (const bad of ['n'.repeat(256), '$all', '$$orders']) {
      expectText(await publish(send, bad), 400, /^Bad Request - stream must /)
    }
  }),
  serverCase('bodies and answers must be JSON in UTF-8', async (send) => {
    const refused: Record<string, string>[] = [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/json; charset=latin1' },
      { 'content-type': 'application/x-www-form-urlencoded' },
      { accept: 'text/html' },
      { accept: 'application/json;q=0' },
      { accept: 'application/json; charset=utf-16' },
    ]
    for (const headers of refused) {
      expectText(
        await publish(send, 'orders', document(), headers),
        400,
        /^Bad Request - (Cont|Acc)/,
      )
    }
    const taken: Record<string, string>[] = [
      { 'content-type': 'Application/JSON;Charset="UTF-8"' },
      { 'content-type': 'application/json' },
      { accept: '*/*' },
      { accept: 'text/html, application/*;q=0.1' },
    ]
    for (const headers of taken) {
      expect((await publish(send, 'orders', document(), headers)).status).toBe(200)
    }
    expect(await sequencesFor(send, 'orders')).toEqual([1, 2, 3, 4])
  }),
  signedInCase('an idempotency key makes a repeated publish the same event', async (send) => {
    const key = { 'idempotency-key': 'order-1/placed' }
    const first = await publish(send, 'orders', document(), key)
    const again = await publish(send, 'orders', document(), key)
    expect([again.status, again.body.toString()]).toEqual([200, first.body.toString()])
    const other = await publish(send, 'orders', document('Other'), key)
    expectText(other, 409, /^Conflict - /)
    const elsewhere = await publish(send, 'invoices', document(), key)
    expect(elsewhere.body.toString()).not.toBe(first.body.toString())
    expect(await sequencesFor(send, 'orders')).toEqual([1])
    const bad = await publish(send, 'orders', document(), { 'idempotency-key': 'a b' })
    expectText(bad, 400, /^Bad Request - Idempotency-Key/)
  }),
  serverCase('a hundred publishes at once get the sequences from 1 to 100', async (send) => {
    await Promise.all(Array.from({ length: 100 }, () => published(send, 'orders')))
    const sequences = await sequencesFor(send, 'orders')
    expect(sequences).toEqual(Array.from({ length: 100 }, (_, n) => n + 1))
  }),
  signedInCase('of two first writers at once exactly one gets the stream', async (send) => {
    for (let round = 0; round < 10; round++) {
      const stream = `race-${round}`
      const answers = await Promise.all(
        [P1, P2].map((producer) => publish(send, stream, document(), as(producer))),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 423])
      expect(await sequencesFor(send, stream)).toEqual([1])
    }
  }),
  signedInCase(
    'what is published is an event of the log, and its stream is locked there',
    async (send) => {
      const id = await published(send, 'orders')
      const [event] = json(await get(send, '/events?stream=orders')) as LogEvent[]
      expect(event).toMatchObject({
        eventId: id,
        eventType: 'OrderPlaced',
        stream: 'orders',
        version: 0,
        body: document(),
        producer: P1,
      })
      const foreign = { stream: 'orders', eventType: 'OrderPlaced', body: { n: 2 } }
      expectError(await putEvent(send, foreign), 423, 'stream-locked')
      expectError(await putEvent(send, foreign, as(P2)), 423, 'stream-locked')
      expect((await putEvent(send, foreign, as(P1))).status).toBe(200)
      expect(await hashesOf(send, '/events?stream=orders')).toHaveLength(2)
      expect(await sequencesFor(send, 'orders')).toEqual([1, 2])
    },
  ),
  signedInCase('an event of the log that is no document becomes one', async (send) => {
    const bodies = ['{"sku":"A1","n":1.50}', '[1,2]', 'null', JSON.stringify(document('other'))]
    for (const body of bodies) {
      await putEvent(send, `{"stream":"orders","eventType":"placed","body":${body}}`)
    }
    await putEvent(send, { stream: 'orders', eventType: 'own', body: document('own') })
    const text = (await read(send, 'orders', 'eventName=placed&limit=9')).body.toString()
    const events = JSON.parse(text) as { payload: unknown }[]
    expect(events[0]).toEqual({
      event: { name: 'placed', version: 1, id: expect.any(String) },
      system: { id: 'apie', name: 'apie', time: expect.any(String), timezone: 'UTC' },
      trigger: { type: 'append', name: 'a@b.c' },
      payload: { sku: 'A1', n: 1.5 },
      eventId: expect.any(String),
      sequence: 1,
      createdAt: expect.any(String),
      streamName: 'orders',
    })
    expect(text).toContain('"payload":{"sku":"A1","n":1.50}')
    expect(events.slice(1).map(({ payload }) => payload)).toEqual([
      { body: [1, 2] },
      { body: null },
      document('other'),
    ])
    const [own] = await eventsFor(send, 'orders', { name: 'own' })
    expect(own).toMatchObject({ ...document('own'), sequence: 1 })
    // Nobody owns the stream yet: the first producer that publishes gets it.
    await published(send, 'orders', 'placed', P2)
    expectText(await publish(send, 'orders'), 423, SECOND_WRITER)
  }),
]
