/** Cases about what the AtomPub API takes and gives: media types, methods, origins, addresses. */
import { expect } from 'vitest'
import {
  ATOM,
  ATOM_JSON,
  ask,
  EVENTS_JSON,
  expectBad,
  expectEmpty,
  expectStatus,
  fill,
  type Headers,
  id,
  local,
  postEvent,
  read,
} from './atompub-request.ts'
import { type CorpusCase, json, type Send, serverCase, signedInCase } from './corpus-request.ts'

const V = 'application/vnd.eventstore.'
const NONE = 'none'

/** `Accept` of a request for a feed, and the type it is answered in. */
const FEED_TYPES: readonly (readonly [string, string])[] = [
  ['*/*', ATOM],
  ['', ATOM],
  ['application/*', ATOM],
  ['text/*', 'text/xml'],
  ['application/json, text/plain, */*', 'application/json'],
  ['text/plain, */*', ATOM],
  ['APPLICATION/JSON', 'application/json'],
  ['application/json;q=0.5, application/atom+xml;q=0.9', ATOM],
  ['application/json;q=0.9, text/xml;q=0.9', 'application/json'],
  ['text/xml;q=0.9, application/json;q=0.9', 'text/xml'],
  ['application/json;q=0, text/xml', 'text/xml'],
  ['application/json;q=0', NONE],
  ['application/json;q=0, */*;q=0', NONE],
  ['*/json', 'application/json'],
  ['*/xml', 'text/xml'],
  ['image/*, text/html;q=0.1', 'text/html'],
  ['application/xml', 'application/xml'],
  [`${V}event+xml`, `${V}event+xml`],
  [`${V}event+json`, `${V}event+json`],
  [`${V}events+xml`, `${V}events+xml`],
  [EVENTS_JSON, EVENTS_JSON],
  [`${V}streamdesc+json`, `${V}streamdesc+json`],
  ['text/html', 'text/html'],
  ['text/plain', NONE],
  ['image/png, text/plain', NONE],
  ['application/octet-stream', NONE],
]

const EVENT_TYPES: readonly (readonly [string, string])[] = [
  ['*/*', ATOM],
  ['', ATOM],
  ['text/*', 'text/xml'],
  ['application/json, text/plain, */*', 'application/json'],
  ['text/plain, application/json;q=0.1', 'application/json'],
  ['APPLICATION/Octet-Stream', 'application/octet-stream'],
  ['application/octet-stream', 'application/octet-stream'],
  [`${V}event+json`, `${V}event+json`],
  [`${V}event+xml`, `${V}event+xml`],
  ['text/plain', NONE],
  [EVENTS_JSON, NONE],
  [`${V}streamdesc+json`, NONE],
]

const FORMATS: readonly (readonly [string, string])[] = [
  ['json', 'application/json'],
  ['xml', 'text/xml'],
  ['atom', ATOM],
  ['atomxj', ATOM_JSON],
  ['text', NONE],
  ['atomsvc', NONE],
  ['atomsvcxj', NONE],
  ['nonsense', NONE],
]

/** What a path is registered for; some of its methods more than once. */
const METHODS: readonly (readonly [string, string])[] = [
  ['/streams/s', 'POST, DELETE, GET, OPTIONS'],
  ['/streams/s/metadata', 'GET, POST, GET, OPTIONS'],
  ['/streams/$all', 'POST, DELETE, GET, GET, OPTIONS'],
  ['/streams/%24all', 'POST, DELETE, GET, GET, OPTIONS'],
  ['/streams/s/0', 'GET, OPTIONS'],
  ['/streams/s/head/backward/20', 'GET, OPTIONS'],
  ['/streams/s/0/forward/20', 'GET, OPTIONS'],
]

