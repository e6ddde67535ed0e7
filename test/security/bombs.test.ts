/**
 * Small bodies that would cost much if they were taken as they come: deep, wide, doubled, compressed. Sizes are
 * such that work which grows with their square would not end before the time of a test does.
 */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { basic } from '../support/executable.ts'
import { openTestApp, type TestApp } from '../support/test-app.ts'

const authorization = basic('a@b.c', 'pw')
const LIMIT_MS = 20_000

const XML = 'application/vnd.eventstore.events+xml'
const EVENT_SERVER = 'application/json; charset=utf-8'
const JSON_BATCH = 'application/vnd.eventstore.events+json'

const ID = '0190b7a2-0000-7000-8000-0000000000aa'
const xmlEvent = (data: string) =>
  `<Events><Event><EventId>${ID}</EventId><EventType>t</EventType><Data>${data}</Data></Event></Events>`
const serverEvent = (data: string) =>
  '{"event":{"name":"t","version":1},"system":{"id":"S","name":"s","time":"2026-01-31 12:00:00",' +
  `"timezone":"Europe/Berlin"},"trigger":{"type":"manual","name":"c"},"payload":{"a":${data}}}`
const jsonEvent = (data: string) => `[{"eventId":"${ID}","eventType":"t","data":${data}}]`

/** Each API has a type of its own here. */
function pathOf(type: string): string {
  if (type === EVENT_SERVER) return '/api/v1/streams/s/events'
  return type === 'application/json' ? '/events' : '/streams/s'
}

async function post(app: TestApp, type: string, body: string | Uint8Array, more = {}) {
  const headers = { authorization, 'content-type': type, 'x-producer-id': ID, ...more }
  const path = pathOf(type)
  return app.send({ method: 'POST', path, headers, body: Buffer.from(body) })
}

/** Refused as the client's mistake, nothing stored, nothing failed inside. */
async function expectRefused(type: string, body: string, statuses = [400, 413]): Promise<void> {
  const app = await openTestApp()
  const answer = await post(app, type, body)
  expect(answer.status, answer.body.toString().slice(0, 300)).toBeOneOf(statuses)
  expect(app.reports).toEqual([])
  expect((await app.store.log.head()).count).toBe(0)
}

async function expectTaken(type: string, body: string): Promise<void> {
  const app = await openTestApp()
  const answer = await post(app, type, body)
  expect(answer.status, answer.body.toString().slice(0, 300)).toBeOneOf([200, 201])
  expect(app.reports).toEqual([])
}

