/** Cases about what consumers of a group do to messages, and what the settings of the group change in that. */
import { expect } from 'vitest'
import { uuid } from '../support/drafts.ts'
import { type CorpusCase, FORWARDED, get, json, type Send, signedInCase } from './corpus-request.ts'
import {
  ask,
  COMPETING_JSON,
  COMPETING_XML,
  createGroup,
  expectStatus,
  fetchFeed,
  fetchNumbers,
  GROUP,
  infoOf,
  type Messages,
  post,
  write,
} from './group-request.ts'

const DEFAULTS = {
  resolveLinktos: false,
  startFrom: 0,
  messageTimeoutMilliseconds: 10000,
  extraStatistics: false,
  maxRetryCount: 10,
  liveBufferSize: 500,
  bufferSize: 500,
  readBatchSize: 20,
  checkPointAfterMilliseconds: 1000,
  minCheckPointCount: 10,
  maxCheckPointCount: 500,
  maxSubscriberCount: 10,
  preferRoundRobin: true,
  namedConsumerStrategy: 'RoundRobin',
}

/** What is sent, and what of it differs from the defaults then. */
const TAKEN: readonly (readonly [object, object])[] = [
  [{}, {}],
  [{ maxRetryCount: null, unknown: 1 }, {}],
  [{ resolveLinkTos: true }, { resolveLinktos: true }],
  [{ RESOLVELINKTOS: 'True' }, { resolveLinktos: true }],
  [{ startFrom: 7 }, { startFrom: 7 }],
  [{ startFrom: '-1' }, { startFrom: -1 }],
  [{ startPosition: 'Start' }, {}],
  [{ startPosition: 'End' }, { startFrom: -1 }],
  [{ startPosition: '12', startFrom: 3 }, { startFrom: 12 }],
  [{ messageTimeoutMilliseconds: 0 }, { messageTimeoutMilliseconds: 0 }],
  [{ extraStatistics: true }, { extraStatistics: true }],
  [{ maxRetryCount: 0 }, { maxRetryCount: 0 }],
  [{ liveBufferSize: 1 }, { liveBufferSize: 1 }],
  [
    { bufferSize: 2, readBatchSize: 1 },
    { bufferSize: 2, readBatchSize: 1 },
  ],
  [{ checkPointAfterMilliseconds: 5 }, { checkPointAfterMilliseconds: 5 }],
  [
    { minCheckPointCount: 0, maxCheckPointCount: 7 },
    { minCheckPointCount: 0, maxCheckPointCount: 7 },
  ],
  [{ maxSubscriberCount: 2147483647 }, { maxSubscriberCount: 2147483647 }],
  [{ preferRoundRobin: true }, {}],
  [
    { preferRoundRobin: false },
    { preferRoundRobin: false, namedConsumerStrategy: 'DispatchToSingle' },
  ],
  [
    { namedConsumerStrategy: 'pinned', preferRoundRobin: true },
    { preferRoundRobin: false, namedConsumerStrategy: 'Pinned' },
  ],
  [
    { namedConsumerStrategy: 'PinnedByCorrelation' },
    { preferRoundRobin: false, namedConsumerStrategy: 'PinnedByCorrelation' },
  ],
]

/** Settings that no group can have, and the one that is named. */
const REFUSED: readonly (readonly [string, unknown])[] = [
  ['resolveLinktos', 'maybe'],
  ['extraStatistics', 1],
  ['preferRoundRobin', 'x'],
  ['startFrom', -2],
  ['startFrom', 1.5],
  ['startPosition', 'middle'],
  ['messageTimeoutMilliseconds', -1],
  ['maxRetryCount', -1],
  ['maxRetryCount', 2147483648],
  ['maxRetryCount', true],
  ['liveBufferSize', 0],
  ['bufferSize', 0],
  ['bufferSize', -5],
  ['readBatchSize', 0],
  ['readBatchSize', 500],
  ['checkPointAfterMilliseconds', -1],
  ['minCheckPointCount', -1],
  ['maxCheckPointCount', -1],
  ['maxSubscriberCount', -1],
  ['namedConsumerStrategy', 'Chaos'],
]