/** The methods of further paths, in any order. */
const MORE_METHODS: readonly (readonly [string, string])[] = [
  ['/streams/s/head', 'GET'],
  ['/streams/s/4/5', 'GET'],
  ['/streams/s/incoming/x', 'GET POST'],
  ['/streams/s/metadata/3', 'GET'],
  ['/streams/s/metadata/head/5', 'GET'],
  ['/streams/s/metadata/3/backward/5', 'GET'],
  ['/streams/s/metadata/3/forward/5', 'GET'],
  ['/streams/$all/head/5', 'GET'],
  ['/streams/%24all/head/backward/5', 'GET'],
  ['/streams/$all/0/forward/5', 'GET'],
  ['/streams/$all/filtered', 'GET'],
  ['/streams/$all/filtered/head/5', 'GET'],
  ['/subscriptions/a/b', 'PUT POST DELETE GET'],
  ['/subscriptions/a/b/5', 'GET'],
  ['/subscriptions/a/b/info', 'GET'],
  ['/subscriptions/a/b/ack', 'POST GET'],
  ['/subscriptions/a/b/ack/x', 'POST'],
  ['/subscriptions/a/b/nack/x', 'POST'],
  ['/subscriptions/a/b/replayParked', 'POST GET'],
  ['/subscriptions/viewparkedmessages/a/b', 'GET'],
  ['/subscriptions', 'GET'],
  ['/users', 'GET POST'],
  ['/users/a', 'GET PUT DELETE'],
  ['/users/a/command/enable', 'POST'],
  ['/stats', 'GET'],
  ['/stats/es/events', 'GET'],
  ['/gossip', 'GET'],
  ['/info/options', 'GET'],
  ['/sys/subsystems', 'GET'],
  ['/admin/scavenge', 'POST'],
  ['/admin/scavenge/last', 'GET DELETE'],
  ['/admin/shutdown', 'POST'],
  ['/web', 'GET'],
]

/** Requests that are refused whatever else they say, where nothing they accept is there. */
const ACCEPTED_NOWHERE: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'POST',
    '/streams/s',
    ['text/html', 'text/plain', `${V}streamdesc+json`, `${V}competingatom+json`],
  ],
  ['DELETE', '/streams/s', ['text/html', `${V}streamdesc+json`]],
  ['POST', `/streams/s/incoming/${id(1)}`, ['text/html', 'text/plain', `${V}streamdesc+json`]],
  ['POST', '/streams/s/metadata', ['text/html', 'text/plain', `${V}streamdesc+json`]],
  [
    'GET',
    '/streams/s/head/backward/5',
    ['text/plain', 'application/octet-stream', `${V}atomsvc+json`],
  ],
  ['GET', '/streams/s/0/forward/5', ['text/plain', 'application/octet-stream']],
  ['GET', '/streams/s/metadata', ['text/plain', EVENTS_JSON, `${V}streamdesc+json`]],
  ['GET', '/streams/$all', ['text/plain', 'application/octet-stream']],
  ['GET', '/streams/$all/filtered?exclude-system-events=true', ['text/plain', 'image/*']],
  ['GET', '/users', ['text/html', 'text/plain', ATOM_JSON]],
  ['GET', '/stats', ['text/html', 'image/*']],
  ['GET', '/gossip', ['text/html']],
  ['GET', '/subscriptions', ['text/html', ATOM]],
]

const ALLOWED_HEADERS =
  'Content-Type, X-Requested-With, X-PINGOTHER, Authorization, ES-LongPoll, ES-ExpectedVersion, ES-EventId, ES-EventType, ES-RequiresMaster, ES-HardDelete, ES-ResolveLinkTo, ES-ExpectedVersion'

