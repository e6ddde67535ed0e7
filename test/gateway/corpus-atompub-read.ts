/** Cases about reading streams of the AtomPub API: pages, links, caching, embedding, single events. */
import { expect } from 'vitest'
import {
  ATOM,
  ATOM_JSON,
  ask,
  expectBad,
  expectEmpty,
  expectStatus,
  feed,
  fill,
  id,
  local,
  pagesOf,
  postBatch,
  postEvent,
  postMetadata,
  read,
  remove,
  titles,
} from './atompub-request.ts'
import {
  type CorpusAnswer,
  type CorpusCase,
  json,
  type Send,
  serverCase,
  signedInCase,
} from './corpus-request.ts'

/** `24…5` as titles, newest first. */
const span = (newest: number, oldest: number, stream = 's'): string[] =>
  Array.from({ length: newest - oldest + 1 }, (_, at) => `${newest - at}@${stream}`)

const OLDER = (count: number, next: number) => ({
  last: `/0/forward/${count}`,
  next: `/${next}/backward/${count}`,
})
const NEWER = (count: number, previous: number) => ({ previous: `/${previous}/forward/${count}` })

/** Pages of a stream of 25 events: entries, links besides self, first and metadata, whether it is the head. */
const VECTORS: readonly (readonly [string, readonly string[], Record<string, string>, boolean])[] =
  [
    ['', span(24, 5), { ...OLDER(20, 4), ...NEWER(20, 25) }, true],
    ['/head/20', span(24, 5), { ...OLDER(20, 4), ...NEWER(20, 25) }, true],
    ['/head/backward/20', span(24, 5), { ...OLDER(20, 4), ...NEWER(20, 25) }, true],
    ['/4/backward/20', span(4, 0), NEWER(20, 5), false],
    ['/4/20', span(4, 0), NEWER(20, 5), false],
    ['/24/backward/20', span(24, 5), { ...OLDER(20, 4), ...NEWER(20, 25) }, false],
    ['/19/backward/20', span(19, 0), NEWER(20, 20), false],
    ['/30/backward/20', span(24, 11), { ...OLDER(20, 10), ...NEWER(20, 25) }, false],
    ['/50/backward/20', [], { ...OLDER(20, 30), ...NEWER(20, 25) }, false],
    ['/0/forward/20', span(19, 0), NEWER(20, 20), false],
    ['/20/forward/20', span(24, 20), { ...OLDER(20, 19), ...NEWER(20, 25) }, true],
    ['/25/forward/20', [], OLDER(20, 24), true],
    ['/5/forward/20', span(24, 5), { ...OLDER(20, 4), ...NEWER(20, 25) }, true],
    ['/4/forward/20', span(23, 4), { ...OLDER(20, 3), ...NEWER(20, 24) }, false],
    ['/0/forward/25', span(24, 0), NEWER(25, 25), true],
    ['/head/backward/25', span(24, 0), NEWER(25, 25), true],
  ]

const BAD_PAGES: readonly (readonly [string, string])[] = [
  ['/x/backward/20', "'x' is not valid event number"],
  ['/-1/backward/20', "'-1' is not valid event number"],
  ['/head/forward/20', "'head' is not valid event number"],
  ['/1.5/forward/20', "'1.5' is not valid event number"],
  ['/0/forward/0', "'0' is not valid count. Should be positive integer"],
  ['/0/forward/x', "'x' is not valid count. Should be positive integer"],
  ['/head/backward/-5', "'-5' is not valid count. Should be positive integer"],
  ['/head/x', "'x' is not valid count. Should be positive integer"],
  ['/x/20', "'x' is not valid event number"],
  ['/99999999999999999999/backward/5', "'99999999999999999999' is not valid event number"],
  ['/0/forward/-1', "'-1' is not valid count. Should be positive integer"],
  ['/0/forward/1.5', "'1.5' is not valid count. Should be positive integer"],
  ['/metadata/x/5', "'x' is not valid event number"],
  ['/metadata/head/forward/5', "'head' is not valid event number"],
  ['/metadata/0/backward/0', "'0' is not valid count. Should be positive integer"],
  ['/head/backward/4097', "'4097' is not valid count. Should be positive integer"],
]

