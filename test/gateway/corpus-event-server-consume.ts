/** Cases about reading from the event server, acknowledging, and setting offsets. */
import { expect } from 'vitest'
import { type CorpusCase, json, putEvent, signedInCase } from './corpus-request.ts'
import {
  acknowledge,
  C1,
  C2,
  eventsFor,
  expectText,
  NOBODY,
  P1,
  post,
  published,
  read,
  sequencesFor,
} from './event-server-request.ts'

type PublishMany = (count: number) => Promise<string[]>

/** A case that begins with events in `orders`; ids by sequence. */
const withOrders = (
  name: string,
  count: number,
  run: (send: Parameters<CorpusCase['run']>[0], ids: readonly string[]) => Promise<void>,
): CorpusCase =>
  signedInCase(name, async (send) => {
    const publishMany: PublishMany = async (left) =>
      left === 0 ? [] : [await published(send, 'orders'), ...(await publishMany(left - 1))]
    await run(send, await publishMany(count))
  })

export const EVENT_SERVER_CONSUME_CASES: readonly CorpusCase[] = [
  withOrders('reading gives the events in order, again and again', 3, async (send, ids) => {
    for (let times = 0; times < 2; times++) {
      const events = await eventsFor(send, 'orders', { limit: 2 })
      expect(events.map(({ sequence }) => sequence)).toEqual([1, 2])
      expect(events.map(({ eventId }) => eventId)).toEqual(ids.slice(0, 2))
      expect(events.map(({ event }) => event.id)).toEqual(ids.slice(0, 2))
    }
    expect(json(await read(send, 'orders', 'eventName=Other&limit=1'))).toEqual([])
    expectText(await read(send, 'nostream'), 404, /^Not Found - /)
  }),
  withOrders('a read that does not say what it wants is 400', 1, async (send) => {
    const refused: [string, string][] = [
      ['limit=1', 'Bad Request - The query parameter eventName is missing'],
      ['eventName=&limit=1', 'Bad Request - The query parameter eventName is missing'],
      [
        'eventName=a&eventName=a&limit=1',
        'Bad Request - The query parameter eventName must come once',
      ],
      ['eventName=a%2Fb&limit=1', 'Bad Request - eventName must not contain "/"'],
      ['eventName=a', 'Bad Request - The query parameter limit is missing'],
      ...['0', '-1', 'abc', '1.5', '1e3'].map((limit): [string, string] => [
        `eventName=a&limit=${limit}`,
        'Bad Request - limit must be a whole number from 1 on',
      ]),
    ]
    for (const [query, message] of refused)
      expectText(await read(send, 'orders', query), 400, message)
    for (const [id, problem] of [
      [{}, 'is missing; it'],
      [{ 'x-consumer-id': 'c1' }, 'is wrong: it'],
    ] as const) {
      const answer = await read(send, 'orders', undefined, id as Record<string, string>)
      expectText(
        answer,
        400,
        `Bad Request - The header X-Consumer-ID ${problem} must be a UUID, such as 0190b7a2-1111-7000-8000-000000000001`,
      )
    }
  }),
  withOrders('a limit beyond what the server gives at once is no error', 2, async (send) => {
    expect(await sequencesFor(send, 'orders', { limit: 999_999 })).toEqual([1, 2])
  }),
  withOrders('an acknowledged event is not read again', 3, async (send, ids) => {
    const [first = '', second = '', third = ''] = ids
    const done = await acknowledge(send, 'orders', first)
    expectText(done, 200, 'OK')
    expect(await sequencesFor(send, 'orders')).toEqual([2, 3])
    const early = await acknowledge(send, 'orders', third)
    expectText(
      early,
      400,
      'Bad Request - The event has the sequence 3, but 2 is to be acknowledged next',
    )
    expectText(await acknowledge(send, 'orders', first), 200, 'OK')
    expect(await sequencesFor(send, 'orders')).toEqual([2, 3])
    expect(await sequencesFor(send, 'orders', { consumer: C2 })).toEqual([1, 2, 3])
    expectText(await acknowledge(send, 'orders', second.toUpperCase()), 200, 'OK')
    const json = { 'content-type': 'application/json', 'x-consumer-id': C1.toUpperCase() }
    expectText(await acknowledge(send, 'orders', third, json, '{"action":"ACK"}'), 200, 'OK')
    expect(await sequencesFor(send, 'orders')).toEqual([])
    expectText(await acknowledge(send, 'orders', second), 200, 'OK')
    expect(await sequencesFor(send, 'orders')).toEqual([])
    await published(send, 'orders')
    expect(await sequencesFor(send, 'orders')).toEqual([4])
  }),
  withOrders('an acknowledgement that is none is 400 or 404', 1, async (send, [id = '']) => {
    const invoice = await published(send, 'invoices')
    for (const body of ['', 'action=NACK', 'action=ack', 'action=ACK&action=ACK', 'ACK', 'x=1']) {
      const answer = await acknowledge(send, 'orders', id, {}, body)
      expectText(answer, 400, 'Bad Request - The body must be action=ACK')
    }
    const inJson = { 'content-type': 'application/json' }
    const twice = '{"action":"ACK","action":"ACK"}'
    for (const body of ['', '{', twice, '{"action":"NACK"}', 'null', '"ACK"']) {
      const answer = await acknowledge(send, 'orders', id, inJson, body)
      expectText(answer, 400, /^Bad Request - (The body|Expected|Key "action" stands twice)/)
    }
    const plain = { 'content-type': 'text/plain' }
    expectText(
      await acknowledge(send, 'orders', id, plain),
      400,
      /^Bad Request - Content-Type must/,
    )
    expectText(
      await acknowledge(send, 'orders', id, { 'x-consumer-id': '' }),
      400,
      /^Bad Request - The header X-Consumer-ID is missing; /,
    )
    expectText(await acknowledge(send, 'orders', NOBODY), 404, 'Not Found')
    expectText(await acknowledge(send, 'orders', invoice), 404, 'Not Found')
    expectText(await acknowledge(send, 'nostream', id), 404, /^Not Found/)
    expectText(await acknowledge(send, 'orders', 'not-a-uuid'), 400, /must be a UUID$/)
    expect(await sequencesFor(send, 'orders')).toEqual([1])
  }),
  signedInCase('each name of a stream has sequences and offsets of its own', async (send) => {
    const ids: string[] = []
    for (const name of ['A', 'B', 'A']) ids.push(await published(send, 'orders', name))
    const [first = '', only = ''] = ids
    expect(await sequencesFor(send, 'orders', { name: 'A' })).toEqual([1, 2])
    expect(await sequencesFor(send, 'orders', { name: 'B' })).toEqual([1])
    expectText(await acknowledge(send, 'orders', first), 200, 'OK')
    expect(await sequencesFor(send, 'orders', { name: 'A' })).toEqual([2])
    expect(await sequencesFor(send, 'orders', { name: 'B' })).toEqual([1])
    expectText(await acknowledge(send, 'orders', only), 200, 'OK')
    expect(await sequencesFor(send, 'orders', { name: 'A' })).toEqual([2])
  }),
  signedInCase('names that look alike when put together count apart', async (send) => {
    const pairs = [
      ['a', 'bc'],
      ['ab', 'c'],
      ['A', 'bc'],
    ] as const
    for (let round = 0; round < 3; round++) {
      for (const [stream, name] of pairs) await published(send, stream, name)
    }
    for (const [stream, name] of pairs) {
      expect(await sequencesFor(send, stream, { name })).toEqual([1, 2, 3])
    }
  }),
  withOrders(
    'twenty equal acknowledgements at once move the offset by one',
    2,
    async (send, ids) => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => acknowledge(send, 'orders', ids[0] ?? '')),
      )
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
      expect(await sequencesFor(send, 'orders')).toEqual([2])
    },
  ),
  withOrders('an offset is set by hand, back and forth', 3, async (send, ids) => {
    const change = (offset: string, consumer = C1, name = 'OrderPlaced', stream = 'orders') =>
      post(send, `/${stream}/${consumer}/${name}/change/${offset}`)
    expectText(await acknowledge(send, 'orders', ids[0] ?? ''), 200, 'OK')
    expectText(await change('0'), 200, 'The offset is 0')
    expect(await sequencesFor(send, 'orders')).toEqual([1, 2, 3])
    expectText(await change('3', C2), 200, 'The offset is 3')
    expect(await sequencesFor(send, 'orders', { consumer: C2 })).toEqual([])
    expectText(await change('4'), 400, /^Bad Request - offset must be at most 3/)
    for (const bad of ['-1', 'x', '1.5']) {
      expectText(await change(bad), 400, 'Bad Request - offset must be a whole number from 0 on')
    }
    expectText(await change('1', C1, 'Other'), 400, /^Bad Request - offset must be at most 0/)
    expectText(await change('1', 'c1'), 400, 'Bad Request - consumerId must be a UUID')
    expectText(await change('0', C1, 'OrderPlaced', 'nostream'), 404, /^Not Found/)
    expect(await sequencesFor(send, 'orders')).toEqual([1, 2, 3])
  }),
  signedInCase('events of a stream that another API wrote are acknowledged alike', async (send) => {
    const event = { stream: 'plain', eventType: 'noted', body: 1 }
    for (let n = 0; n < 2; n++) expect((await putEvent(send, event)).status).toBe(200)
    const [first] = await eventsFor(send, 'plain', { name: 'noted' })
    expectText(await acknowledge(send, 'plain', first?.eventId ?? ''), 200, 'OK')
    expect(await sequencesFor(send, 'plain', { name: 'noted' })).toEqual([2])
  }),
  withOrders('a method that a path does not know is 405, HEAD too', 1, async (send) => {
    const path = '/api/v1/streams/orders/events'
    for (const method of ['PUT', 'DELETE', 'HEAD']) {
      const answer = await send({ method, path, headers: { 'x-producer-id': P1 } })
      expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET, OPTIONS, POST'])
    }
    expectText(
      await send({ method: 'PUT', path }),
      405,
      'Method Not Allowed - This path does not know this method',
    )
    expectText(
      await send({ method: 'GET', path: '/api/v1/nothing' }),
      404,
      'Not Found - There is nothing at this path',
    )
    const options = await send({ method: 'OPTIONS', path })
    expect([options.status, options.headers['allow']]).toEqual([204, 'GET, OPTIONS, POST'])
  }),
]
