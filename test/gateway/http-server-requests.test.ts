/** What the standalone server makes of bytes that are, or should have been, requests (RFC 9112). */
import { expect, test } from 'vitest'
import type { App, HttpRequest } from '../../src/http/message.ts'
import { wholeBody } from '../support/app-send.ts'
import { connectRaw, exchange } from '../support/raw-connection.ts'
import { openTestApp } from '../support/test-app.ts'
import { testServers } from '../support/test-server.ts'

const open = testServers()
const AUTHORIZATION = `Authorization: Basic ${btoa('a@b.c:pw')}\r\n`
const HEAD = `Host: x\r\n${AUTHORIZATION}`

/** The app of the corpus, and how many requests came through to it that no gateway refused. */
async function openApp() {
  const { app, store } = await openTestApp()
  const seen: string[] = []
  const watching: App = (request) => {
    if (!request.problem) seen.push(`${request.method} ${request.path}`)
    return app(request)
  }
  const { port } = await open(watching)
  const count = async () => (await store.log.head()).count
  return { port, seen, count }
}

const EVENT = '{"eventType":"t","body":1}'
const put = (headers: string, body: string) =>
  `PUT /events HTTP/1.1\r\n${HEAD}${headers}\r\n\r\n${body}`

test.each<[string, string]>([
  ['no method', ' /events HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a method in lower case', 'get /ping HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['no version', 'GET /ping\r\nHost: x\r\n\r\n'],
  ['another protocol', 'GET /ping HTTX/1.1\r\nHost: x\r\n\r\n'],
  ['a version that never was', 'GET /ping HTTP/1.9\r\nHost: x\r\n\r\n'],
  ['a control character in the target', 'GET /pi\x01ng HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['no path', 'GET x HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['a header without colon', 'GET /ping HTTP/1.1\r\nHost: x\r\nfoo\r\n\r\n'],
  ['a space before the colon', 'GET /ping HTTP/1.1\r\nHost: x\r\nfoo : 1\r\n\r\n'],
  ['a header without a name', 'GET /ping HTTP/1.1\r\nHost: x\r\n: 1\r\n\r\n'],
  ['a folded header', 'GET /ping HTTP/1.1\r\nHost: x\r\nfoo: 1\r\n 2\r\n\r\n'],
  ['NUL in a header', 'GET /ping HTTP/1.1\r\nHost: x\r\nfoo: a\x00b\r\n\r\n'],
  ['a bare CR in a header', 'GET /ping HTTP/1.1\r\nHost: x\r\nfoo: a\rb: c\r\n\r\n'],
  ['a bare LF after a header', 'GET /ping HTTP/1.1\r\nHost: x\nfoo: 1\r\n\r\n'],
  ['no host', `GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n`],
  ['two hosts', 'GET /ping HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n'],
  ['an expectation that nobody knows', put('Expect: foo\r\nContent-Length: 26', EVENT)],
  ['length and chunks', put('Content-Length: 26\r\nTransfer-Encoding: chunked', EVENT)],
  ['chunks and length', put('Transfer-Encoding: chunked\r\nContent-Length: 26', EVENT)],
  ['two lengths', put('Content-Length: 26\r\nContent-Length: 25', EVENT)],
  ['two equal lengths', put('Content-Length: 26\r\nContent-Length: 26', EVENT)],
  ['a list of lengths', put('Content-Length: 26, 26', EVENT)],
  ['a negative length', put('Content-Length: -1', EVENT)],
  ['a length with a sign', put('Content-Length: +26', EVENT)],
  ['a hexadecimal length', put('Content-Length: 0x1a', EVENT)],
  ['a length beyond all numbers', put('Content-Length: 99999999999999999999', EVENT)],
  ['chunked that is not last', put('Transfer-Encoding: chunked, identity', EVENT)],
  ['chunked that is misspelt', put('Transfer-Encoding: xchunked', EVENT)],
  ['chunked behind a tabulator', put('Transfer-Encoding:\x0bchunked', EVENT)],
  [
    'chunks in HTTP/1.0 beside a length',
    put('Transfer-Encoding: chunked\r\nContent-Length: 3', 'x'),
  ],
  ['a chunk size that is none', put('Transfer-Encoding: chunked', 'zz\r\nabc\r\n0\r\n\r\n')],
  ['a chunk size with a sign', put('Transfer-Encoding: chunked', '-3\r\nabc\r\n0\r\n\r\n')],
  ['a chunk size with 0x', put('Transfer-Encoding: chunked', '0x3\r\nabc\r\n0\r\n\r\n')],
  ['a chunk longer than its size', put('Transfer-Encoding: chunked', '2\r\nabcde\r\n0\r\n\r\n')],
  ['a chunk ended by LF', put('Transfer-Encoding: chunked', '3\nabc\n0\n\n')],
  [
    'a chunk size beyond all numbers',
    put('Transfer-Encoding: chunked', 'fffffffffffffffff\r\nabc'),
  ],
  ['a bad chunk extension', put('Transfer-Encoding: chunked', '3;\x00\r\nabc\r\n0\r\n\r\n')],
])(
  '%s is refused with 400 in the shape of every error, and nothing is stored',
  async (_name, bytes) => {
    const { port, count } = await openApp()
    const answer = await exchange(port, bytes)
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(answer).toMatch(/\r\nconnection: close\r\n/i)
    expect(answer).toMatch(
      /\r\n\r\n\{"status":"error","errorMessage":"[^"]+","code":"bad-(request|header)"(,"header":"(Host|Expect|Transfer-Encoding)")?\}$/,
    )
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(await count()).toBe(0)
  },
)

test.each([
  ['one of 20 KB', `Big: ${'x'.repeat(20_000)}\r\n`],
  ['five thousand', Array.from({ length: 5000 }, (_, n) => `h${n}: x\r\n`).join('')],
])('header fields that are too large are 431: %s', async (_name, headers) => {
  const { port, seen } = await openApp()
  const answer = await exchange(port, `GET /ping HTTP/1.1\r\nHost: x\r\n${headers}\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/)
  expect(answer).toContain('"code":"header-too-large"')
  expect(seen).toEqual([])
})

test.each(['ES-EventType', 'Kurrent-EventType'])(
  'two types of one event by %s are refused, and are not made one; a comma may stand in one',
  async (name) => {
    const { port, count } = await openApp()
    const post = (types: string) =>
      `POST /streams/s HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\n${types}` +
      'ES-EventId: 0190b7a2-0000-7000-8000-0000000000aa\r\n' +
      'Content-Length: 2\r\nConnection: close\r\n\r\n{}'
    const twice = await exchange(port, post(`${name}: a\r\n${name}: b\r\n`))
    expect(twice).toMatch(/^HTTP\/1\.1 400 /)
    expect(await count()).toBe(0)
    expect(await exchange(port, post(`${name}: a, b\r\n`))).toMatch(/^HTTP\/1\.1 201 /)
    expect(await count()).toBe(1)
  },
)

test('none of many header fields is dropped', async () => {
  let headers: HttpRequest['headers'] = {}
  const { port } = await open(async (request) => {
    headers = request.headers
    return { status: 204, headers: {} }
  })
  const many = Array.from({ length: 2500 }, (_, n) => `${n.toString(36)}:\r\n`).join('')
  await exchange(port, `GET / HTTP/1.1\r\nHost: x\r\n${many}Last: 1\r\nConnection: close\r\n\r\n`)
  expect(headers['last']).toBe('1')
})

test.each(['TRACE', 'PROPFIND', 'FOO', 'CONNECT'])(
  '%s is 405 with Allow and echoes nothing',
  async (method) => {
    const { port } = await openApp()
    const target = method === 'CONNECT' ? 'x:443' : '/events'
    const answer = await exchange(
      port,
      `${method} ${target} HTTP/1.1\r\n${HEAD}X-Secret: echo\r\nConnection: close\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 405 Method Not Allowed\r\n/)
    expect(answer).toMatch(/\r\nallow: GET, HEAD, OPTIONS[A-Z, ]*\r\n/i)
    expect(answer).toContain('"code":"method-not-allowed"')
    expect(answer).not.toContain('echo')
  },
)

test('an unknown method without credentials is 401 like everything else', async () => {
  const { port } = await openApp()
  expect(await exchange(port, 'FOO /events HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 401 /,
  )
})

test('a request in absolute form is answered as one for its path, and its host is not repeated', async () => {
  const { port, seen } = await openApp()
  const answer = await exchange(
    port,
    `GET http://evil.example/events?limit=1 HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`,
  )
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(answer).not.toContain('evil')
  expect(seen).toEqual(['GET /events'])
})

test('a request that comes byte by byte is one request', async () => {
  const { port, count } = await openApp()
  const connection = await connectRaw(port)
  connection.socket.setNoDelay(true)
  for (const byte of put(`Content-Length: ${EVENT.length}\r\nConnection: close`, EVENT)) {
    connection.write(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await connection.closed()).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(await count()).toBe(1)
})

test('requests sent ahead are carried out one after the other and answered in order', async () => {
  let running = 0
  const { port } = await open(async ({ path, body }) => {
    expect(++running).toBe(1)
    const text = (await wholeBody(body)).toString()
    await new Promise((resolve) => setImmediate(resolve))
    running--
    return { status: 200, headers: {}, body: `[${path} ${text}]` }
  })
  const one = (n: number) => `PUT /${n} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n${n % 10}`
  const all = Array.from({ length: 300 }, (_, n) => one(n)).join('')
  const answer = await exchange(
    port,
    `${all}GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  )
  const bodies = Array.from(answer.matchAll(/\[(\/\w+ \d?)\]/g), ([, text]) => text)
  expect(bodies).toEqual([...Array.from({ length: 300 }, (_, n) => `/${n} ${n % 10}`), '/end '])
})

test('rubbish behind a sound request is refused after that one is answered', async () => {
  const { port, count } = await openApp()
  const answer = await exchange(
    port,
    `${put(`Content-Length: ${EVENT.length}`, EVENT)}rubbish\r\n\r\n`,
  )
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*HTTP\/1\.1 400 Bad Request/)
  expect(await count()).toBe(1)
})

/** A generator of numbers from a seed (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const SEEDS = [
  `GET /ping HTTP/1.1\r\nHost: x\r\n\r\n`,
  put(`Content-Length: ${EVENT.length}`, EVENT),
  put('Transfer-Encoding: chunked', `${EVENT.length.toString(16)}\r\n${EVENT}\r\n0\r\n\r\n`),
  `GET http://h/events?limit=1 HTTP/1.1\r\n${HEAD}Accept: */*\r\n\r\n`,
]
const PARTS = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '\xff',
  '%',
  '%00',
  '../',
  'chunked',
  '0',
  '-1',
  'ffffffff',
  'HTTP/1.1',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'x'.repeat(9000),
]

test('of thousands of damaged requests none gets more than a sound answer, and the server goes on', async () => {
  const random = randomOf(7)
  const pick = <T>(all: readonly T[]): T => all[random(all.length)] as T
  const { port } = await openApp()
  const damaged = () => {
    let text = pick(SEEDS) + (random(4) === 0 ? pick(SEEDS) : '')
    for (let changes = 1 + random(3); changes > 0; changes--) {
      const at = random(text.length)
      text = text.slice(0, at) + pick(PARTS) + text.slice(at + random(4))
    }
    return text
  }
  const one = async () => {
    const bytes = damaged()
    const connection = await connectRaw(port)
    connection.socket.end(Buffer.from(bytes, 'latin1'))
    const answer = await connection.closed()
    const statuses = Array.from(answer.matchAll(/HTTP\/1\.1 (\d{3})/g), ([, status]) =>
      Number(status),
    )
    expect([bytes, statuses.filter((status) => status >= 500)]).toEqual([bytes, []])
  }
  for (let round = 0; round < 60; round++) await Promise.all(Array.from({ length: 50 }, one))
  const answer = await exchange(port, 'GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
})