const ONE_YEAR = 'max-age=31536000, private'
const NO_CACHE = 'max-age=0, no-cache, must-revalidate'

/** Pages of a stream of 5 events: how long they may be kept, and whether they have a tag. */
const CACHING: readonly (readonly [string, string, boolean])[] = [
  ['', NO_CACHE, true],
  ['/head/backward/2', NO_CACHE, true],
  ['/4/backward/2', ONE_YEAR, false],
  ['/0/backward/20', ONE_YEAR, false],
  ['/5/backward/2', NO_CACHE, true],
  ['/0/forward/5', ONE_YEAR, false],
  ['/0/forward/6', NO_CACHE, true],
  ['/5/forward/20', NO_CACHE, true],
  ['/3', ONE_YEAR, false],
  ['/head', NO_CACHE, true],
]

const TAGS: readonly (readonly [string, string])[] = [
  [ATOM_JSON, '"4;248368668"'],
  [ATOM, '"4;-1296467268"'],
  ['application/json', '"4;-43840953"'],
  ['text/xml', '"4;-1004727243"'],
  ['application/xml', '"4;-1248326952"'],
]

const RICH = {
  eventId: id(1),
  eventType: 'sold',
  eventNumber: 0,
  streamId: 's-1',
  isJson: true,
  positionEventNumber: 0,
  positionStreamId: 's-1',
}
const FLAGS = { isMetaData: true, isLinkMetaData: false }
const NO_FLAGS = { isMetaData: false, isLinkMetaData: false }
const PRETTY = { data: '{\n  "a": 1\n}', metaData: '{\n  "m": 2\n}' }

/** What each level of `embed` adds to the entry of an event with data and metadata. */
const EMBEDDED: readonly (readonly [string, Record<string, unknown>])[] = [
  ['', {}],
  ['?embed=none', {}],
  ['?embed=nonsense', {}],
  ['?embed=rich', { ...RICH, ...NO_FLAGS }],
  ['?embed=RICH', { ...RICH, ...NO_FLAGS }],
  ['?embed=body', { ...RICH, ...FLAGS, data: '{"a":1}', metaData: '{"m":2}' }],
  ['?embed=pretty', { ...RICH, ...FLAGS, ...PRETTY }],
  ['?embed=PrettyBody', { ...RICH, ...FLAGS, ...PRETTY }],
  ['?embed=tryharder', { ...RICH, ...FLAGS, ...PRETTY }],
  [
    '?embed=content',
    {
      content: {
        eventStreamId: 's-1',
        eventNumber: 0,
        eventType: 'sold',
        data: { a: 1 },
        metadata: { m: 2 },
      },
    },
  ],
]

const SOLD = { eventId: id(1), eventType: 'sold', data: { a: 1 }, metadata: { m: 2 } }
const ENTRY_KEYS = ['title', 'id', 'updated', 'author', 'summary', 'links']

