/** Cases about streams of the AtomPub API as a whole: metadata, access, deletion, and views of the log. */
import { expect } from 'vitest'
import {
  ATOM,
  ATOM_JSON,
  account,
  ask,
  EVENTS_JSON,
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
  basic,
  type CorpusAnswer,
  type CorpusCase,
  json,
  type Send,
  serverCase,
  signedIn,
  signedInCase,
} from './corpus-request.ts'

const document = async (send: Send, stream: string): Promise<unknown> => {
  const answer = await read(send, `/streams/${stream}/metadata`)
  expectStatus(answer, 200)
  return json(answer)
}

const INCOMING = { 'content-type': 'application/json', 'es-eventtype': 't' }
const hard = { 'es-harddelete': 'true' }

const expectChallenge = (answer: CorpusAnswer): void => {
  expectEmpty(answer, 401, 'Unauthorized')
  expect(answer.headers['www-authenticate']).toBe('Basic realm="ES"')
}

/** What is no metadata document: each would hide events, name a time or close the stream. */
const MALFORMED: readonly string[] = [
  '{"$maxCount":1',
  '[{"$maxCount":1}]',
  'null',
  '{"$maxCount":"1","$tb":2}',
  '{"$tb":1.5,"$cacheControl":9}',
  '{"$maxAge":true,"$maxCount":1}',
  '{"$acl":"$admins","$tb":2}',
  '{"$acl":{"$r":7},"$tb":2}',
  '{"$maxCount":0,"$tb":-1,"$maxAge":0,"$cacheControl":0}',
]

/** What is done to stream `s`, by the role that its list asks for. */
const OPERATIONS: readonly (readonly [string, (send: Send) => Promise<CorpusAnswer>, number])[] = [
  ['$r', (send) => read(send, '/streams/s'), 200],
  ['$r', (send) => read(send, '/streams/s/0'), 200],
  ['$w', (send) => postEvent(send, 's', 1), 201],
  ['$mr', (send) => read(send, '/streams/s/metadata'), 200],
  ['$mr', (send) => read(send, '/streams/$$s'), 200],
  ['$mw', (send) => postMetadata(send, 's', {}), 201],
  ['$mw', (send) => postEvent(send, '$$s', 7, { 'es-eventtype': '$metadata' }), 201],
  ['$r', (send) => read(send, '/streams/s/0/forward/5'), 200],
  ['$r', (send) => read(send, '/streams/s/head/backward/5'), 200],
  ['$mr', (send) => read(send, '/streams/s/metadata/head/backward/5'), 200],
  ['$w', (send) => postBatch(send, 's', [{ eventId: id(1), eventType: 't' }]), 201],
  ['$w', (send) => ask(send, 'POST', `/streams/s/incoming/${id(1)}`, INCOMING, '1'), 201],
  ['$d', (send) => remove(send, 's'), 204],
]

const positionOf = (position: number): string => {
  const half = position.toString(16).toUpperCase().padStart(16, '0')
  return half + half
}

/** Titles of all pages that are reached by a relation, from an address on. */
async function follow(send: Send, from: string, relation: string): Promise<string[][]> {
  const pages: string[][] = []
  let next: string | undefined = from
  while (next !== undefined) {
    const page = await feed(send, next)
    if (page.entries.length > 0) pages.push(page.entries.map(({ title }) => title))
    const link = page.links.find((one) => one.relation === relation)
    next = link && local(link.uri)
    if (page.entries.length === 0) break
  }
  return pages
}