/** How a body in a media type begins. */
function beginningOf(type: string): RegExp {
  if (type === 'text/html') return /^<!doctype html>/
  return /xml$/.test(type) ? /^<\?xml version="1.0" encoding="utf-8"\?><(atom:|\w)/ : /^\{/
}

async function expectType(
  send: Send,
  path: string,
  accept: string,
  expected: string,
): Promise<void> {
  const headers: Headers = accept === '' ? {} : { accept }
  const answer = await ask(send, 'GET', path, headers)
  const [type] = (answer.headers['content-type'] ?? '').split(';')
  if (expected === NONE) expectEmpty(answer, 406, 'Not Acceptable')
  else {
    expect([path, accept, answer.status, type]).toEqual([path, accept, 200, expected])
    expect(answer.body.toString()).toMatch(beginningOf(expected))
  }
}

const expectOrigins = (headers: Readonly<Record<string, string>>, methods: string): void =>
  expect(headers).toMatchObject({
    'access-control-allow-methods': methods,
    'access-control-allow-headers': ALLOWED_HEADERS,
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'Location, ES-Position, ES-CurrentVersion',
  })

export const ATOMPUB_FORMAT_CASES: readonly CorpusCase[] = [
  signedInCase('atompub: a feed comes in the first type that anything fits', async (send) => {
    await fill(send, 's', 1)
    for (const [accept, type] of FEED_TYPES) await expectType(send, '/streams/s', accept, type)
  }),
  signedInCase(
    'atompub: an event comes as Atom unless something else is asked for',
    async (send) => {
      await fill(send, 's', 1)
      for (const [accept, type] of EVENT_TYPES) await expectType(send, '/streams/s/0', accept, type)
    },
  ),
  signedInCase('atompub: a format in the query wins over Accept', async (send) => {
    await fill(send, 's', 1)
    for (const [format, type] of FORMATS) {
      await expectType(send, `/streams/s?format=${format}`, 'text/plain', type)
      await expectType(send, `/streams/s/0?format=${format}`, 'text/plain', type)
    }
  }),
  signedInCase('atompub: a post whose answer nobody accepts is 406', async (send) => {
    for (const accept of ['text/html', 'text/plain', 'image/*']) {
      expectEmpty(await postEvent(send, 's', 1, { accept }), 406, 'Not Acceptable')
      expectEmpty(await ask(send, 'DELETE', '/streams/s', { accept }), 406, 'Not Acceptable')
    }
    for (const accept of [
      'application/json, text/plain, */*',
      'application/octet-stream',
      ATOM_JSON,
    ]) {
      expectStatus(await postEvent(send, 's', 1, { accept }), 201)
    }
  }),
  signedInCase('atompub: the type of a request without a body does not matter', async (send) => {
    await fill(send, 's', 1)
    expectStatus(await read(send, '/streams/s', { 'content-type': EVENTS_JSON }), 200)
    expectStatus(await read(send, '/streams/s', { 'content-type': 'image/png' }), 200)
  }),
  {
    name: 'atompub: OPTIONS tells the methods of a path, to anybody',
    meetsServer: true,
    run: async (send) => {
      for (const [path, methods] of METHODS) {
        const answer = await ask(send, 'OPTIONS', path)
        expectEmpty(answer, 200, 'OK')
        expectOrigins(answer.headers, methods)
      }
    },
  },
  {
    name: 'atompub: OPTIONS tells the methods of every other path as well',
    run: async (send) => {
      for (const [path, methods] of MORE_METHODS) {
        const answer = await ask(send, 'OPTIONS', path)
        expectEmpty(answer, 200, 'OK')
        const told = answer.headers['access-control-allow-methods'] ?? ''
        expect([path, [...new Set(told.split(', '))].sort()]).toEqual([
          path,
          [...methods.split(' '), 'OPTIONS'].sort(),
        ])
        expect(told).toMatch(/, OPTIONS$/)
        expectOrigins(answer.headers, told)
      }
    },
  },
  signedInCase('atompub: a method that a path does not know is 405, and says so', async (send) => {
    for (const [path] of MORE_METHODS) {
      const answer = await ask(send, 'PATCH', path)
      expectEmpty(answer, 405, 'Method Not Allowed')
      expectOrigins(answer.headers, answer.headers['access-control-allow-methods'] ?? '')
    }
  }),
  signedInCase('atompub: what nobody offers is 406, whatever is asked', async (send) => {
    await fill(send, 's', 1)
    for (const [method, path, types] of ACCEPTED_NOWHERE) {
      for (const accept of types) {
        const headers = { accept, 'content-type': 'application/json', 'es-eventtype': 't' }
        const answer = await ask(send, method, path, headers, method === 'POST' ? '{}' : undefined)
        expect([method, path, accept, answer.status]).toEqual([method, path, accept, 406])
        expectEmpty(answer, 406, 'Not Acceptable')
      }
    }
    expectStatus(await read(send, '/streams/s'), 200)
  }),
  signedInCase('atompub: a post to no stream is told that it needs one', async (send) => {
    const answer = await ask(send, 'POST', '/streams/', { 'content-type': 'application/json' }, '1')
    expectBad(answer, 'Invalid request. Stream must be non-empty string')
    expectStatus(await read(send, '/streams/'), 405)
  }),
  signedInCase(
    'atompub: refusals tell pages of other origins what they may do, too',
    async (send) => {
      await fill(send, 's', 1)
      await fill(send, 'ended', 1)
      expectStatus(await ask(send, 'DELETE', '/streams/ended', { 'es-harddelete': 'true' }), 204)
      const answers = [
        [401, await ask(send, 'GET', '/streams/s', { authorization: 'Basic YUBiLmM6bm8=' })],
        [400, await postEvent(send, 's', 1, { 'es-expectedversion': '7' })],
        [400, await postEvent(send, 's', 1, { 'es-expectedversion': 'x' })],
        [307, await postEvent(send, 's', 1, { 'es-eventid': '' })],
        [415, await postEvent(send, 's', 1, { 'content-type': 'image/png' })],
        [404, await read(send, '/streams/s/9')],
        [410, await read(send, '/streams/ended')],
        [404, await read(send, '/users/nobody')],
        [404, await read(send, '/subscriptions/a/b/info')],
      ] as const
      for (const [status, answer] of answers) {
        expectStatus(answer, status)
        expect(answer.headers['cache-control']).toMatch(/^(private, no-cache|no-store)$/)
        expectOrigins(answer.headers, answer.headers['access-control-allow-methods'] ?? '')
        expect(answer.headers['access-control-allow-methods']).toMatch(/^\w.*, OPTIONS$/)
      }
    },
  ),
  signedInCase('atompub: caches are told that answers depend on Accept', async (send) => {
    await fill(send, 's', 1)
    for (const [path, accept] of [
      ['/streams/s', 'text/html'],
      ['/streams/s', `${V}streamdesc+json`],
      ['/streams/s/0', 'application/octet-stream'],
      ['/streams/s/9', ATOM],
      ['/streams/s/metadata', ATOM_JSON],
      ['/streams/$all', ATOM],
      ['/users', 'text/xml'],
      ['/stats/es', 'application/json'],
    ] as const) {
      expect([path, (await read(send, path, { accept })).headers['vary']]).toEqual([
        path,
        expect.stringMatching(/\bAccept\b/),
      ])
    }
  }),
  serverCase(
    'atompub: every answer tells pages of other origins what they may do',
    async (send) => {
      await fill(send, 's', 1)
      const answers = [
        [await read(send, '/streams/s'), 'POST, DELETE, GET, OPTIONS'],
        [await read(send, '/streams/none'), 'POST, DELETE, GET, OPTIONS'],
        [await read(send, '/streams/s', { accept: 'image/png' }), 'POST, DELETE, GET, OPTIONS'],
        [await read(send, '/streams/s/0'), 'GET, OPTIONS'],
        [
          await read(send, '/streams/s', { 'if-none-match': '"0;-43840953"' }),
          'POST, DELETE, GET, OPTIONS',
        ],
      ] as const
      for (const [answer, methods] of answers) expectOrigins(answer.headers, methods)
      const preflight = await ask(send, 'OPTIONS', '/streams/s', {
        'access-control-request-headers': 'if-none-match, es-resolvelinktos, x-evil',
      })
      expect(preflight.headers['access-control-allow-headers']).toBe(
        `${ALLOWED_HEADERS}, ES-ResolveLinkTos, If-None-Match`,
      )
      expect(preflight.headers).not.toHaveProperty('access-control-allow-credentials')
    },
  ),
  serverCase(
    'atompub: a page of another origin may post what browsers ask leave for',
    async (send) => {
      const other = { origin: 'https://other.example', 'sec-fetch-site': 'cross-site' }
      expectStatus(await postEvent(send, 's', 1, other), 201)
      const unasked = await postEvent(send, 's', 2, { ...other, 'content-type': 'text/plain' })
      expectStatus(unasked, 403)
    },
  ),
  serverCase(
    'atompub: other methods are 405, HEAD among them, and other paths 404',
    async (send) => {
      for (const [method, path] of [
        ['PUT', '/streams/s'],
        ['PATCH', '/streams/s'],
        ['HEAD', '/streams/s'],
        ['DELETE', '/streams/s/metadata'],
        ['POST', '/streams/s/0'],
      ] as const) {
        const answer = await ask(send, method, path)
        expectEmpty(answer, 405, 'Method Not Allowed')
        expect(answer.headers['access-control-allow-methods']).toContain('OPTIONS')
      }
      expectEmpty(await read(send, '/streams'), 404, 'Not Found')
      expectEmpty(await read(send, '/streams/s/0/sideways/20'), 404, 'Not Found')
      expectEmpty(await read(send, '/streams/s/0/forward/20/more'), 404, 'Not Found')
    },
  ),
  {
    name: 'atompub: who is nobody is asked who he is',
    meetsServer: true,
    run: async (send) => {
      for (const [method, path] of [
        ['GET', '/streams/s'],
        ['POST', '/streams/s'],
        ['DELETE', '/streams/s'],
        ['GET', '/streams/s/0'],
        ['PUT', '/streams/s'],
        ['GET', '/streams/a/b/c/d/e'],
      ] as const) {
        const answer = await ask(send, method, path)
        expectEmpty(answer, 401, 'Unauthorized')
        expect(answer.headers['www-authenticate']).toBe('Basic realm="ES"')
        const wrong = await ask(send, method, path, { authorization: 'Basic YUBiLmM6bm8=' })
        expectEmpty(wrong, 401, 'Unauthorized')
      }
    },
  },
  {
    name: 'atompub: a slash too many leads to the address without, for anybody',
    meetsServer: true,
    run: async (send) => {
      for (const [method, path, target] of [
        ['GET', '/streams/a%20b/?embed=body', '/streams/a%20b?embed=body'],
        ['POST', '/streams/s/', '/streams/s'],
        ['DELETE', '/streams/s/', '/streams/s'],
        ['GET', '/streams/$all/', '/streams/$all'],
        ['GET', '/streams/s/metadata/', '/streams/s/metadata'],
        ['POST', '/streams/s/metadata/', '/streams/s/metadata'],
      ] as const) {
        const answer = await ask(send, method, path)
        expectStatus(answer, 307)
        expect(answer.body.toString()).toBe('Moved Permanently')
        expect(local(answer.headers['location'])).toBe(target)
        expect(answer.headers['cache-control']).toBe('max-age=31536000, private')
      }
    },
  },
  serverCase('atompub: names are escaped in addresses and nowhere else', async (send) => {
    for (const [name, escaped] of [
      ['$odd', '%24odd'],
      ['a@b', 'a%40b'],
      ['a b', 'a%20b'],
      ['ö+&', '%C3%B6%2B%26'],
      ["it's", 'it%27s'],
    ] as const) {
      const answer = await postEvent(send, encodeURIComponent(name), 1)
      expect(local(answer.headers['location'])).toBe(`/streams/${escaped}/0`)
      const page = await read(send, `/streams/${escaped}`)
      expect(json(page)).toMatchObject({ title: `Event stream '${name}'`, streamId: name })
      expect((json(page) as { entries: unknown[] }).entries).toMatchObject([{ title: `0@${name}` }])
    }
    expectStatus(await read(send, '/streams/$odd'), 200)
    expectStatus(await read(send, '/streams/a@b'), 200)
  }),
  serverCase('atompub: links name the server as a proxy says it is called', async (send) => {
    await fill(send, 's', 1)
    const idOf = async (headers: Headers) =>
      (json(await read(send, '/streams/s', headers)) as { id: string }).id.replace(
        '/cgi-bin/apie',
        '',
      )
    expect(
      await idOf({
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'shop.example, inner.example',
        'x-forwarded-prefix': '/es/',
      }),
    ).toBe('https://shop.example/es/streams/s')
  }),
  serverCase('atompub: a path that is no text is refused', async (send) => {
    expectStatus(await read(send, '/streams/%FF'), 400)
    expectStatus(await postEvent(send, 's', 1, { 'content-encoding': 'gzip' }), 415)
    expectStatus(
      await ask(
        send,
        'POST',
        '/streams/s',
        { 'content-type': EVENTS_JSON },
        `[{"eventId":"${id(1)}","eventType":"t","data":{"a":1,"a":2}}]`,
      ),
      400,
    )
  }),
]