/** First number, and what is handed out of five events, and of two more that come later. */
const STARTS: readonly (readonly [number, readonly number[], readonly number[]])[] = [
  [0, [4, 3, 2, 1, 0], [6, 5]],
  [3, [4, 3], [6, 5]],
  [-1, [], [6, 5]],
  [5, [], [6, 5]],
  [6, [], [6]],
]

/**
 * What becomes of two messages that are given back: what is handed out next, as number and retries, how many
 * are done with, and how many are parked.
 */
const ACTIONS: readonly (readonly [
  string,
  readonly (readonly [number, number])[],
  number,
  number,
])[] = [
  [
    '',
    [
      [1, 1],
      [0, 1],
    ],
    0,
    0,
  ],
  [
    'retry',
    [
      [1, 1],
      [0, 1],
    ],
    0,
    0,
  ],
  [
    'Retry',
    [
      [1, 1],
      [0, 1],
    ],
    0,
    0,
  ],
  ['park', [[2, 0]], 0, 2],
  ['skip', [[2, 0]], 2, 0],
  ['stop', [], 0, 0],
]

const handedOut = async (send: Send, count: number): Promise<[number, number][]> =>
  (await fetchFeed(send, count)).entries.map(({ eventNumber, retryCount }) => [
    eventNumber,
    retryCount,
  ])

const nack = async (send: Send, n: number, action = ''): Promise<void> =>
  expectStatus(await post(send, `${GROUP}/nack/${uuid(n)}?action=${action}`), 202)

const ack = async (send: Send, n: number): Promise<void> =>
  expectStatus(await post(send, `${GROUP}/ack/${uuid(n)}`), 202)

const actionCase = (
  [action, next, done, parked]: (typeof ACTIONS)[number],
  form: 'each' | 'all',
): CorpusCase =>
  signedInCase(`two messages are given back with "${action}", ${form} on its own`, async (send) => {
    await write(send, 'orders', 0, 3)
    await createGroup(send)
    expect(await fetchNumbers(send, 2)).toEqual([1, 0])
    const query = action === '' ? '' : `action=${action}`
    const paths =
      form === 'each'
        ? [`nack/${uuid(0)}?${query}`, `nack/${uuid(1)}?${query}`]
        : [`nack?ids=${uuid(0)},${uuid(1)}&${query}`]
    for (const path of paths) {
      const answer = await post(send, `${GROUP}/${path}`)
      expect([answer.status, answer.reason, answer.body.toString()]).toEqual([202, 'Accepted', ''])
    }
    expect(await infoOf(send)).toMatchObject({
      totalItemsProcessed: done,
      parkedMessageCount: parked,
      totalInFlightMessages: 0,
      status: action === 'stop' ? 'Stopped' : 'Behind',
    })
    expect(await handedOut(send, 2 - (next.length % 2))).toEqual(next)
  })