export const ATOMPUB_STREAM_CASES: readonly CorpusCase[] = [
  signedInCase('atompub: metadata is the newest event of its own stream', async (send) => {
    await fill(send, 's', 1)
    const first = await postMetadata(send, 's', { $maxCount: 5, mine: [1] })
    expectEmpty(first, 201, 'Created')
    expect(local(first.headers['location'])).toBe('/streams/%24%24s/0')
    const second = await postMetadata(send, 's', { mine: 2 }, { 'es-expectedversion': '0' })
    expect(local(second.headers['location'])).toBe('/streams/%24%24s/1')
    const stale = await postMetadata(send, 's', { mine: 3 }, { 'es-expectedversion': '0' })
    expectEmpty(stale, 400, 'Wrong expected EventNumber')
    expect(await document(send, 's')).toEqual({ mine: 2 })
    expect(await titles(send, '/streams/$$s')).toEqual(['1@$$s'])
    expect(await titles(send, '/streams/s/metadata/head/backward/5')).toEqual(['1@$$s'])
    expectStatus(await read(send, '/streams/s/metadata/0'), 404)
    expect(json(await read(send, '/streams/s/metadata/1'))).toEqual({ mine: 2 })
  }),
  signedInCase('atompub: metadata is read in every form, under a tag', async (send) => {
    await fill(send, 's', 1)
    await postMetadata(send, 's', { a: 1 })
    const answer = await read(send, '/streams/s/metadata', { accept: ATOM_JSON })
    expect(answer.headers).toMatchObject({
      etag: '"0;248368668"',
      'cache-control': 'max-age=0, no-cache, must-revalidate',
    })
    expect(json(answer)).toMatchObject({
      title: '0@$$s',
      summary: '$metadata',
      content: { eventStreamId: '$$s', eventType: '$metadata', data: { a: 1 } },
    })
    const xml = await read(send, '/streams/s/metadata', { accept: 'text/xml' })
    expect(xml.body.toString()).toContain('<data><a>1</a></data>')
  }),
  signedInCase('atompub: a stream without metadata has an empty document', async (send) => {
    await fill(send, 's', 1)
    for (const [accept, body] of [
      ['application/json', '{}'],
      [ATOM_JSON, '{}'],
      [ATOM, ''],
      ['text/xml', ''],
    ] as const) {
      const answer = await read(send, '/streams/s/metadata', { accept })
      expect([answer.status, answer.body.toString(), answer.headers['etag']]).toEqual([
        200,
        body,
        undefined,
      ])
    }
    const page = await read(send, '/streams/s/metadata', { accept: 'text/html' })
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(page.body.toString()).toContain(
      '<h1>Metadata of &#39;s&#39;</h1>\n<p>There is none.</p>',
    )
    expectStatus(await read(send, '/streams/none/metadata'), 404)
    expect(await document(send, '$all')).toEqual({})
  }),
  signedInCase('atompub: metadata may be there before its stream', async (send) => {
    expectStatus(await postMetadata(send, 's', { $maxCount: 2 }), 201)
    expect(await document(send, 's')).toEqual({ $maxCount: 2 })
    expectEmpty(await read(send, '/streams/s'), 404, 'Not Found')
    await fill(send, 's', 3)
    expect(await titles(send, '/streams/s')).toEqual(['2@s', '1@s'])
    const known = { 'if-none-match': '"0;-43840953"' }
    expectStatus(await read(send, '/streams/s/metadata', known), 200)
  }),
  ...MALFORMED.map((text) =>
    signedInCase(`atompub: metadata ${text} says nothing`, async (send) => {
      await fill(send, 's', 3)
      const anna = await account(send, 'anna')
      const type = { 'es-eventtype': '$metadata' }
      expectStatus(await postEvent(send, '$$s', 1, type, '{"$maxCount":1}'), 201)
      expect(await titles(send, '/streams/s')).toEqual(['2@s'])
      expectStatus(await postEvent(send, '$$s', 2, type, text), 201)
      const answer = await read(anna, '/streams/s')
      expectStatus(answer, 200)
      expect((json(answer) as { entries: unknown[] }).entries).toHaveLength(3)
      expect(answer.headers['cache-control']).toBe('max-age=0, no-cache, must-revalidate')
    }),
  ),
  signedInCase('atompub: metadata that cannot be is refused', async (send) => {
    const path = '/streams/s/metadata'
    const type = { 'content-type': 'application/json' }
    expectBad(await ask(send, 'POST', path, type, '{}'), /ES-EventId/)
    expectBad(
      await postMetadata(send, 's', {}, { 'es-eventtype': 'other' }),
      'Bad Request. You should not include an event type for metadata.',
    )
    expectStatus(await postMetadata(send, 's', {}, { 'es-eventtype': '$metadata' }), 201)
    expectBad(await postMetadata(send, '$$s', {}), /metadata/)
    expectBad(await read(send, '/streams/$$s/metadata'), /metadata/)
    expectBad(await postEvent(send, '$$s', 1), /\$metadata/)
    expectStatus(await postMetadata(send, 's', {}, { 'content-type': 'text/plain' }), 415)
    expectBad(await postMetadata(send, 'x'.repeat(254), {}), /metadata/)
  }),
  signedInCase('atompub: metadata is written to its own stream as well', async (send) => {
    await fill(send, 's', 3)
    expectStatus(
      await postEvent(send, '$$s', 1, { 'es-eventtype': '$metadata' }, '{"$maxCount":1}'),
      201,
    )
    expect(await titles(send, '/streams/s')).toEqual(['2@s'])
    const batch = [{ eventId: id(2), eventType: '$metadata', data: { $maxCount: 2 } }]
    const answer = await ask(
      send,
      'POST',
      '/streams/s/metadata',
      { 'content-type': EVENTS_JSON },
      JSON.stringify(batch),
    )
    expectStatus(answer, 201)
    expect(await titles(send, '/streams/s')).toEqual(['2@s', '1@s'])
  }),

  ...OPERATIONS.map(([key, run, status], at) =>
    signedInCase(`atompub: ${key} says who may (${at + 1})`, async (send) => {
      await fill(send, 's', 1)
      const anna = await account(send, 'anna', ['sales'])
      const allow = async (roles: unknown) =>
        expectStatus(await postMetadata(send, 's', { $acl: { [key]: roles } }), 201)
      for (const roles of ['bob', ['$admins', 'bob'], '', []]) {
        await allow(roles)
        expectChallenge(await run(anna))
      }
      for (const roles of ['sales', ['bob', 'anna'], '$all']) {
        if (status === 204) await fill(send, 's', 1, at + 10)
        await allow(roles)
        expectStatus(await run(anna), status)
      }
      await allow([])
      if (status === 204) await fill(send, 's', 1, at + 20)
      expectStatus(await run(send), status)
    }),
  ),
  signedInCase(
    'atompub: streams of users are for all, those of the system for admins',
    async (send) => {
      await fill(send, 's', 1)
      await fill(send, '$mine', 1)
      const anna = await account(send, 'anna')
      expectStatus(await read(anna, '/streams/s'), 200)
      expectStatus(await postEvent(anna, 's', 1), 201)
      expectStatus(await postMetadata(anna, 's', {}), 201)
      for (const path of [
        '/streams/$mine',
        '/streams/$all',
        '/streams/$streams',
        '/streams/$et-t',
        '/streams/$none',
      ]) {
        expectChallenge(await read(anna, path))
        expect((await read(send, path)).status).toBe(path === '/streams/$none' ? 404 : 200)
      }
      expectChallenge(await postEvent(anna, '$mine', 1))
      expectChallenge(await postEvent(anna, '$settings', 1))
      // What is secret is secret before it is there.
      expectStatus(await postMetadata(send, 'plan', { $acl: { $r: 'bob', $mr: 'bob' } }), 201)
      expectChallenge(await read(anna, '/streams/plan'))
      expectChallenge(await read(anna, '/streams/plan/metadata'))
      expectChallenge(await read(anna, '/streams/plan/7'))
    },
  ),
  signedInCase('atompub: a reader reads and does not write', async (send) => {
    await fill(send, 's', 1)
    const anna = await account(send, 'anna')
    const answer = await ask(
      send,
      'POST',
      '/streams/s/metadata',
      { 'content-type': 'application/json', 'es-eventid': id(9) },
      '{"$acl":{"$w":"$admins"}}',
    )
    expectStatus(answer, 201)
    expectStatus(await read(anna, '/streams/s'), 200)
    expectChallenge(await postEvent(anna, 's', 1))
  }),
  signedInCase('atompub: settings change what is the default', async (send) => {
    await fill(send, 's', 1)
    const anna = await account(send, 'anna')
    const settings = { $userStreamAcl: { $r: '$admins' }, $systemStreamAcl: { $r: '$all' } }
    const type = { 'es-eventtype': 'update-default-acl' }
    expectStatus(await postEvent(send, '$settings', 1, type, JSON.stringify(settings)), 201)
    expectChallenge(await read(anna, '/streams/s'))
    expectStatus(await read(anna, '/streams/$streams'), 200)
    expectStatus(await postEvent(anna, 's', 2), 201)
    await postMetadata(send, 's', { $acl: { $r: 'anna' } })
    expectStatus(await read(anna, '/streams/s'), 200)
    expectStatus(await postEvent(send, '$settings', 3, type, '{"$userStreamAcl":7}'), 201)
    await postMetadata(send, 's', {})
    expectStatus(await read(anna, '/streams/s'), 200)
  }),
  signedInCase('atompub: the defaults hold for each operation on its own', async (send) => {
    await fill(send, 's', 1)
    const anna = await account(send, 'anna', ['staff'])
    const type = { 'es-eventtype': 'update-default-acl' }
    const asked = [
      ['$r', () => read(anna, '/streams/s'), 200],
      ['$w', () => postEvent(anna, 's', 1), 201],
      ['$mr', () => read(anna, '/streams/s/metadata'), 200],
      ['$mw', () => postMetadata(anna, 's', {}), 201],
    ] as const
    for (const [at, [closed]] of asked.entries()) {
      const settings = { $userStreamAcl: { [closed]: ['$admins', 'others'] } }
      expectStatus(await postEvent(send, '$settings', 20 + at, type, JSON.stringify(settings)), 201)
      for (const [key, run, status] of asked) {
        const answer = await run()
        expect([closed, key, answer.status]).toEqual([closed, key, key === closed ? 401 : status])
      }
    }
    const settings = { $userStreamAcl: { $d: 'staff' } }
    expectStatus(await postEvent(send, '$settings', 30, type, JSON.stringify(settings)), 201)
    const bert = await account(send, 'bert')
    for (const how of [{}, hard]) expectChallenge(await remove(bert, 's', how))
    expectEmpty(await remove(anna, 's', hard), 204, 'Stream deleted')
  }),
  signedInCase('atompub: links lead only to what one may read', async (send) => {
    await fill(send, 'a-open', 1)
    await fill(send, 'a-secret', 1, 5)
    await postMetadata(send, 'a-secret', { $acl: { $r: '$admins' } })
    await postMetadata(send, '$ce-a', { $acl: { $r: '$all' } })
    const anna = await account(send, 'anna')
    const { entries } = await feed(anna, '/streams/$ce-a?embed=body')
    expect(entries.map(({ title, data }) => [title, data])).toEqual([
      ['0@a-secret', undefined],
      ['0@a-open', '{"n":0}'],
    ])
  }),
  {
    name: 'atompub: a closed stream stays closed when it is deleted, and lives again',
    run: async (plain) => {
      const send = signedIn(plain)
      await fill(send, 'secret', 1)
      const list = { $r: '$admins' }
      await postMetadata(send, 'secret', { $maxCount: 5, $acl: list })
      const anna = await account(send, 'anna')
      expectEmpty(await remove(anna, 'secret'), 204, 'Stream deleted')
      expect(await document(send, 'secret')).toMatchObject({ $acl: list })
      expect(json(await ask(anna, 'GET', '/events?stream=secret'))).toEqual([])
      expectStatus(await postEvent(anna, 'secret', 7), 201)
      expect(await document(send, 'secret')).toEqual({ $tb: 1, $acl: list })
      expect(json(await ask(anna, 'GET', '/events?stream=secret'))).toEqual([])
      expectChallenge(await read(anna, '/streams/secret'))
    },
  },
  {
    name: 'atompub: events that one may not read are left out of the log, too',
    run: async (plain) => {
      const send = signedIn(plain)
      await fill(send, 's', 1)
      await fill(send, 'secret', 1)
      await postMetadata(send, 'secret', { $acl: { $r: '$admins' } })
      const anna = await account(send, 'anna')
      const streamsOf = (answer: CorpusAnswer) =>
        (json(answer) as { stream: string }[]).map(({ stream }) => stream)
      const all = await ask(send, 'GET', '/events')
      expect(streamsOf(all)).toEqual(['s', 'secret', '$$secret'])
      expect(streamsOf(await ask(anna, 'GET', '/events'))).toEqual(['s', '$$secret'])
      expect(streamsOf(await ask(anna, 'GET', '/events?stream=secret'))).toEqual([])
      const [, hidden] = json(all) as { hash: string }[]
      expectStatus(await ask(anna, 'GET', `/events/${hidden?.hash}`), 404)
      expectStatus(await ask(send, 'GET', `/events/${hidden?.hash}`), 200)
    },
  },

  serverCase('atompub: a stream that was deleted is gone until it is written to', async (send) => {
    await fill(send, 's', 3)
    await postMetadata(send, 's', { $maxCount: 2, mine: 1 })
    expectEmpty(await remove(send, 's'), 204, 'Stream deleted')
    for (const path of ['', '/0', '/2', '/head', '/0/forward/5', '/head/backward/5']) {
      expectStatus(await read(send, `/streams/s${path}`), 404)
    }
    const kept = await read(send, '/streams/s/metadata', { accept: 'application/octet-stream' })
    expect(kept.body.toString()).toBe('{"$tb":9223372036854775807}')
    expectStatus(await remove(send, 's'), 204)
    const answer = await postEvent(send, 's', 1)
    expect(local(answer.headers['location'])).toBe('/streams/s/3')
    expect(await titles(send, '/streams/s/0/forward/20')).toEqual(['3@s'])
    expectStatus(await read(send, '/streams/s/2'), 404)
    expect(await document(send, 's')).toEqual({ $tb: 3 })
  }),
  signedInCase('atompub: a stream may be truncated ahead of its end', async (send) => {
    await fill(send, 's', 3)
    expectStatus(await postMetadata(send, 's', { $tb: 5, mine: 1 }), 201)
    const empty = await feed(send, '/streams/s')
    expect([empty.entries, empty.headOfStream]).toEqual([[], true])
    expect(pagesOf(empty)).toEqual({
      self: '',
      first: '/head/backward/20',
      previous: '/3/forward/20',
      metadata: '/metadata',
    })
    expectStatus(await read(send, '/streams/s/2'), 404)
    expect(pagesOf(await feed(send, '/streams/s/0/forward/3'))).not.toHaveProperty('previous')
    const before = pagesOf(await feed(send, '/streams/s/0/forward/2'))
    expect(before['previous']).toBe('/2/forward/2')
    const stale = await postEvent(send, 's', 1, { 'es-expectedversion': '-1' })
    expectEmpty(stale, 400, 'Wrong expected EventNumber')
    expect(stale.headers['es-currentversion']).toBe('2')
    const hidden = await postEvent(send, 's', 1, { 'es-expectedversion': '2' })
    expect(local(hidden.headers['location'])).toBe('/streams/s/3')
    expectStatus(await read(send, '/streams/s/3'), 404)
    expect(await document(send, 's')).toEqual({ $tb: 5, mine: 1 })
    await fill(send, 's', 3, 10)
    expect(await titles(send, '/streams/s')).toEqual(['6@s', '5@s'])
  }),
  signedInCase(
    'atompub: metadata that is written anew brings a deleted stream back',
    async (send) => {
      await fill(send, 's', 3)
      expectStatus(await remove(send, 's'), 204)
      expectStatus(await postMetadata(send, 's', { $tb: 1 }), 201)
      expect(await titles(send, '/streams/s')).toEqual(['2@s', '1@s'])
      expectStatus(await postMetadata(send, 's', { $tb: 3 }), 201)
      expectStatus(await read(send, '/streams/s'), 404)
      const answer = await postEvent(send, 's', 1, { 'es-expectedversion': '-1' })
      expect(local(answer.headers['location'])).toBe('/streams/s/3')
    },
  ),
  signedInCase('atompub: a deletion has the version it expects', async (send) => {
    await fill(send, 's', 3)
    for (const version of ['1', '-1']) {
      const answer = await remove(send, 's', { 'es-expectedversion': version })
      expectEmpty(answer, 400, 'Wrong expected EventNumber')
      expect(answer.headers['es-currentversion']).toBe('2')
    }
    expectBad(await remove(send, 's', { 'es-expectedversion': 'x' }), /ES-ExpectedVersion/)
    expectBad(await remove(send, 's', { 'es-harddelete': 'x' }), /ES-HardDelete/)
    expectEmpty(await remove(send, 's', { 'es-expectedversion': '2' }), 204, 'Stream deleted')
    await fill(send, 'h', 1)
    expectStatus(await remove(send, 'h', { ...hard, 'es-expectedversion': '5' }), 400)
    expectStatus(await remove(send, 'h', { ...hard, 'es-expectedversion': '0' }), 204)
  }),
  signedInCase('atompub: a stream that was ended stays ended', async (send) => {
    await fill(send, 's', 1)
    await postMetadata(send, 's', { a: 1 })
    expectEmpty(await remove(send, 's', hard), 204, 'Stream deleted')
    for (const path of ['', '/0', '/head', '/0/forward/5', '/metadata']) {
      expectEmpty(await read(send, `/streams/s${path}`), 410, 'Deleted')
    }
    expectEmpty(await read(send, '/streams/$$s'), 410, 'Deleted')
    for (const version of ['-2', '-1', '0']) {
      const answer = await postEvent(send, 's', 1, { 'es-expectedversion': version })
      expectEmpty(answer, 410, 'Stream deleted')
    }
    expectEmpty(await postMetadata(send, 's', {}), 410, 'Stream deleted')
    expectEmpty(await remove(send, 's'), 410, 'Stream deleted')
    expectEmpty(await remove(send, 's', hard), 410, 'Stream deleted')
  }),
  signedInCase('atompub: what was never written can be deleted', async (send) => {
    expectEmpty(await remove(send, 's'), 204, 'Stream deleted')
    expectStatus(await postEvent(send, 's', 1), 201)
    expectEmpty(await remove(send, 'h', hard), 204, 'Stream deleted')
    expectEmpty(await postEvent(send, 'h', 2), 410, 'Stream deleted')
    expectEmpty(await read(send, '/streams/h'), 410, 'Deleted')
    for (const stream of ['$all', '%24all']) expectChallenge(await remove(send, stream))
  }),

  signedInCase('atompub: streams of links are there at once', async (send) => {
    await fill(send, 'a-1', 2)
    await fill(send, 'a-2', 1, 5)
    await postBatch(send, 'b', [{ eventId: id(1), eventType: 'other' }])
    expect(await titles(send, '/streams/$ce-a')).toEqual(['0@a-2', '1@a-1', '0@a-1'])
    expect(await titles(send, '/streams/$et-t/0/forward/2')).toEqual(['1@a-1', '0@a-1'])
    expect(await titles(send, '/streams/$et-other')).toEqual(['0@b'])
    expect(await titles(send, '/streams/$streams')).toEqual(['0@b', '0@a-2', '0@a-1'])
    expect(pagesOf(await feed(send, '/streams/%24ce-a/head/backward/2'))).toMatchObject({
      next: '/0/backward/2',
      previous: '/3/forward/2',
    })
    expectStatus(await read(send, '/streams/$ce-none'), 404)
  }),
  signedInCase(
    'atompub: a stream of links that was deleted shows what comes after',
    async (send) => {
      await fill(send, 'a-1', 2)
      expectStatus(await remove(send, '$ce-a'), 204)
      expectStatus(await read(send, '/streams/$ce-a'), 404)
      await postEvent(send, 'a-1', 1)
      expect(await titles(send, '/streams/$ce-a')).toEqual(['2@a-1'])
      expectChallenge(await remove(send, '$ce-a', hard))
    },
  ),

  serverCase('atompub: the log is a feed by position', async (send) => {
    await fill(send, 's', 2)
    await fill(send, 'a', 3)
    const page = await feed(send, '/streams/$all')
    expect(Object.keys(page)).toEqual([
      'title',
      'id',
      'updated',
      'author',
      'headOfStream',
      'links',
      'entries',
    ])
    expect(page).toMatchObject({ title: 'All events', headOfStream: false })
    expect(local(page.id)).toBe('/streams/%24all')
    expect(page.entries.map(({ title }) => title)).toEqual(['2@a', '1@a', '0@a', '1@s', '0@s'])
    const at = positionOf
    expect(pagesOf(page)).toEqual({
      self: '',
      first: '/head/backward/20',
      previous: `/${at(5)}/forward/20`,
      metadata: '/metadata',
    })
    expect(pagesOf(await feed(send, '/streams/%24all/head/backward/2'))).toMatchObject({
      last: `/${at(0)}/forward/2`,
      next: `/${at(3)}/backward/2`,
      previous: `/${at(5)}/forward/2`,
    })
    const forward = await feed(send, `/streams/$all/${at(1)}/forward/2`)
    expect(forward.entries.map(({ title }) => title)).toEqual(['0@a', '1@s'])
    expect(pagesOf(forward)).toMatchObject({
      last: `/${at(0)}/forward/2`,
      next: `/${at(1)}/backward/2`,
      previous: `/${at(3)}/forward/2`,
    })
    expect(await titles(send, `/streams/$all/${at(2)}/2`)).toEqual(['1@s', '0@s'])
    const end = pagesOf(await feed(send, `/streams/$all/${at(5)}/forward/2`))
    expect([end['next'], end['previous']]).toEqual([`/${at(5)}/backward/2`, undefined])
    expect(pagesOf(await feed(send, `/streams/$all/${at(0)}/forward/2`))).not.toHaveProperty('next')
  }),
  signedInCase('atompub: following the pages of the log meets each event once', async (send) => {
    await fill(send, 's', 7)
    const all = ['0@s', '1@s', '2@s', '3@s', '4@s', '5@s', '6@s']
    const forwards = await follow(send, `/streams/$all/${positionOf(0)}/forward/3`, 'previous')
    expect(forwards.flatMap((page) => page.toReversed())).toEqual(all)
    const backwards = await follow(send, '/streams/$all/head/backward/3', 'next')
    expect(backwards.flat()).toEqual(all.toReversed())
  }),
  signedInCase('atompub: pages of the log are kept like those of streams', async (send) => {
    await fill(send, 's', 3)
    const full = await read(send, `/streams/$all/${positionOf(0)}/forward/3`)
    expect([full.headers['cache-control'], full.headers['etag']]).toEqual([
      'max-age=31536000, private',
      undefined,
    ])
    for (const path of [`/${positionOf(2)}/backward/2`, `/${positionOf(2)}/2`]) {
      const fixed = await read(send, `/streams/$all${path}`)
      expect([fixed.headers['cache-control'], fixed.headers['etag']]).toEqual([
        'max-age=31536000, private',
        undefined,
      ])
    }
    for (const path of ['', '/head/backward/2', `/${positionOf(0)}/forward/4`]) {
      const answer = await read(send, `/streams/$all${path}`)
      expect(answer.headers['etag']).toBe('"2;-43840953"')
      const again = await read(send, `/streams/$all${path}`, { 'if-none-match': '"2;-43840953"' })
      expectEmpty(again, 304, 'Not Modified')
      const { headers } = again
      expect(headers).toMatchObject({
        vary: expect.stringMatching(/Accept/),
        etag: '"2;-43840953"',
      })
      expect(headers['cache-control']).toBe('max-age=0, no-cache, must-revalidate')
    }
  }),
  signedInCase(
    'atompub: the log is filtered by stream, by type, and of the system',
    async (send) => {
      await fill(send, 's', 2)
      await fill(send, 'other', 2)
      await postMetadata(send, 's', { a: 1 })
      const path = '/streams/$all/filtered'
      const filtered = async (query: string) => titles(send, `${path}?${query}`)
      const noSystem = 'exclude-system-events=true'
      expect(await filtered(noSystem)).toEqual(['1@other', '0@other', '1@s', '0@s'])
      const other = ['1@other', '0@other']
      expect(await filtered('context=streamid&type=prefix&data=ot,x')).toEqual(other)
      expect(await filtered('context=StreamId&type=Regex&data=%5Eo.%2Br%24')).toEqual(other)
      expect(await filtered('context=eventtype&type=prefix&data=%24')).toEqual(['0@$$s'])
      const page = await feed(send, `${path}/head/backward/2?${noSystem}`)
      expect(local(page.id)).toBe('/streams/%24all/filtered')
      expect(pagesOf(page)).toEqual({
        self: '',
        first: `/head/backward/2?${noSystem}`,
        last: `/${positionOf(0)}/forward/2?${noSystem}`,
        next: `/${positionOf(2)}/backward/2?${noSystem}`,
        previous: `/${positionOf(5)}/forward/2?${noSystem}`,
      })
      expect(await titles(send, `${path}/${positionOf(2)}/2?${noSystem}`)).toEqual(['1@s', '0@s'])
      expect(await titles(send, `${path}/${positionOf(1)}/forward/2?${noSystem}`)).toEqual([
        '0@other',
        '1@s',
      ])
      const forwards = await follow(
        send,
        `${path}/${positionOf(0)}/forward/1?context=streamid&type=prefix&data=other`,
        'previous',
      )
      expect(forwards.flat()).toEqual(['0@other', '1@other'])
      expectStatus(await read(send, '/streams/s/filtered/head/20'), 404)
    },
  ),
  {
    name: 'atompub: a header that says who one is makes nobody of one',
    run: async (send) => {
      const trusted = { 'es-trustedauth': 'a@b.c; $admins' }
      expectChallenge(await read(send, '/streams/$all', trusted))
      const wrong = basic('a@b.c', 'no')
      expectChallenge(await read(send, '/streams/$all', { ...trusted, ...wrong }))
      expectStatus(await read(signedIn(send), '/streams/$all', { 'es-trustedauth': 'x' }), 200)
    },
  },
  signedInCase('atompub: a filter that cannot be is refused', async (send) => {
    const path = '/streams/$all/filtered'
    for (const [query, problem] of [
      ['', 'Invalid context argument: Must be streamid or eventtype'],
      ['?context=x&type=prefix&data=a', 'Invalid context argument: Must be streamid or eventtype'],
      ['?context=streamid&data=a', 'Invalid type argument: Must be prefix or regex'],
      ['?context=streamid&type=prefix', 'Invalid data argument: Must not be empty'],
      ['?context=streamid&type=regex&data=%5B', 'Invalid data argument: Is no regular expression'],
      ['?exclude-system-events=1', 'Invalid exclude-system-events argument: Must be true'],
    ] as const) {
      expectBad(await read(send, path + query), problem)
    }
    for (const slow of ['(a%2B)%2B', '(a|a)(a|a)', 'a*a*a*', '(a)\\1', 'a%3Fa%3Fa%3F']) {
      expectBad(
        await read(send, `${path}?context=streamid&type=regex&data=${slow}`),
        'Invalid data argument: The expression is longer than 255 characters, has more than one group or two repetitions, or repeats a group',
      )
    }
  }),
  signedInCase('atompub: a page of the log that cannot be is refused', async (send) => {
    expectBad(await read(send, '/streams/$all/5/forward/20'), 'Invalid position argument: 5')
    expectBad(
      await read(send, `/streams/$all/${positionOf(0)}/forward/x`),
      'Invalid count argument: x',
    )
    expectBad(await read(send, '/streams/$all/head/forward/2'), 'Invalid position argument: head')
    expectBad(await read(send, '/streams/$all/head/backward/0'), 'Invalid count argument: 0')
  }),
  signedInCase(
    'atompub: links in the log are followed only where that is asked for',
    async (send) => {
      await fill(send, 's', 1)
      const link = { 'content-type': 'application/octet-stream', 'es-eventtype': '$>' }
      await postEvent(send, 'links', 1, link, '0@s')
      expect(await titles(send, '/streams/$all')).toEqual(['0@links', '0@s'])
      expect(await titles(send, '/streams/$all', { 'es-resolvelinktos': 'true' })).toEqual([
        '0@s',
        '0@s',
      ])
    },
  ),
  signedInCase('atompub: the log shows events as their streams do', async (send) => {
    const metadata = { m: 1 }
    expectStatus(
      await postBatch(send, 's', [{ eventId: id(1), eventType: 't', data: [2], metadata }]),
      201,
    )
    for (const query of [
      'embed=none',
      'embed=content',
      'embed=rich',
      'embed=body',
      'embed=pretty',
    ]) {
      const own = await feed(send, `/streams/s?${query}`)
      expect((await feed(send, `/streams/$all?${query}`)).entries).toEqual(own.entries)
    }
    const wrong = { 'es-longpoll': '0' }
    const end = `/streams/$all/${positionOf(1)}/forward/5`
    expectBad(await read(send, end, wrong), 'ES-LongPoll header has wrong format.')
    expectBad(await read(send, '/streams/$all', { 'es-resolvelinktos': '0' }), /ES-ResolveLinkTos/)
  }),
  serverCase('atompub: a reader may wait at the end of the log', async (send) => {
    await fill(send, 's', 1)
    const waiting = read(send, `/streams/$all/${positionOf(1)}/forward/5`, { 'es-longpoll': '4' })
    await postEvent(send, 's', 1)
    const answer = await waiting
    expect((json(answer) as { entries: unknown[] }).entries).toMatchObject([{ title: '1@s' }])
  }),
  signedInCase('atompub: a stream is the same through every API', async (send) => {
    const put = await ask(
      send,
      'PUT',
      '/events',
      { 'content-type': 'application/json' },
      '{"eventType":"t","body":{"a":1},"stream":"s"}',
    )
    expectStatus(put, 200)
    expect((await feed(send, '/streams/s?embed=body')).entries).toMatchObject([{ data: '{"a":1}' }])
    await postEvent(send, 's', 1, {}, '{"b": 2}')
    const events = json(await ask(send, 'GET', '/events?stream=s')) as { body: unknown }[]
    expect(events.map(({ body }) => body)).toEqual([{ a: 1 }, { b: 2 }])
  }),
]
