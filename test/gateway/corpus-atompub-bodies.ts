/** Cases about what events hold in every form that they are read in: no JSON, links, and levels of `embed`. */
import { expect } from 'vitest'
import {
  ATOM,
  ATOM_JSON,
  ask,
  EVENTS_XML,
  expectEmpty,
  expectStatus,
  feed,
  fill,
  id,
  local,
  postBatch,
  postEvent,
  postMetadata,
  read,
  remove,
} from './atompub-request.ts'
import { type CorpusCase, json, type Send, signedInCase } from './corpus-request.ts'

const XML = '<?xml version="1.0" encoding="utf-8"?>'
const RAW = { 'content-type': 'application/octet-stream' }
const EVENT_JSON = 'application/vnd.eventstore.event+json'
const EVENT_XML = 'application/vnd.eventstore.event+xml'

const bodyOf = async (send: Send, target: string, accept: string): Promise<string> => {
  const answer = await read(send, target, { accept })
  expectStatus(answer, 200)
  return answer.body.toString()
}

/** An event that is text, by the type it is asked for in. */
const TEXT_FORMS: readonly (readonly [string, string])[] = [
  ['application/json', 'a < b'],
  ['application/octet-stream', 'a < b'],
  ['text/xml', `${XML}<data>a &lt; b</data>`],
  ['application/xml', `${XML}<data>a &lt; b</data>`],
  [
    EVENT_JSON,
    `{
  "eventStreamId": "s-1",
  "eventNumber": 0,
  "eventType": "t",
  "eventId": "${id(1)}",
  "data": "a < b",
  "metadata": ""
}`,
  ],
  [
    EVENT_XML,
    `${XML}<event><eventStreamId>s-1</eventStreamId><eventNumber>0</eventNumber><eventType>t</eventType><eventId>${id(1)}</eventId><data>a &lt; b</data><metadata></metadata></event>`,
  ],
]

/** Scalars as `data` of a batch: what is read back, and whether it is JSON. */
const SCALARS: readonly (readonly [unknown, string | undefined, boolean])[] = [
  [5, '5', true],
  [true, 'true', true],
  ['5', undefined, false],
  ['true', undefined, false],
  ['[1', undefined, false],
  [' [1] ', '[1]', true],
  ['', undefined, false],
]

const linkTo = (send: Send, stream: string, n: number, target: string, metadata?: object) =>
  postBatch(send, stream, [
    { eventId: id(n), eventType: '$>', data: target, ...(metadata && { metadata }) },
  ])