export const ATOMPUB_CONSUMER_CASES: readonly CorpusCase[] = [
  signedInCase(
    'a group has the settings it was sent, and defaults for the others',
    async (send) => {
      for (const [at, [body, changed]] of TAKEN.entries()) {
        const path = `/subscriptions/orders/g${at}`
        expectStatus(await ask(send, 'PUT', path, body), 201)
        expect([body, (await infoOf(send, path))['config']]).toEqual([
          body,
          { ...DEFAULTS, ...changed },
        ])
      }
    },
  ),
  signedInCase('a setting that no group can have is named, made or changed', async (send) => {
    await createGroup(send, '/subscriptions/orders/there', { maxRetryCount: 3 })
    for (const [name, value] of REFUSED) {
      for (const [method, path] of [
        ['PUT', GROUP],
        ['POST', '/subscriptions/orders/there'],
      ] as const) {
        const answer = await ask(send, method, path, { [name]: value })
        expectStatus(answer, 400)
        expect(json(answer)).toMatchObject({
          result: 'Fail',
          reason: expect.stringContaining(name),
        })
      }
    }
    expectStatus(await get(send, `${GROUP}/info`), 404)
    expect(await infoOf(send, '/subscriptions/orders/there')).toMatchObject({
      config: { maxRetryCount: 3 },
    })
  }),
  signedInCase('a change of a group resets what it does not name', async (send) => {
    await createGroup(send, GROUP, { maxRetryCount: 3, readBatchSize: 7 })
    expectStatus(await ask(send, 'POST', GROUP, { maxRetryCount: 4 }), 200)
    expect((await infoOf(send))['config']).toEqual({ ...DEFAULTS, maxRetryCount: 4 })
    expectStatus(await ask(send, 'POST', GROUP, { bufferSize: 30, readBatchSize: 30 }), 400)
    expectStatus(await ask(send, 'POST', GROUP, {}, { 'content-type': 'text/plain' }), 415)
  }),
  signedInCase('a change of a group takes messages back from whoever has them', async (send) => {
    await write(send, 'orders', 0, 3)
    await createGroup(send)
    expect(await fetchNumbers(send, 2)).toEqual([1, 0])
    expectStatus(await ask(send, 'POST', GROUP, { messageTimeoutMilliseconds: 0 }), 200)
    expect(await handedOut(send, 9)).toEqual([
      [2, 0],
      [1, 0],
      [0, 0],
    ])
  }),
  signedInCase('a change of a group goes back to no message, parked or not', async (send) => {
    await write(send, 'orders', 0, 3)
    await createGroup(send)
    expect(await fetchNumbers(send, 1)).toEqual([0])
    await nack(send, 0, 'park')
    expectStatus(await ask(send, 'POST', GROUP, { messageTimeoutMilliseconds: 0 }), 200)
    expect(await fetchNumbers(send, 9)).toEqual([2, 1])
    expect(await infoOf(send)).toMatchObject({ parkedMessageCount: 1 })
    for (const n of [1, 2]) await ack(send, n)
    expectStatus(await ask(send, 'POST', GROUP, { startFrom: 0 }), 200)
    expect(await fetchNumbers(send, 9)).toEqual([])
  }),
  signedInCase(
    'a change of a group begins elsewhere while nothing was handed out',
    async (send) => {
      await write(send, 'orders', 0, 4)
      await createGroup(send)
      for (const startFrom of [9, -1, 2]) {
        expectStatus(await ask(send, 'POST', GROUP, { startFrom }), 200)
      }
      expect(await fetchNumbers(send, 9)).toEqual([3, 2])
    },
  ),
  ...STARTS.map(([startFrom, first, later]) =>
    signedInCase(`a group that starts from ${startFrom}`, async (send) => {
      await write(send, 'orders', 0, 5)
      await createGroup(send, GROUP, { startFrom })
      expect(await fetchNumbers(send, 9)).toEqual(first)
      await write(send, 'orders', 5, 7)
      expect(await fetchNumbers(send, 9)).toEqual(later)
    }),
  ),
  signedInCase('a group may be there before its stream', async (send) => {
    await createGroup(send)
    expect(await fetchNumbers(send, 9)).toEqual([])
    expect(await infoOf(send)).toMatchObject({ lastKnownEventNumber: -1, status: 'Live' })
    await write(send, 'orders', 0, 1)
    expect(await fetchNumbers(send, 9)).toEqual([0])
  }),

  ...ACTIONS.flatMap((row) => [actionCase(row, 'each'), actionCase(row, 'all')]),
  signedInCase('a message that has come back too often is parked', async (send) => {
    await write(send, 'orders', 0, 1)
    await createGroup(send, GROUP, { maxRetryCount: 2 })
    for (const retryCount of [0, 1, 2]) {
      expect(await handedOut(send, 1)).toEqual([[0, retryCount]])
      expect(await infoOf(send)).toMatchObject({ parkedMessageCount: 0 })
      await nack(send, 0)
    }
    expect(await handedOut(send, 1)).toEqual([])
    expect(await infoOf(send)).toMatchObject({ parkedMessageCount: 1, retryBufferCount: 0 })
  }),
  signedInCase('where nothing is to be tried again, what comes back is parked', async (send) => {
    await write(send, 'orders', 0, 2)
    await createGroup(send, GROUP, { maxRetryCount: 0 })
    await fetchNumbers(send, 1)
    await nack(send, 0)
    expect(await infoOf(send)).toMatchObject({ parkedMessageCount: 1 })
    expect(await handedOut(send, 9)).toEqual([[1, 0]])
  }),
  signedInCase('what came back is handed out before what is new, by number', async (send) => {
    await write(send, 'orders', 0, 6)
    await createGroup(send)
    expect(await fetchNumbers(send, 3)).toEqual([2, 1, 0])
    for (const n of [2, 0]) await nack(send, n)
    expect(await infoOf(send)).toMatchObject({ retryBufferCount: 2, outstandingMessagesCount: 1 })
    expect(await handedOut(send, 1)).toEqual([[0, 1]])
    expect(await handedOut(send, 3)).toEqual([
      [4, 0],
      [3, 0],
      [2, 1],
    ])
  }),
  signedInCase(
    'a group hands out as much as its buffer holds, until some is done',
    async (send) => {
      await write(send, 'orders', 0, 9)
      await createGroup(send, GROUP, { bufferSize: 3, readBatchSize: 1 })
      expect(await fetchNumbers(send, 2)).toEqual([1, 0])
      expect(await fetchNumbers(send, 9)).toEqual([2])
      expect(await fetchNumbers(send, 9)).toEqual([])
      await ack(send, 1)
      await nack(send, 0, 'park')
      expect(await fetchNumbers(send, 9)).toEqual([4, 3])
      expect(await infoOf(send)).toMatchObject({
        totalInFlightMessages: 3,
        totalItemsProcessed: 1,
        parkedMessageCount: 1,
        lastProcessedEventNumber: 1,
      })
    },
  ),
  signedInCase('what nobody was handed cannot be acknowledged, and nothing twice', async (send) => {
    await write(send, 'orders', 0, 3)
    await createGroup(send)
    await ack(send, 0)
    await nack(send, 0, 'park')
    expect(await fetchNumbers(send, 2)).toEqual([1, 0])
    await ack(send, 2)
    await ack(send, 99)
    for (const _twice of [1, 2]) await ack(send, 1)
    await nack(send, 1)
    const both = await post(send, `${GROUP}/ack?ids=${uuid(0)},${uuid(99)}`)
    expectStatus(both, 202)
    expect(await infoOf(send)).toMatchObject({ totalItemsProcessed: 2, parkedMessageCount: 0 })
    expect(await fetchNumbers(send, 9)).toEqual([2])
    for (const path of ['ack', 'nack']) {
      const answer = await post(send, `/subscriptions/orders/none/${path}/${uuid(0)}`)
      expectStatus(answer, 404)
    }
  }),
  signedInCase('parked messages are replayed in the order of parking', async (send) => {
    await write(send, 'orders', 0, 5)
    await createGroup(send)
    await fetchNumbers(send, 4)
    for (const n of [2, 0, 3]) await nack(send, n, 'park')
    await ack(send, 1)
    expectStatus(await post(send, `${GROUP}/replayParked?stopAt=0`), 200)
    expect(await infoOf(send)).toMatchObject({ parkedMessageCount: 3 })
    expectStatus(await post(send, `${GROUP}/replayParked`), 200)
    expect(await infoOf(send)).toMatchObject({ parkedMessageCount: 0 })
    expect(await handedOut(send, 1)).toEqual([[2, 0]])
    expect(await handedOut(send, 1)).toEqual([[0, 0]])
    expect(await handedOut(send, 9)).toEqual([
      [4, 0],
      [3, 0],
    ])
    const parked = '/subscriptions/viewparkedmessages/orders/shipping'
    const accept = { ...FORWARDED, accept: 'application/json' }
    expectStatus(await get(send, parked, accept), 404)
    await nack(send, 2, 'park')
    expect(await infoOf(send)).toMatchObject({ parkedMessageCount: 1 })
    const { entries } = json(await get(send, parked, accept)) as Messages
    expect(entries.map(({ title }) => title)).toEqual(['2@orders'])
  }),
  signedInCase('parked messages are links in a stream of their own', async (send) => {
    await write(send, 'orders', 0, 2)
    await createGroup(send)
    await fetchNumbers(send, 2)
    await nack(send, 1, 'park')
    const uri = String((await infoOf(send))['parkedMessageUri'])
    const path = uri.slice(uri.indexOf('/streams'))
    expect(path).toBe('/streams/%24persistentsubscription-orders%3A%3Ashipping-parked')
    const raw = { ...FORWARDED, accept: 'application/octet-stream', 'es-resolvelinktos': 'false' }
    expect((await get(send, `${path}/0`, raw)).body.toString()).toBe('1@orders')
    const event = json(await get(send, `${path}/0`, { ...FORWARDED, accept: 'application/json' }))
    expect(event).toEqual({ n: 1 })
  }),
  signedInCase('a group that is made again begins anew', async (send) => {
    await write(send, 'orders', 0, 3)
    await createGroup(send)
    await fetchNumbers(send, 3)
    await nack(send, 1, 'park')
    expectStatus(await ask(send, 'DELETE', GROUP), 200)
    await createGroup(send)
    expect(await infoOf(send)).toMatchObject({ parkedMessageCount: 0, totalItemsProcessed: 0 })
    expectStatus(await post(send, `${GROUP}/replayParked`), 200)
    expect(await handedOut(send, 9)).toEqual([
      [2, 0],
      [1, 0],
      [0, 0],
    ])
  }),
  signedInCase('a group goes on with a stream that was deleted and came back', async (send) => {
    await write(send, 'orders', 0, 3)
    await createGroup(send)
    expect(await fetchNumbers(send, 1)).toEqual([0])
    expectStatus(await ask(send, 'DELETE', '/streams/orders'), 204)
    expect(await fetchNumbers(send, 9)).toEqual([])
    await write(send, 'orders', 3, 5)
    expect(await fetchNumbers(send, 9)).toEqual([4, 3])
  }),

  signedInCase('messages show as much of their events as embed asks for', async (send) => {
    await write(send, 'orders', 0, 5)
    await createGroup(send)
    const entryOf = async (query: string) => {
      const answer = await get(send, `${GROUP}/1${query}`, { accept: COMPETING_JSON, ...FORWARDED })
      return (json(answer) as Messages).entries[0] ?? {}
    }
    const plain = ['retryCount', 'title', 'id', 'updated', 'author', 'summary']
    expect(Object.keys(await entryOf(''))).toEqual([...plain, 'links'])
    expect(Object.keys(await entryOf('?embed=CONTENT'))).toEqual([...plain, 'content', 'links'])
    expect(await entryOf('?embed=Rich')).not.toHaveProperty('data')
    expect(await entryOf('?embed=Body')).toMatchObject({ eventNumber: 3, data: '{"n":3}' })
    expect(await entryOf('?embed=Pretty')).toMatchObject({ data: '{\n  "n": 4\n}' })
  }),
  signedInCase(
    'messages in XML have the same addresses, escaped as those of streams',
    async (send) => {
      await write(send, 'or@ders', 0, 1)
      await createGroup(send, '/subscriptions/or%40ders/a%20b')
      const accept = { accept: COMPETING_XML, ...FORWARDED }
      const answer = await get(send, '/subscriptions/or@ders/a%20b/3', accept)
      const text = answer.body.toString().replace(/"http:[^"]*?(?=\/(streams|subscriptions))/g, '"')
      const at = '/subscriptions/or%40ders/a%20b'
      expect(text).toContain("<title>Messages for 'or@ders/a b'</title>")
      expect(text).toContain(
        `<link href="${at}/ack?ids=${uuid(0)}" rel="ackAll" /><link href="${at}/nack?ids=${uuid(0)}" rel="nackAll" /><link href="${at}/3" rel="previous" /><link href="${at}" rel="self" /><entry>`,
      )
      expect(text).toContain(
        `<link href="/streams/or%40ders/0" rel="edit" /><link href="/streams/or%40ders/0" rel="alternate" /><link href="${at}/ack/${uuid(0)}" rel="ack" /><link href="${at}/nack/${uuid(0)}" rel="nack" /></entry></feed>`,
      )
      expectStatus(await post(send, `${at}/ack/${uuid(0)}`), 202)
      expect(await infoOf(send, at)).toMatchObject({ totalItemsProcessed: 1, status: 'Live' })
    },
  ),
]