const XML = '<?xml version="1.0" encoding="utf-8"?>'
const SEVEN = {
  eventStreamId: 's-1',
  eventNumber: 0,
  eventType: 'sold',
  eventId: id(1),
  data: { a: 1 },
  metadata: { m: 2 },
}
/** One event in every form: the type that is asked for, the one that comes, and the body. */
const EVENT_FORMS: readonly (readonly [string, string, (body: string) => void])[] = [
  [
    'application/json',
    'application/json; charset=utf-8',
    (body) => expect(body).toBe('{\n  "a": 1\n}'),
  ],
  [
    'text/xml',
    'text/xml; charset=utf-8',
    (body) => expect(body).toBe(`${XML}<data><a>1</a></data>`),
  ],
  [
    'application/xml',
    'application/xml; charset=utf-8',
    (body) => expect(body).toBe(`${XML}<data><a>1</a></data>`),
  ],
  ['application/octet-stream', 'application/octet-stream', (body) => expect(body).toBe('{"a":1}')],
  [
    'application/vnd.eventstore.event+json',
    'application/vnd.eventstore.event+json; charset=utf-8',
    (body) => expect(body).toBe(JSON.stringify(SEVEN, null, 2)),
  ],
  [
    'application/vnd.eventstore.event+xml',
    'application/vnd.eventstore.event+xml; charset=utf-8',
    (body) =>
      expect(body).toBe(
        `${XML}<event><eventStreamId>s-1</eventStreamId><eventNumber>0</eventNumber><eventType>sold</eventType><eventId>${id(1)}</eventId><data><a>1</a></data><metadata><m>2</m></metadata></event>`,
      ),
  ],
  [
    '*/*',
    'application/atom+xml; charset=utf-8',
    (body) =>
      expect(body).toContain(
        '<atom:content type="application/xml"><eventStreamId>s-1</eventStreamId><eventNumber>0</eventNumber><eventType>sold</eventType><data><a>1</a></data><metadata><m>2</m></metadata></atom:content></atom:entry>',
      ),
  ],
  [
    ATOM_JSON,
    `${ATOM_JSON}; charset=utf-8`,
    (body) => {
      const entry = JSON.parse(body) as Record<string, unknown>
      expect(Object.keys(entry)).toEqual([
        'title',
        'id',
        'updated',
        'author',
        'summary',
        'content',
        'links',
      ])
      expect(Object.keys(entry['content'] as object)).toEqual([
        'eventStreamId',
        'eventNumber',
        'eventType',
        'data',
        'metadata',
      ])
    },
  ],
  ['text/html', 'text/html; charset=utf-8', (body) => expect(body).toContain('<h1>0@s-1</h1>')],
]

const keysOf = (value: unknown): string[] => Object.keys(value as object)

/** The first entry of a feed without what every entry has. */
async function added(send: Send, target: string): Promise<Record<string, unknown>> {
  const { entries } = await feed(send, target)
  const more = Object.entries(entries[0] ?? {}).filter(([key]) => !ENTRY_KEYS.includes(key))
  return Object.fromEntries(more)
}

const tagOf = ({ headers }: CorpusAnswer): string | undefined => headers['etag']