export const ATOMPUB_BODY_CASES: readonly CorpusCase[] = [
  signedInCase('atompub: an event that is text, in every form', async (send) => {
    expectStatus(await postEvent(send, 's-1', 1, RAW, 'a < b'), 201)
    for (const [accept, body] of TEXT_FORMS) {
      expect([accept, await bodyOf(send, '/streams/s-1/0', accept)]).toEqual([accept, body])
    }
    for (const accept of [ATOM, ATOM_JSON]) {
      const body = await bodyOf(send, '/streams/s-1/0', accept)
      expect(body).toContain('0@s-1')
      expect(body).not.toContain('content')
    }
    expect(await bodyOf(send, '/streams/s-1/0', 'text/html')).toContain('<pre>a &lt; b</pre>')
    expect(await bodyOf(send, '/streams/s-1', 'text/html')).not.toContain('a &lt; b')
  }),
  signedInCase('atompub: a link shows in every form what it leads to', async (send) => {
    await fill(send, 's-1', 2)
    const target = '/streams/$ce-s/1'
    expect(await bodyOf(send, target, 'application/json')).toBe('{\n  "n": 1\n}')
    expect(await bodyOf(send, target, 'application/octet-stream')).toBe('{"n":1}')
    expect(await bodyOf(send, target, 'text/xml')).toBe(`${XML}<data><n>1</n></data>`)
    expect(JSON.parse(await bodyOf(send, target, EVENT_JSON))).toEqual({
      eventStreamId: 's-1',
      eventNumber: 1,
      eventType: 't',
      eventId: id(1001),
      data: { n: 1 },
      metadata: '',
    })
    const entry = await bodyOf(send, target, ATOM)
    expect(entry).toContain('<atom:title>1@s-1</atom:title>')
    expect(entry).toContain('<atom:summary>$&gt;</atom:summary>')
    expect(entry).not.toContain('content')
  }),
  signedInCase('atompub: metadata of a link is shown beside that of its event', async (send) => {
    const event = { eventId: id(1), eventType: 't', data: { a: 1 }, metadata: { of: 'event' } }
    expectStatus(await postBatch(send, 's', [event]), 201)
    expectStatus(await linkTo(send, 'links', 2, '0@s', { of: 'link' }), 201)
    const [body] = (await feed(send, '/streams/links?embed=body')).entries
    expect(body).toMatchObject({
      metaData: '{"of":"event"}',
      linkMetaData: '{"of":"link"}',
      isMetaData: true,
      isLinkMetaData: true,
      summary: '$>',
      eventType: 't',
    })
    const [pretty] = (await feed(send, '/streams/links?embed=pretty')).entries
    expect(pretty).toMatchObject({ linkMetaData: '{\n  "of": "link"\n}' })
    const [rich] = (await feed(send, '/streams/links?embed=rich')).entries
    expect(rich).toMatchObject({ isMetaData: false, isLinkMetaData: false })
    expect(rich).not.toHaveProperty('linkMetaData')
  }),
  signedInCase('atompub: links that lead nowhere are listed with their addresses', async (send) => {
    await fill(send, 'ended', 1)
    await fill(send, 'short', 1)
    await fill(send, 'cut', 2)
    expectStatus(await postMetadata(send, 'cut', { $tb: 1 }), 201)
    const targets = ['0@ended', '7@short', '0@none', '0@$ce-none', '0@cut']
    for (const [at, target] of targets.entries()) {
      expectStatus(await linkTo(send, 'links', at + 1, target), 201)
    }
    expectStatus(await remove(send, 'ended', { 'es-harddelete': 'true' }), 204)
    const { entries } = await feed(send, '/streams/links?embed=tryharder')
    expect(entries.map(({ title, summary, data }) => [title, summary, data])).toEqual([
      ['0@cut', '$>', undefined],
      ['0@$ce-none', '$>', undefined],
      ['0@none', '$>', undefined],
      ['7@short', '$>', undefined],
      ['0@ended', '$>', undefined],
    ])
    for (const n of [0, 1, 2, 3, 4]) expectStatus(await read(send, `/streams/links/${n}`), 404)
    const off = { 'es-resolvelinktos': 'false', accept: 'application/octet-stream' }
    expect((await read(send, '/streams/links/3', off)).body.toString()).toBe('0@$ce-none')
    const asLink = json(await read(send, '/streams/links/3', { ...off, accept: ATOM_JSON }))
    expect(asLink).toMatchObject({ title: '3@links', summary: '$>' })
    expectStatus(await read(send, '/streams/links/3', { 'es-resolvelinktos': 'x' }), 400)
  }),
  signedInCase(
    'atompub: text that is no link is an event, whatever its type says',
    async (send) => {
      expectStatus(await postEvent(send, 's', 1, { ...RAW, 'es-eventtype': '$>' }, 'nowhere'), 201)
      expect((await feed(send, '/streams/s?embed=tryharder')).entries).toMatchObject([
        { title: '0@s', eventType: '$>', data: 'nowhere' },
      ])
    },
  ),
  signedInCase('atompub: a feed in XML shows contents where it is asked to', async (send) => {
    const events = [
      { eventId: id(1), eventType: 'sold', data: { a: [1, 2] }, metadata: { m: 3 } },
      { eventId: id(2), eventType: 'text', data: 'no JSON' },
    ]
    expectStatus(await postBatch(send, 's-1', events), 201)
    const content =
      '<content type="application/xml"><eventStreamId xmlns="">s-1</eventStreamId><eventNumber xmlns="">0</eventNumber><eventType xmlns="">sold</eventType><data xmlns=""><a>1</a><a>2</a></data><metadata xmlns=""><m>3</m></metadata></content>'
    for (const accept of [ATOM, 'text/xml', 'application/xml']) {
      const body = await bodyOf(send, '/streams/s-1?embed=content', accept)
      const [, text, json] = body.split('<entry>')
      expect(text).toContain('<title>1@s-1</title>')
      expect(text).not.toContain('content')
      expect(json).toContain(`<summary>sold</summary><link href=`)
      expect(json).toContain(`rel="alternate" />${content}</entry></feed>`)
      const plain = await bodyOf(send, '/streams/s-1', accept)
      for (const level of ['none', 'rich', 'body', 'pretty', 'tryharder', 'x']) {
        expect(await bodyOf(send, `/streams/s-1?embed=${level}`, accept)).toBe(plain)
      }
    }
    expect(await bodyOf(send, '/streams/$ce-s?embed=content', ATOM)).not.toContain('<content')
  }),
  ...SCALARS.map(([data, shown, isJson]) =>
    signedInCase(`atompub: a batch with ${JSON.stringify(data)} as data`, async (send) => {
      expectStatus(await postBatch(send, 's', [{ eventId: id(1), eventType: 't', data }]), 201)
      const [entry] = (await feed(send, '/streams/s?embed=body')).entries
      expect([entry?.['isJson'], entry?.['data']]).toEqual([isJson, shown])
      const raw = await bodyOf(send, '/streams/s/0', 'application/octet-stream')
      expect(raw).toBe(shown ?? data)
    }),
  ),
  signedInCase('atompub: clients of several kinds find what they look for', async (send) => {
    const data = { sku: 'A1' }
    const events = [1, 2, 3].map((n) => ({
      eventId: id(n),
      eventType: 'sold',
      data,
      metadata: { n },
    }))
    expectStatus(await postBatch(send, 'shop-1', events), 201)
    // One goes by the second link of an entry to the event itself.
    const page = await feed(send, '/streams/shop-1/0/forward/2', { accept: ATOM_JSON })
    const event = json(
      await read(send, local(page.entries[0]?.links[1]?.uri), { accept: ATOM_JSON }),
    )
    expect(event).toMatchObject({ content: { data: { sku: 'A1' }, metadata: { n: 2 } } })
    // One takes everything from the page, as its header asks, with the name of the leader that is no name.
    const rich = await feed(send, '/streams/$ce-shop/0/forward/5?embed=tryharder', {
      accept: ATOM_JSON,
      'es-requiresmaster': 'True',
      'es-resolvelinktos': 'true',
    })
    expect(rich.entries[1]).toMatchObject({
      data: '{\n  "sku": "A1"\n}',
      metaData: '{\n  "n": 2\n}',
      positionEventNumber: 1,
      positionStreamId: '$ce-shop',
      streamId: 'shop-1',
    })
    // One begins with the oldest page of the head, and follows the newer ones to the end.
    const head = await feed(send, '/streams/shop-1/head/backward/2?embed=body')
    const last = head.links.find(({ relation }) => relation === 'last')?.uri
    expect(local(last)).toBe('/streams/shop-1/0/forward/2')
    const seen: unknown[] = []
    for (let next: string | undefined = last; next !== undefined; ) {
      const { entries, links } = await feed(send, `${local(next)}?embed=body`)
      seen.push(...entries.map(({ positionEventNumber }) => positionEventNumber).reverse())
      next = links.find(({ relation }) => relation === 'previous')?.uri
    }
    expect(seen).toEqual([0, 1, 2])
  }),
  signedInCase('atompub: media types go by a newer name as well', async (send) => {
    const newer = (type: string) => type.replace('eventstore', 'kurrent')
    const xml = `<E><e><EventId>${id(1)}</EventId><EventType>t</EventType><Data>{"a":1}</Data></e></E>`
    const posted = await ask(
      send,
      'POST',
      '/streams/s',
      { 'content-type': newer(EVENTS_XML), accept: newer(ATOM_JSON) },
      xml,
    )
    expectStatus(posted, 201)
    for (const [path, type] of [
      ['/streams/s', newer(ATOM_JSON)],
      ['/streams/s/0', newer(EVENT_JSON)],
      ['/streams/s', newer('application/vnd.eventstore.streamdesc+json')],
    ] as const) {
      const answer = await read(send, path, { accept: type })
      expect([answer.status, answer.headers['content-type']]).toEqual([
        200,
        `${type}; charset=utf-8`,
      ])
    }
    const page = await read(send, '/streams/s', { accept: newer(ATOM_JSON) })
    const tag = page.headers['etag'] ?? ''
    expect(tag).toMatch(/^"0;-?\d+"$/)
    const known = { accept: newer(ATOM_JSON), 'if-none-match': tag }
    expectEmpty(await read(send, '/streams/s', known), 304, 'Not Modified')
    expectStatus(await read(send, '/streams/s', { ...known, accept: ATOM_JSON }), 200)
  }),
]