describe('XML', () => {
  const deep = (depth: number) => xmlEvent('<a>'.repeat(depth) + '</a>'.repeat(depth))
  const wide = (count: number, name: (n: number) => string) =>
    xmlEvent(Array.from({ length: count }, (_, n) => `<${name(n)}/>`).join(''))

  it(
    'with entities of its own is refused, whatever they would become',
    async () => {
      const laughs = Array.from(
        { length: 9 },
        (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`,
      )
      const bombs = [
        `<!DOCTYPE e [<!ENTITY l0 "ha">${laughs.join('')}]>${xmlEvent('&l9;')}`,
        `<!DOCTYPE e [<!ENTITY a "${'x'.repeat(100_000)}">]>${xmlEvent('&a;'.repeat(10_000))}`,
        `<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]>${xmlEvent('&x;')}`,
        `<!DOCTYPE e SYSTEM "http://127.0.0.1:9/x.dtd">${xmlEvent('1')}`,
        `<!doctype e [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]>${xmlEvent('1')}`,
        `<?xml version="1.0"?>\n<!DOCTYPE e []>${xmlEvent('1')}`,
        xmlEvent('&unknown;'),
        xmlEvent('&#0;'),
        xmlEvent('&#xd800;'),
        xmlEvent('&#x110000;'),
      ]
      for (const bomb of bombs) await expectRefused(XML, bomb)
    },
    LIMIT_MS,
  )

  it('100,000 deep is refused', () => expectRefused(XML, deep(100_000)), LIMIT_MS)

  it('deeper than JSON may be is refused, and no deeper is taken', async () => {
    await expectTaken(XML, deep(60))
    await expectRefused(XML, deep(70))
  })

  it(
    'of 1,000,001 elements is refused',
    () =>
      expectRefused(
        XML,
        wide(1_000_001, () => 'a'),
      ),
    LIMIT_MS,
  )

  it(
    'of 90,000 elements of one name is taken',
    () =>
      expectTaken(
        XML,
        wide(90_000, () => 'a'),
      ),
    LIMIT_MS,
  )

  it('of 2,000 elements of different names is refused', () =>
    expectRefused(
      XML,
      wide(2000, (n) => `a${n}`),
    ))

  it(
    'of 100,000 attributes is refused',
    () => {
      const attributes = Array.from({ length: 100_000 }, (_, n) => `a${n}="1"`).join(' ')
      return expectRefused(XML, xmlEvent(`<b ${attributes}/>`))
    },
    LIMIT_MS,
  )

  it.each([
    ['ends of CDATA that are none', xmlEvent(`<![CDATA[${']]'.repeat(500_000)}`)],
    ['beginnings of comments', xmlEvent('<!--'.repeat(250_000))],
    ['beginnings of tags', xmlEvent('<a '.repeat(300_000))],
    ['brackets', xmlEvent('<'.repeat(1_000_000))],
    ['instructions', xmlEvent('<?a '.repeat(250_000))],
    ['attributes without an end', xmlEvent(`<a b="${'x'.repeat(1_000_000)}`)],
    ['spaces in a tag', xmlEvent(`<a${' '.repeat(1_000_000)}`)],
    ['ampersands', xmlEvent('&'.repeat(1_000_000))],
  ])('of a million %s is refused', (_name, body) => expectRefused(XML, body), LIMIT_MS)

  it('named like a part of an object is refused', async () => {
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      await expectRefused(XML, xmlEvent(`<${name}><isAdmin>true</isAdmin></${name}>`))
    }
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined()
  })
})

describe.each([
  ['an event', 'application/json', (data: string) => `{"eventType":"t","body":${data}}`],
  ['a batch', JSON_BATCH, jsonEvent],
  ['an event of the event server', EVENT_SERVER, serverEvent],
] as const)('JSON of %s', (_title, type, around) => {
  const wide = (count: number) =>
    `{${Array.from({ length: count }, (_, n) => `"k${n}":0`).join(',')}}`

  it.each([
    ['a million arrays', '['.repeat(1_000_000)],
    ['a million arrays that end', '['.repeat(1_000_000) + ']'.repeat(1_000_000)],
    ['100,000 objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['100,000 keys', wide(100_000)],
    ['1,001 keys', wide(1001)],
    ['1,000,001 values', JSON.stringify(Array.from({ length: 1_000_001 }, () => 0))],
    ['a key twice', '{"a":1,"a":2}'],
    ['50 MB of text', JSON.stringify('x'.repeat(50_000_000))],
    ['a million signs', '-'.repeat(1_000_000)],
    ['a million quotes', '"'.repeat(1_000_001)],
    ['a million backslashes', `"${'\\'.repeat(1_000_001)}"`],
    ['a number of a million digits and a letter', `${'1'.repeat(1_000_000)}x`],
  ])('of %s is refused', (_name, data) => expectRefused(type, around(data)), LIMIT_MS)

  it(
    'of 500 objects whose keys collide costs no more than others',
    async () => {
      // Equal hashes in many engines: permutations of pairs whose polynomial hash is the same.
      const keys = Array.from({ length: 512 }, (_, n) =>
        Array.from({ length: 9 }, (_, bit) => ((n >> bit) & 1 ? 'Aa' : 'BB')).join(''),
      )
      const object = `{${keys.map((key) => `"${key}":0`).join(',')}}`
      await expectTaken(type, around(`[${Array.from({ length: 150 }, () => object).join(',')}]`))
    },
    LIMIT_MS,
  )

  it('of numbers that no machine holds is taken', () =>
    expectTaken(type, around('[1e999999,-0,0.10]')))
})

describe('a body that is compressed', () => {
  const zeros = Buffer.alloc(10_000_000)
  it.each([
    ['gzip', gzipSync(zeros)],
    ['x-gzip', gzipSync(zeros)],
    ['br', brotliCompressSync(zeros)],
    ['deflate', deflateSync(zeros)],
    ['gzip, gzip', gzipSync(gzipSync(zeros))],
    ['GZIP', gzipSync(zeros)],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
    ['nonsense', zeros.subarray(0, 10)],
  ])('by %s is 415 and nothing is unpacked', async (coding, body) => {
    for (const type of ['application/json', JSON_BATCH, XML, EVENT_SERVER]) {
      const app = await openTestApp()
      const answer = await post(app, type, body, { 'content-encoding': coding })
      expect([type, answer.status]).toEqual([type, 415])
      expect((await app.store.log.head()).count).toBe(0)
    }
  })
})