export const ATOMPUB_READ_CASES: readonly CorpusCase[] = [
  signedInCase('atompub: pages of a stream link to their neighbours', async (send) => {
    await fill(send, 's', 25)
    for (const [path, entries, links, isHead] of VECTORS) {
      const page = await feed(send, `/streams/s${path}`)
      const count = /\d+$/.exec(path)?.[0] ?? '20'
      const common = { self: '', first: `/head/backward/${count}`, metadata: '/metadata' }
      expect([path, page.entries.map(({ title }) => title)]).toEqual([path, entries])
      expect([path, pagesOf(page)]).toEqual([path, { ...common, ...links }])
      expect([path, page.headOfStream]).toEqual([path, isHead])
      const order = ['self', 'first', 'last', 'next', 'previous', 'metadata']
      const relations = page.links.map(({ relation }) => relation)
      expect(relations).toEqual(order.filter((relation) => relations.includes(relation)))
    }
  }),
  signedInCase('atompub: a stream of one page has no older one', async (send) => {
    await fill(send, 's', 20)
    expect(pagesOf(await feed(send, '/streams/s'))).toEqual({
      self: '',
      first: '/head/backward/20',
      previous: '/20/forward/20',
      metadata: '/metadata',
    })
  }),
  serverCase('atompub: a feed has its members in their order', async (send) => {
    await postBatch(send, 's-1', [SOLD])
    const page = await feed(send, '/streams/s-1')
    expect(keysOf(page)).toEqual([
      ...[
        'title',
        'id',
        'updated',
        'streamId',
        'author',
        'headOfStream',
        'selfUrl',
        'eTag',
        'links',
        'entries',
      ],
    ])
    expect(page).toMatchObject({
      title: "Event stream 's-1'",
      updated: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?Z$/),
      streamId: 's-1',
      author: { name: 'EventStore' },
      selfUrl: page.id,
      eTag: '0;-43840953',
    })
    expect(local(page.id)).toBe('/streams/s-1')
    const [entry] = page.entries
    expect(keysOf(entry)).toEqual(ENTRY_KEYS)
    expect(entry).toMatchObject({
      title: '0@s-1',
      id: `${page.id}/0`,
      updated: page.updated,
      summary: 'sold',
      links: [
        { uri: `${page.id}/0`, relation: 'edit' },
        { uri: `${page.id}/0`, relation: 'alternate' },
      ],
    })
    const forward = await feed(send, '/streams/s-1/0/forward/1')
    expect(keysOf(forward)).toEqual([
      ...['title', 'id', 'updated', 'streamId', 'author', 'headOfStream', 'links', 'entries'],
    ])
    const numbered = await feed(send, '/streams/s-1/0/backward/1')
    expect([numbered.selfUrl, numbered.eTag]).toEqual([numbered.id, undefined])
    expect((await feed(send, '/streams/s-1/1/forward/1')).updated).toBe('0001-01-01T00:00:00Z')
  }),
  ...BAD_PAGES.map(([path, text]) =>
    signedInCase(`atompub: the page ${path} is refused`, async (send) => {
      const answer = await read(send, `/streams/s${path}`)
      expectBad(answer, text)
    }),
  ),

  signedInCase('atompub: pages that cannot change may be kept for a year', async (send) => {
    await fill(send, 's', 5)
    for (const [path, caching, hasTag] of CACHING) {
      const answer = await read(send, `/streams/s${path}`)
      expect([path, answer.headers['cache-control'], tagOf(answer)]).toEqual([
        path,
        caching,
        hasTag ? '"4;-43840953"' : undefined,
      ])
      expect(answer.headers['vary']).toContain('Accept')
    }
  }),
  serverCase('atompub: a reader who has the page is told so', async (send) => {
    await fill(send, 's', 5)
    for (const [accept, tag] of TAGS) {
      for (const path of ['', '/head/backward/2', '/5/backward/2', '/0/forward/6']) {
        const page = await read(send, `/streams/s${path}`, { accept })
        expect([path, tagOf(page)]).toEqual([path, tag])
        const again = await read(send, `/streams/s${path}`, { accept, 'if-none-match': tag })
        expectEmpty(again, 304, 'Not Modified')
        expect([tagOf(again), again.headers['cache-control']]).toEqual([tag, NO_CACHE])
      }
    }
    const other = await read(send, '/streams/s', { 'if-none-match': '"4;248368668"' })
    expectStatus(other, 200)
    await postEvent(send, 's', 1)
    const newer = await read(send, '/streams/s', { 'if-none-match': '"4;-43840953"' })
    expect([newer.status, tagOf(newer)]).toEqual([200, '"5;-43840953"'])
  }),
  signedInCase('atompub: metadata says how long the head may be kept', async (send) => {
    await fill(send, 's', 5)
    expectStatus(await postMetadata(send, 's', { $cacheControl: 12 }), 201)
    for (const path of ['', '/5/forward/2', '/head']) {
      const answer = await read(send, `/streams/s${path}`)
      expect(answer.headers['cache-control']).toBe('max-age=12, private')
      expect(tagOf(answer)).toBe('"4;-43840953"')
    }
    const fixed = await read(send, '/streams/s/0/forward/5')
    expect(fixed.headers['cache-control']).toBe(ONE_YEAR)
  }),

  serverCase('atompub: a reader who waits gets the event when it comes', async (send) => {
    await fill(send, 's', 1)
    const waiting = read(send, '/streams/s/1/forward/20', { 'es-longpoll': '4' })
    await postEvent(send, 's', 1)
    const answer = await waiting
    expectStatus(answer, 200)
    expect((json(answer) as { entries: unknown[] }).entries).toMatchObject([{ title: '1@s' }])
  }),
  signedInCase('atompub: a reader may wait for a stream that is not there', async (send) => {
    const waiting = read(send, '/streams/s/0/forward/20', { 'es-longpoll': '4' })
    await postEvent(send, 's', 1)
    expectStatus(await waiting, 200)
  }),
  signedInCase('atompub: a reader who waited for nothing gets what there is', async (send) => {
    const wait = { 'es-longpoll': '1' }
    expectEmpty(await read(send, '/streams/s/0/forward/20', wait), 404, 'Not Found')
    await fill(send, 's', 1)
    const empty = await read(send, '/streams/s/1/forward/20', wait)
    expect([empty.status, (json(empty) as { entries: unknown[] }).entries]).toEqual([200, []])
    const known = { ...wait, 'if-none-match': '"0;-43840953"' }
    expectEmpty(await read(send, '/streams/s/1/forward/20', known), 304, 'Not Modified')
    for (const text of ['0', '-1', 'x', '1.5']) {
      const wrong = await read(send, '/streams/s/1/forward/20', { 'es-longpoll': text })
      expectBad(wrong, 'ES-LongPoll header has wrong format.')
    }
    expectStatus(await read(send, '/streams/s', { 'es-longpoll': '60' }), 200)
    expectStatus(await read(send, '/streams/s/0/forward/20', { 'es-longpoll': '10' }), 200)
  }),

  signedInCase('atompub: a stream that is not there is 404', async (send) => {
    for (const path of ['', '/head/backward/1', '/0/forward/1']) {
      const answer = await read(send, `/streams/s${path}`)
      expectEmpty(answer, 404, 'Not Found')
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
    }
    await postMetadata(send, 's', { a: 1 })
    expectEmpty(await read(send, '/streams/s'), 404, 'Not Found')
  }),
  signedInCase('atompub: events are hidden by count and by truncation', async (send) => {
    await fill(send, 's', 10)
    const shown = async (document: unknown, path: string) => {
      expectStatus(await postMetadata(send, 's', document), 201)
      return titles(send, `/streams/s${path}`)
    }
    expect(await shown({ $maxCount: 3 }, '')).toEqual(span(9, 7))
    expect(await shown({ $tb: 6 }, '')).toEqual(span(9, 6))
    expect(await shown({ $tb: 6, $maxCount: 2 }, '')).toEqual(span(9, 8))
    expect(await shown({ $tb: 0, $maxCount: -1 }, '')).toEqual(span(9, 0))
    expect(await shown({ $maxCount: 'x', $tb: 6 }, '')).toEqual(span(9, 0))
    expect(await shown({ $tb: 6 }, '/4/forward/4')).toEqual(span(7, 6))
    const page = await feed(send, '/streams/s/head/backward/3')
    expect(pagesOf(page)).toMatchObject(OLDER(3, 6))
  }),
  signedInCase('atompub: pages of hidden events are empty and lead on', async (send) => {
    await fill(send, 's', 10)
    await postMetadata(send, 's', { $tb: 6 })
    const hidden = await feed(send, '/streams/s/0/forward/3')
    expect([hidden.entries, hidden.headOfStream]).toEqual([[], false])
    expect(pagesOf(hidden)).toMatchObject(NEWER(3, 3))
    const backward = await feed(send, '/streams/s/7/backward/5')
    expect(backward.entries.map(({ title }) => title)).toEqual(span(7, 6))
    expect(pagesOf(backward)).toEqual({
      self: '',
      first: '/head/backward/5',
      previous: '/8/forward/5',
      metadata: '/metadata',
    })
    expectStatus(await read(send, '/streams/s/5'), 404)
    expectStatus(await read(send, '/streams/s/6'), 200)
  }),

  ...EMBEDDED.map(([query, members]) =>
    signedInCase(`atompub: an entry with "${query}"`, async (send) => {
      await postBatch(send, 's-1', [SOLD])
      expect(await added(send, `/streams/s-1${query}`)).toEqual(members)
    }),
  ),
  signedInCase('atompub: embedded members come first and in their order', async (send) => {
    await postBatch(send, 's-1', [SOLD])
    const own = await feed(send, '/streams/s-1?embed=body')
    expect(keysOf(own.entries[0])).toEqual([
      ...[
        'eventId',
        'eventType',
        'eventNumber',
        'data',
        'metaData',
        'streamId',
        'isJson',
        'isMetaData',
      ],
      ...['isLinkMetaData', 'positionEventNumber', 'positionStreamId', ...ENTRY_KEYS],
    ])
    const linked = await feed(send, '/streams/$ce-s?embed=body')
    expect(keysOf(linked.entries[0]).slice(3, 7)).toEqual([
      'data',
      'metaData',
      'linkMetaData',
      'streamId',
    ])
    const content = await feed(send, '/streams/s-1?embed=content')
    expect(keysOf(content.entries[0])).toEqual([...ENTRY_KEYS.slice(0, 5), 'content', 'links'])
  }),
  signedInCase(
    'atompub: bodies that are no JSON are shown to those who try harder',
    async (send) => {
      const raw = { 'content-type': 'application/octet-stream' }
      await postEvent(send, 's', 1, raw, 'plain')
      await postEvent(send, 's', 2, raw, '{"a":1}')
      const shown = async (embed: string) => {
        const { entries } = await feed(send, `/streams/s?embed=${embed}`)
        return entries.map(({ isJson, data }) => [isJson, data])
      }
      expect(await shown('body')).toEqual([
        [false, undefined],
        [false, undefined],
      ])
      expect(await shown('tryharder')).toEqual([
        [true, '{\n  "a": 1\n}'],
        [false, 'plain'],
      ])
      expect(await added(send, '/streams/s?embed=content')).toEqual({})
    },
  ),

  ...EVENT_FORMS.map(([accept, type, check]) =>
    signedInCase(`atompub: one event as ${accept}`, async (send) => {
      await postBatch(send, 's-1', [SOLD])
      const answer = await read(send, '/streams/s-1/0', { accept })
      expectStatus(answer, 200)
      expect(answer.headers['content-type']).toBe(type)
      check(answer.body.toString())
    }),
  ),
  signedInCase('atompub: an event with nothing in it, in every form', async (send) => {
    await postBatch(send, 's', [{ eventId: id(1), eventType: 't' }])
    const shown = async (accept: string) =>
      (await read(send, '/streams/s/0', { accept })).body.toString()
    expect(await shown('application/json')).toBe('')
    expect(await shown('text/xml')).toBe(`${XML}<data />`)
    expect(await shown('application/octet-stream')).toBe('')
    expect(JSON.parse(await shown(ATOM_JSON))).not.toHaveProperty('content')
    expect(await shown(ATOM)).not.toContain('content')
  }),
  signedInCase('atompub: JSON becomes XML whatever its names are', async (send) => {
    const data = { 'a b': 1, '1x': [true, null, { y: '<&>"' }], '@id': 7, '': 'e', 'ö:k': '\u0001' }
    await postBatch(send, 's', [{ eventId: id(1), eventType: 't', data }])
    const answer = await read(send, '/streams/s/0', { accept: 'text/xml' })
    expect(answer.body.toString()).toBe(
      `${XML}<data id="7"><a_x0020_b>1</a_x0020_b><_x0031_x>true</_x0031_x><_x0031_x /><_x0031_x><y>&lt;&amp;&gt;"</y></_x0031_x><_>e</_><ö_x003A_k>\ufffd</ö_x003A_k></data>`,
    )
  }),
  signedInCase(
    'atompub: an event that is not there is 404, with a body for readers of JSON',
    async (send) => {
      await fill(send, 's', 1)
      for (const path of ['/streams/s/7', '/streams/none/0', '/streams/none/head']) {
        for (const [accept, body] of [
          ['application/json', '{}'],
          [ATOM_JSON, '{}'],
          ['application/vnd.eventstore.event+json', '{}'],
          ['application/vnd.eventstore.event+xml', ''],
          ['application/octet-stream', ''],
          ['text/xml', ''],
          [ATOM, ''],
        ] as const) {
          const answer = await read(send, path, { accept })
          expect([answer.status, answer.reason, answer.body.toString()]).toEqual([
            404,
            'Not Found',
            body,
          ])
          expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
          expect(answer.headers['cache-control']).toBe('no-store')
        }
      }
      for (const number of ['-1', 'x', '1.5'])
        expectBad(await read(send, `/streams/s/${number}`), number)
    },
  ),
  signedInCase(
    'atompub: the newest event has a tag, but no condition holds for it',
    async (send) => {
      await fill(send, 's', 2)
      const answer = await read(send, '/streams/s/head', { 'if-none-match': '"1;-43840953"' })
      expect([answer.status, tagOf(answer), answer.body.toString()]).toEqual([
        200,
        '"1;-43840953"',
        '{\n  "n": 1\n}',
      ])
    },
  ),

  signedInCase('atompub: a link leads to its event', async (send) => {
    await fill(send, 'a-1', 2)
    const [entry] = (await feed(send, '/streams/$ce-a/1/backward/1?embed=body')).entries
    expect(entry).toMatchObject({
      eventId: id(1001),
      eventType: 't',
      eventNumber: 1,
      data: '{"n":1}',
      linkMetaData: '',
      streamId: 'a-1',
      positionEventNumber: 1,
      positionStreamId: '$ce-a',
      title: '1@a-1',
      summary: '$>',
    })
    expect(local(entry?.id)).toBe('/streams/a-1/1')
    const content = await feed(send, '/streams/$ce-a?embed=content')
    expect(content.entries[0]).not.toHaveProperty('content')
    const one = json(await read(send, '/streams/$ce-a/1', { accept: ATOM_JSON }))
    expect(one).toMatchObject({ title: '1@a-1', summary: '$>' })
    expect(one).not.toHaveProperty('content')
    expect(json(await read(send, '/streams/$ce-a/1'))).toEqual({ n: 1 })
  }),
  signedInCase('atompub: a link that is not followed is an event of its own', async (send) => {
    await fill(send, 'a-1', 2)
    const off = { 'es-resolvelinktos': 'False' }
    const { entries } = await feed(send, '/streams/$ce-a?embed=body', off)
    expect(entries[0]).toMatchObject({
      eventType: '$>',
      eventNumber: 1,
      streamId: '$ce-a',
      isJson: false,
      title: '1@$ce-a',
      summary: '$>',
    })
    expect(entries[0]).not.toHaveProperty('data')
    expect(local(entries[0]?.id)).toBe('/streams/%24ce-a/1')
    const one = await read(send, '/streams/$ce-a/1', { ...off, accept: 'application/octet-stream' })
    expect(one.body.toString()).toBe('1@a-1')
    expectBad(await read(send, '/streams/$ce-a', { 'es-resolvelinktos': 'x' }), /ES-ResolveLinkTos/)
    const other = await feed(send, '/streams/$ce-a', { 'es-resolvelinkto': 'false' })
    expect(other.entries[0]?.title).toBe('1@$ce-a')
  }),
  signedInCase('atompub: a link to nothing is listed, and leads nowhere', async (send) => {
    await fill(send, 'gone-1', 1)
    const link = { 'content-type': 'application/octet-stream', 'es-eventtype': '$>' }
    await postEvent(send, 'links', 1, link, '0@gone-1')
    await postEvent(send, 'links', 2, link, '5@a@b')
    expect(await titles(send, '/streams/links')).toEqual(['5@a@b', '0@gone-1'])
    expect((await feed(send, '/streams/links?embed=body')).entries[1]).toMatchObject({
      data: '{"n":0}',
    })
    expectStatus(await remove(send, 'gone-1'), 204)
    const { entries } = await feed(send, '/streams/links?embed=body')
    expect(entries.map(({ title, eventId }) => [title, eventId])).toEqual([
      ['5@a@b', undefined],
      ['0@gone-1', undefined],
    ])
    expectStatus(await read(send, '/streams/gone-1/0'), 404)
    expectStatus(await read(send, '/streams/links/0'), 404)
    expectStatus(await read(send, '/streams/links/0', { 'es-resolvelinktos': 'false' }), 200)
  }),

  signedInCase(
    'atompub: a stream says what it is offered as, also where there is none',
    async (send) => {
      const accept = 'application/vnd.eventstore.streamdesc+json'
      const answer = await read(send, '/streams/orders', { accept })
      expectStatus(answer, 200)
      expect(answer.headers['content-type']).toBe(`${accept}; charset=utf-8`)
      expect(json(answer)).toEqual({
        title: "Description document for 'orders'",
        description: expect.any(String),
        _links: {
          self: { href: '/streams/orders', supportedContentTypes: [accept] },
          stream: { href: '/streams/orders', supportedContentTypes: [ATOM, ATOM_JSON] },
        },
      })
    },
  ),
  signedInCase('atompub: every address of a feed has the description', async (send) => {
    const accept = 'application/vnd.eventstore.streamdesc+json'
    for (const [path, stream] of [
      ['/streams/s/head/backward/5', 's'],
      ['/streams/s/0/forward/5', 's'],
      ['/streams/s/x/backward/y', 's'],
      ['/streams/$scavenges', '$scavenges'],
      ['/streams/$all', '$all'],
    ] as const) {
      const answer = await read(send, path, { accept })
      expect([path, answer.status, json(answer)]).toMatchObject([
        path,
        200,
        { title: `Description document for '${stream}'` },
      ])
    }
  }),
  signedInCase('atompub: a feed in XML says the same as in JSON', async (send) => {
    await postBatch(send, 's-1', [{ ...SOLD, eventType: 'a<b&"c' }])
    const page = await feed(send, '/streams/s-1')
    const [entry] = page.entries
    const answer = await read(send, '/streams/s-1?embed=body', { accept: ATOM })
    expect(answer.headers['content-type']).toBe(`${ATOM}; charset=utf-8`)
    const links = page.links
      .map(({ uri, relation }) => `<link href="${uri}" rel="${relation}" />`)
      .join('')
    expect(answer.body.toString()).toBe(
      `${XML}<feed xmlns="http://www.w3.org/2005/Atom"><title>Event stream 's-1'</title><id>${page.id}</id><updated>${page.updated}</updated><author><name>EventStore</name></author>${links}<entry><title>0@s-1</title><id>${page.id}/0</id><updated>${entry?.['updated']}</updated><author><name>EventStore</name></author><summary>a&lt;b&amp;"c</summary><link href="${page.id}/0" rel="edit" /><link href="${page.id}/0" rel="alternate" /></entry></feed>`,
    )
  }),
  signedInCase('atompub: what an event holds cannot run in a browser', async (send) => {
    const data = { '@xmlns': 'http://www.w3.org/1999/xhtml', script: 'alert(1)' }
    await postBatch(send, 's', [{ eventId: id(1), eventType: 't', data }])
    for (const path of [
      '/streams/s/0?format=xml',
      '/streams/s/0?format=atom',
      '/streams/s?format=xml',
    ]) {
      const answer = await read(send, path)
      expect(answer.headers['content-type']).toContain('xml')
      expect(answer.headers['content-security-policy']).toBe("default-src 'none'; sandbox")
    }
  }),
  signedInCase('atompub: pages for people run and load nothing', async (send) => {
    await postBatch(send, 's', [{ eventId: id(1), eventType: '<b>', data: { x: '<script>' } }])
    for (const path of ['/streams/s', '/streams/s/0', '/streams/$all']) {
      const answer = await ask(send, 'GET', path, {
        accept: 'text/html,application/xml;q=0.9,*/*;q=0.8',
      })
      expectStatus(answer, 200)
      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
      expect(answer.headers['content-security-policy']).toContain("default-src 'none'")
      const page = answer.body.toString()
      expect(page).toContain('&lt;script&gt;')
      expect(page).not.toMatch(/<script|<b>|<img|<link/)
    }
  }),
]
