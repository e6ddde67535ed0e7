/** Cases about subscription groups: management, fetching, acknowledging, parking, what is told of them. */
import { expect } from 'vitest'
import { uuid } from '../support/drafts.ts'
import {
  basic,
  type CorpusCase,
  FORWARDED,
  get,
  json,
  type Send,
  serverCase,
  signedInCase,
} from './corpus-request.ts'
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

const addUser = (send: Send, loginName: string, groups: readonly string[]) =>
  ask(send, 'POST', '/users', { loginName, fullName: '', groups, password: 'pw' })

export const ATOMPUB_GROUP_CASES: readonly CorpusCase[] = [
  serverCase('a group is made once, changed and removed', async (send) => {
    const made = await ask(send, 'PUT', GROUP, {})
    expectStatus(made, 201)
    expect(made.headers['location']).toMatch(
      /^http:\/\/apie\.example:2113(\/.*)?\/subscriptions\/orders\/shipping$/,
    )
    expect(json(made)).toEqual({ correlationId: expect.any(String), reason: '', result: 'Success' })
    const again = await ask(send, 'PUT', GROUP, {})
    expectStatus(again, 409)
    expect(json(again)).toMatchObject({ result: 'AlreadyExists' })
    const changed = await ask(send, 'POST', GROUP, { readBatchSize: 121, resolveLinkTos: true })
    expectStatus(changed, 200)
    expect(await infoOf(send)).toMatchObject({
      config: { readBatchSize: 121, resolveLinktos: true },
    })
    expectStatus(await ask(send, 'DELETE', GROUP), 200)
    for (const method of ['DELETE', 'POST']) {
      const answer = await ask(send, method, GROUP, method === 'POST' ? {} : undefined)
      expectStatus(answer, 404)
      expect(json(answer)).toMatchObject({ result: 'DoesNotExist' })
    }
    expectStatus(await get(send, `${GROUP}/1`, { accept: COMPETING_JSON }), 404)
  }),
  signedInCase('settings of a group come as JSON, as XML, or not at all', async (send) => {
    const xml =
      '<Settings><ResolveLinktos>true</ResolveLinktos><maxRetryCount>3</maxRetryCount></Settings>'
    const type = { 'content-type': 'application/xml; charset=utf-8' }
    expectStatus(await ask(send, 'PUT', '/subscriptions/orders/xml', xml, type), 201)
    expect(await infoOf(send, '/subscriptions/orders/xml')).toMatchObject({
      config: { resolveLinktos: true, maxRetryCount: 3, bufferSize: 500 },
    })
    expectStatus(await ask(send, 'PUT', '/subscriptions/orders/empty', ''), 201)
    expectStatus(await ask(send, 'PUT', '/subscriptions/orders/none'), 201)
    expectStatus(await ask(send, 'PUT', GROUP, {}, { 'content-type': 'text/plain' }), 415)
    expectStatus(await ask(send, 'PUT', GROUP, {}, { 'content-type': '' }), 415)
  }),
  signedInCase('settings that a group cannot have are 400, and no group is made', async (send) => {
    const bodies = [
      { bufferSize: 0 },
      { liveBufferSize: 0 },
      { readBatchSize: 500 },
      { namedConsumerStrategy: 'Chaos' },
      { startFrom: -2 },
      { maxRetryCount: 'often' },
      [],
      '{',
      'null',
    ]
    for (const body of bodies) {
      const answer = await ask(send, 'PUT', GROUP, body)
      expectStatus(answer, 400)
      expect(json(answer)).toMatchObject({ result: 'Fail', reason: expect.stringMatching(/\w/) })
    }
    const bombs = ['<a', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'text']
    for (const body of bombs) {
      expectStatus(await ask(send, 'PUT', GROUP, body, { 'content-type': 'text/xml' }), 400)
    }
    for (const path of ['/subscriptions/$all/g', '/subscriptions/orders/a::b']) {
      const answer = await ask(send, 'PUT', path, {})
      expectStatus(answer, 400)
      expect(json(answer)).toMatchObject({
        result: 'Fail',
        reason: expect.stringMatching(/must not/),
      })
    }
    expectStatus(await get(send, `${GROUP}/info`), 404)
  }),
  signedInCase('messages come as a feed with the addresses to acknowledge by', async (send) => {
    await write(send, 'orders', 0, 2)
    await createGroup(send)
    const answer = await get(send, `${GROUP}/5?embed=body`, {
      accept: COMPETING_JSON,
      ...FORWARDED,
    })
    expectStatus(answer, 200)
    expect(answer.headers['content-type']).toBe(`${COMPETING_JSON}; charset=utf-8`)
    expect(answer.headers['cache-control']).toBe('max-age=0, no-cache, must-revalidate')
    const text = answer.body
      .toString()
      .replace(/apie\.example:2113[^"]*(?=\/(streams|subscriptions))/g, 'HOST')
    const feed = JSON.parse(text) as Record<string, unknown>
    const at = 'http://HOST/subscriptions/orders/shipping'
    const both = `${uuid(0)},${uuid(1)}`
    const entry = (n: number) => ({
      eventId: uuid(n),
      eventType: 'placed',
      eventNumber: n,
      data: `{"n":${n}}`,
      streamId: 'orders',
      isJson: true,
      isMetaData: false,
      isLinkMetaData: false,
      positionEventNumber: n,
      positionStreamId: 'orders',
      retryCount: 0,
      title: `${n}@orders`,
      id: `http://HOST/streams/orders/${n}`,
      updated: expect.stringMatching(/^\d{4}-.*Z$/),
      author: { name: 'EventStore' },
      summary: 'placed',
      links: [
        { uri: `http://HOST/streams/orders/${n}`, relation: 'edit' },
        { uri: `http://HOST/streams/orders/${n}`, relation: 'alternate' },
        { uri: `${at}/ack/${uuid(n)}`, relation: 'ack' },
        { uri: `${at}/nack/${uuid(n)}`, relation: 'nack' },
      ],
    })
    expect(feed).toEqual({
      title: "Messages for 'orders/shipping'",
      id: at,
      updated: expect.stringMatching(/^\d{4}-.*Z$/),
      author: { name: 'EventStore' },
      headOfStream: false,
      links: [
        { uri: `${at}/ack?ids=${both}`, relation: 'ackAll' },
        { uri: `${at}/nack?ids=${both}`, relation: 'nackAll' },
        { uri: `${at}/5`, relation: 'previous' },
        { uri: at, relation: 'self' },
      ],
      entries: [entry(1), entry(0)],
    })
    expect(await fetchFeed(send, 5)).toMatchObject({
      updated: '0001-01-01T00:00:00Z',
      links: [{ relation: 'previous' }, { relation: 'self' }],
      entries: [],
    })
  }),
  signedInCase('messages are Atom XML unless JSON is asked for by its name', async (send) => {
    await write(send, 'orders', 0, 1)
    await createGroup(send)
    const plain = await get(send, GROUP, { accept: '*/*', ...FORWARDED })
    expectStatus(plain, 200)
    expect(plain.headers['content-type']).toBe(`${COMPETING_XML}; charset=utf-8`)
    const text = plain.body.toString()
    expect(text).toContain("<title>Messages for 'orders/shipping'</title>")
    expect(text).toContain(`/ack/${uuid(0)}" rel="ack" />`)
    expectStatus(await get(send, GROUP, FORWARDED), 200)
    for (const accept of ['application/json', 'application/atom+xml', 'text/html']) {
      expectStatus(await get(send, GROUP, { accept }), 406)
    }
  }),
  signedInCase('a fetch asks for 1 to 100 messages', async (send) => {
    await write(send, 'orders', 0, 3)
    await createGroup(send)
    for (const count of ['0', '101', '-1', 'x', '1.5']) {
      expectStatus(await get(send, `${GROUP}/${count}`, { accept: COMPETING_JSON }), 400)
    }
    const one = await get(send, GROUP, { accept: COMPETING_JSON, ...FORWARDED })
    expect((json(one) as Messages).entries).toHaveLength(1)
    expect(await fetchNumbers(send, 100)).toEqual([2, 1])
  }),
  serverCase(
    'a message is with one consumer, until it is acknowledged or given back',
    async (send) => {
      await write(send, 'orders', 0, 12)
      await createGroup(send)
      const numbers = Array.from({ length: 12 }, (_, n) => n)
      expect(await fetchNumbers(send, 100)).toEqual([...numbers].reverse())
      expect(await fetchNumbers(send, 100)).toEqual([])
      const paths = numbers.map((n) => `${GROUP}/${n < 4 || n > 7 ? 'nack' : 'ack'}/${uuid(n)}`)
      for (const path of paths) {
        const answer = await post(send, path)
        expectStatus(answer, 202)
        expect(answer.body.toString()).toBe('')
      }
      const { entries } = await fetchFeed(send, 10)
      expect(entries.map(({ eventNumber }) => eventNumber)).toEqual([11, 10, 9, 8, 3, 2, 1, 0])
      expect(entries.map(({ retryCount }) => retryCount)).toEqual(Array(8).fill(1))
    },
  ),
  signedInCase('all messages of a fetch are acknowledged at once', async (send) => {
    await write(send, 'orders', 0, 3)
    await createGroup(send)
    const { links } = await fetchFeed(send, 3)
    const uri = links.find(({ relation }) => relation === 'ackAll')?.uri ?? ''
    expectStatus(await post(send, uri.slice(uri.indexOf('/subscriptions'))), 202)
    expect(await infoOf(send)).toMatchObject({ totalItemsProcessed: 3, totalInFlightMessages: 0 })
    expectStatus(await post(send, `${GROUP}/ack/${uuid(1)}`), 202)
    expectStatus(await post(send, `${GROUP}/ack?ids=${uuid(77)},${uuid(78)}`), 202)
  }),
  signedInCase('ids that are none, and actions that are none, are 400', async (send) => {
    await write(send, 'orders', 0, 1)
    await createGroup(send)
    await fetchNumbers(send, 1)
    const paths = [
      'ack/x',
      'ack?ids=',
      'ack',
      'ack?ids=1,2',
      'nack/x',
      `nack/${uuid(0)}?action=eat`,
    ]
    for (const path of paths) expectStatus(await post(send, `${GROUP}/${path}`), 400)
    expect(await fetchNumbers(send, 1)).toEqual([])
  }),
  signedInCase('parked messages are shown, counted and replayed', async (send) => {
    await write(send, 'orders', 0, 4)
    await createGroup(send)
    await fetchNumbers(send, 4)
    expectStatus(await post(send, `${GROUP}/nack/${uuid(2)}?action=park`), 202)
    expectStatus(await post(send, `${GROUP}/nack/${uuid(0)}?action=Park`), 202)
    expectStatus(await post(send, `${GROUP}/nack/${uuid(1)}?action=skip`), 202)
    expect(await infoOf(send)).toMatchObject({ parkedMessageCount: 2, totalInFlightMessages: 1 })
    const accept = { accept: 'application/vnd.eventstore.atom+json', ...FORWARDED }
    const path = '/subscriptions/viewparkedmessages/orders/shipping'
    for (const page of ['', '/1/backward/9', '/0/forward/9']) {
      const shown = await get(send, path + page, accept)
      expectStatus(shown, 200)
      const { entries } = json(shown) as Messages
      expect(entries.map(({ title }) => title)).toEqual(['0@orders', '2@orders'])
    }
    for (const stopAt of ['-1', 'x']) {
      const refused = await post(send, `${GROUP}/replayParked?stopAt=${stopAt}`)
      expectStatus(refused, 400)
      expect(json(refused)).toMatchObject({
        result: 'Fail',
        reason: expect.stringMatching(/stopAt/),
      })
    }
    expectStatus(await post(send, `${GROUP}/replayParked?stopAt=1`), 200)
    expect(await fetchNumbers(send, 9)).toEqual([2])
    expectStatus(await post(send, `${GROUP}/replayParked`), 200)
    expect(await fetchNumbers(send, 9)).toEqual([0])
    expectStatus(await post(send, '/subscriptions/orders/none/replayParked'), 404)
  }),
  signedInCase('a group that was stopped goes on after a restart', async (send) => {
    await write(send, 'orders', 0, 2)
    await createGroup(send)
    await fetchNumbers(send, 1)
    expectStatus(await post(send, `${GROUP}/nack/${uuid(0)}?action=stop`), 202)
    expect(await fetchNumbers(send, 2)).toEqual([])
    expect(await infoOf(send)).toMatchObject({ status: 'Stopped' })
    expectStatus(await post(send, '/subscriptions/restart'), 200)
    expect(await fetchNumbers(send, 2)).toEqual([1, 0])
    expectStatus(await post(send, '/subscriptions/orders'), 404)
  }),
  signedInCase('information about groups is told in summaries and in full', async (send) => {
    await write(send, 'orders', 0, 5)
    await createGroup(send)
    await createGroup(send, '/subscriptions/orders/billing')
    await createGroup(send, '/subscriptions/other/shipping', { startFrom: -1 })
    await fetchNumbers(send, 2)
    await post(send, `${GROUP}/ack/${uuid(0)}`)
    const all = json(await get(send, '/subscriptions', FORWARDED)) as Record<string, unknown>[]
    expect(all.map(({ eventStreamId, groupName }) => `${eventStreamId} ${groupName}`)).toEqual([
      'orders shipping',
      'orders billing',
      'other shipping',
    ])
    const at = (path: string) =>
      expect.stringMatching(new RegExp(`^http://apie.example:2113(/.*)?${path}$`))
    const summary = {
      eventStreamId: 'orders',
      groupName: 'shipping',
      parkedMessageUri: at('/streams/%24persistentsubscription-orders%3A%3Ashipping-parked'),
      getMessagesUri: at('/subscriptions/orders/shipping/1'),
      status: 'Behind',
      averageItemsPerSecond: 0,
      totalItemsProcessed: 1,
      lastProcessedEventNumber: 0,
      lastKnownEventNumber: 4,
      connectionCount: 0,
      totalInFlightMessages: 1,
    }
    const detail = { href: at('/subscriptions/orders/shipping/info'), rel: 'detail' }
    expect(all[0]).toEqual({ links: [detail], ...summary })
    const own = json(await get(send, '/subscriptions/orders', FORWARDED))
    expect(own).toMatchObject([{ groupName: 'shipping' }, { groupName: 'billing' }])
    expectStatus(await get(send, '/subscriptions/nothing', FORWARDED), 404)
    expect(await infoOf(send)).toEqual({
      links: [
        detail,
        { href: at('/subscriptions/orders/shipping/replayParked'), rel: 'replayParked' },
      ],
      config: {
        resolveLinktos: false,
        startFrom: 0,
        messageTimeoutMilliseconds: 0,
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
      },
      ...summary,
      countSinceLastMeasurement: 0,
      readBufferCount: 0,
      liveBufferCount: 0,
      retryBufferCount: 0,
      outstandingMessagesCount: 1,
      parkedMessageCount: 0,
      connections: [],
    })
  }),
  signedInCase('a stream is described with its groups', async (send) => {
    const accept = { accept: 'application/vnd.eventstore.streamdesc+json' }
    const before = json(await get(send, '/streams/or@ders', accept))
    expect(before).not.toHaveProperty('_links.streamSubscription')
    await createGroup(send, '/subscriptions/or@ders/a')
    await createGroup(send, '/subscriptions/or@ders/b')
    const group = (name: string) => ({
      href: `/subscriptions/or%40ders/${name}`,
      supportedContentTypes: [COMPETING_XML, COMPETING_JSON],
    })
    expect(json(await get(send, '/streams/or@ders', accept))).toMatchObject({
      _links: { streamSubscription: [group('a'), group('b')] },
    })
  }),
  signedInCase('many groups are told page by page', async (send) => {
    for (const name of ['a', 'b', 'c']) await createGroup(send, `/subscriptions/orders/${name}`)
    const page = json(await get(send, '/subscriptions?offset=1&count=1', FORWARDED)) as {
      links: { rel: string }[]
    }
    expect(page).toMatchObject({
      offset: 1,
      count: 1,
      total: 3,
      subscriptions: [{ groupName: 'b' }],
    })
    expect(page.links.map(({ rel }) => rel)).toEqual(['self', 'first', 'previous', 'next'])
    for (const [query, count, rels] of [
      ['offset=0&count=2', 2, ['self', 'first', 'next']],
      ['offset=2&count=1', 1, ['self', 'first', 'previous']],
      ['offset=1', 20, ['self', 'first', 'previous']],
      ['count=3', 3, ['self', 'first']],
      ['offset=9&count=1', 1, ['self', 'first', 'previous']],
    ] as const) {
      const other = json(await get(send, `/subscriptions?${query}`, FORWARDED)) as typeof page
      expect(other).toMatchObject({ count, total: 3 })
      expect([query, other.links.map(({ rel }) => rel)]).toEqual([query, rels])
    }
    for (const query of ['offset=-1&count=1', 'offset=0&count=0', 'offset=x', 'count=1.5']) {
      expectStatus(await get(send, `/subscriptions?${query}`), 400)
    }
  }),
  signedInCase('a group of a category hands out links, and what they lead to', async (send) => {
    await write(send, 'order-1', 0, 1)
    await write(send, 'order-2', 5, 6)
    await createGroup(send, '/subscriptions/$ce-order/links')
    await createGroup(send, '/subscriptions/$ce-order/events', { resolveLinktos: true })
    const [link] = (await fetchFeed(send, 1, '/subscriptions/%24ce-order/links')).entries
    expect(link).toMatchObject({ title: '0@$ce-order', eventType: '$>' })
    const [second, first] = (await fetchFeed(send, 9, '/subscriptions/$ce-order/events')).entries
    expect(first).toMatchObject({ title: '0@order-1', data: '{"n":0}', positionEventNumber: 0 })
    expect(second).toMatchObject({
      title: '0@order-2',
      eventId: uuid(5),
      data: '{"n":5}',
      positionEventNumber: 1,
      positionStreamId: '$ce-order',
    })
    const uri = second?.links.find(({ relation }) => relation === 'ack')?.uri ?? ''
    expect(uri).not.toContain(uuid(5))
    expectStatus(await post(send, uri.slice(uri.indexOf('/subscriptions'))), 202)
    const events = await infoOf(send, '/subscriptions/$ce-order/events')
    expect(events).toMatchObject({ totalItemsProcessed: 1, totalInFlightMessages: 1 })
  }),
  signedInCase(
    'events that are truncated are not handed out, nor those of deleted streams',
    async (send) => {
      await write(send, 'orders', 0, 5)
      await createGroup(send)
      expect(await fetchNumbers(send, 1)).toEqual([0])
      const type = { 'content-type': 'application/vnd.eventstore.events+json' }
      const metadata = [{ eventId: uuid(99), eventType: '$metadata', data: { $tb: 3 } }]
      expectStatus(await ask(send, 'POST', '/streams/$$orders', metadata, type), 201)
      await post(send, `${GROUP}/nack/${uuid(0)}`)
      expect(await fetchNumbers(send, 9)).toEqual([4, 3])
      expectStatus(
        await ask(send, 'DELETE', '/streams/orders', undefined, { 'es-harddelete': 'true' }),
        204,
      )
      expectStatus(await post(send, `${GROUP}/nack?ids=${uuid(3)},${uuid(4)}`), 202)
      expect(await fetchNumbers(send, 9)).toEqual([])
      expect(await fetchNumbers(send, 9)).toEqual([])
    },
  ),
  signedInCase('who is no operator changes no group, but consumes', async (send) => {
    await write(send, 'orders', 0, 1)
    await createGroup(send)
    await addUser(send, 'reader', [])
    await addUser(send, 'operator', ['$ops'])
    const reader = basic('reader', 'pw')
    const operator = basic('operator', 'pw')
    const refused = [
      await ask(send, 'PUT', '/subscriptions/orders/new', {}, reader),
      await ask(send, 'POST', GROUP, {}, reader),
      await ask(send, 'DELETE', GROUP, undefined, reader),
      await ask(send, 'POST', `${GROUP}/replayParked`, undefined, reader),
      await ask(send, 'POST', '/subscriptions/restart', undefined, reader),
    ]
    for (const answer of refused) {
      expectStatus(answer, 401)
      expect(answer.headers['www-authenticate']).toBe('Basic realm="ES"')
      expect(answer.body.toString()).toBe('')
    }
    const fetched = await get(send, `${GROUP}/1`, {
      accept: COMPETING_JSON,
      ...FORWARDED,
      ...reader,
    })
    expectStatus(fetched, 200)
    expectStatus(await ask(send, 'POST', `${GROUP}/ack/${uuid(0)}`, '{}', reader), 202)
    expectStatus(await ask(send, 'PUT', '/subscriptions/orders/new', {}, operator), 201)
    expectStatus(await ask(send, 'POST', '/subscriptions/restart', undefined, operator), 200)
    expectStatus(await ask(send, 'DELETE', GROUP, undefined, operator), 200)
  }),
  signedInCase('groups of a stream that one may not read are not there for one', async (send) => {
    await write(send, 'orders', 0, 1)
    const type = { 'content-type': 'application/vnd.eventstore.events+json' }
    const metadata = [{ eventId: uuid(99), eventType: '$metadata', data: { $acl: { $r: 'x' } } }]
    expectStatus(await ask(send, 'POST', '/streams/$$orders', metadata, type), 201)
    await createGroup(send)
    await addUser(send, 'stranger', [])
    await addUser(send, 'member', ['x'])
    const as = (name: string) => ({ accept: COMPETING_JSON, ...FORWARDED, ...basic(name, 'pw') })
    const json = { ...FORWARDED, ...basic('stranger', 'pw') }
    expectStatus(await get(send, `${GROUP}/1`, as('stranger')), 401)
    expectStatus(await get(send, `${GROUP}/info`, json), 401)
    expectStatus(
      await ask(send, 'POST', `${GROUP}/ack/${uuid(0)}`, undefined, basic('stranger', 'pw')),
      401,
    )
    expectStatus(await get(send, '/subscriptions/orders', json), 404)
    expect((await get(send, '/subscriptions', json)).body.toString()).toBe('[]')
    expectStatus(await get(send, `${GROUP}/1`, as('member')), 200)
    const described = async (name: string) =>
      (
        await get(send, '/streams/orders', {
          accept: 'application/vnd.eventstore.streamdesc+json',
          ...basic(name, 'pw'),
        })
      ).body.toString()
    expect(await described('member')).toContain('/subscriptions/orders/shipping')
    expect(await described('stranger')).not.toContain('subscriptions')
  }),
  {
    name: 'groups are nothing for whoever has no credentials',
    run: async (send) => {
      const answers = [
        await get(send, '/subscriptions'),
        await get(send, `${GROUP}/1`),
        await ask(send, 'PUT', GROUP, {}),
        await post(send, `${GROUP}/ack/${uuid(0)}`),
      ]
      for (const answer of answers) {
        expectStatus(answer, 401)
        expect(answer.headers['www-authenticate']).toBe('Basic realm="ES"')
      }
    },
  },
  {
    name: 'OPTIONS of a group tells its methods',
    meetsServer: true,
    run: async (send) => {
      const answer = await send({ method: 'OPTIONS', path: GROUP })
      expectStatus(answer, 200)
      const methods = answer.headers['access-control-allow-methods']?.split(', ') ?? []
      expect(new Set(methods)).toEqual(new Set(['PUT', 'POST', 'DELETE', 'GET', 'OPTIONS']))
    },
  },
]
