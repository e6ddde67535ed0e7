/** Cases about reading the log. */
import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import {
  append,
  type CorpusCase,
  EMPTY,
  expectError,
  get,
  hashesOf,
  json,
  putEvent,
  type Send,
  serverCase,
  signedInCase,
} from './corpus-request.ts'

const three = async (send: Send): Promise<[string, string, string]> => {
  const [h1, h2, h3] = await append(send, 3)
  return [h1?.hash ?? '', h2?.hash ?? '', h3?.hash ?? '']
}

/** A range of three events h1, h2, h3: its query, its events, and its tag. */
type Row = readonly [query: string, events: readonly number[], tag: number]

const ROWS: readonly Row[] = [
  ['from=h2', [2, 3], 3],
  ['to=h2', [1, 2], 2],
  ['from=h2&to=h2', [2], 2],
  ['after=h2', [3], 3],
  ['before=h2', [1], 1],
  ['after=h1&before=h3', [2], 2],
  ['limit=2', [1, 2], 2],
  ['limit=2&order=desc', [3, 2], 3],
  ['order=desc', [3, 2, 1], 3],
  ['order=desc&before=h3&limit=1', [2], 2],
  ['after=h1&limit=1', [2], 2],
  ['from=h1&from=h3', [1, 2, 3], 3],
]

export const RANGE_CASES: readonly CorpusCase[] = [
  signedInCase('an empty log is an empty list without a tag', async (send) => {
    const answer = await get(send, '/events')
    expect([answer.status, answer.body.toString()]).toEqual([200, '[]'])
    expect(answer.headers).not.toHaveProperty('etag')
    expect(answer.headers).not.toHaveProperty('x-apie-hash')
    expect((await get(send, '/events', { 'if-none-match': `"${EMPTY}"` })).status).toBe(200)
    const head = await send({ method: 'HEAD', path: '/events' })
    expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) })
    expect(head.headers).not.toHaveProperty('etag')
  }),
  signedInCase('ranges hold what their bounds say, under the tag of the highest', async (send) => {
    const hashes = await three(send)
    for (const [query, events, tag] of ROWS) {
      const filled = query.replace(/h([123])/g, (_, n) => hashes[n - 1] ?? '')
      const answer = await get(send, `/events?${filled}`)
      const found = (json(answer) as { hash: string }[]).map(({ hash }) => hash)
      expect([query, found]).toEqual([query, events.map((n) => hashes[n - 1])])
      expect(answer.headers['etag']).toContain(hashes[tag - 1])
      expect(answer.headers['x-apie-hash']).toBe(hashes[tag - 1])
    }
  }),
  signedInCase('a parameter of another name is 400 that names it, never left out', async (send) => {
    for (const name of ['limt', 'Limit', 'stream%20', '_', '__proto__']) {
      const answer = await get(send, `/events?order=asc&${name}=1`)
      expectError(answer, 400, 'bad-query', {
        parameter: decodeURIComponent(name),
      })
    }
  }),
  signedInCase(
    'a query that is not percent-encoded UTF-8 is 400, never looked for',
    async (send) => {
      for (const query of ['stream=%ff', 'type=%C3', 'limit=1&stream=a%C0%AE']) {
        const parameter = /(\w+)=[^&=]*$/.exec(query)?.[1]
        expectError(await get(send, `/events?${query}`), 400, 'bad-query', { parameter })
      }
      expect((await get(send, '/streams/%24all?embed=%ff')).status).toBe(400)
    },
  ),
  signedInCase('a range whose end lies before its start is empty', async (send) => {
    const [h1, h2, h3] = await three(send)
    expect(await hashesOf(send, `/events?from=${h3}&to=${h1}`)).toEqual([])
    expect(await hashesOf(send, `/events?after=${h3}`)).toEqual([])
    expect(await hashesOf(send, `/events?after=${h1}&before=${h2}`)).toEqual([])
  }),
  signedInCase('an unknown hash as a bound is 404', async (send) => {
    await three(send)
    for (const bound of ['from', 'to', 'after', 'before']) {
      for (const value of ['0'.repeat(64), 'x', '', 'E'.repeat(64)]) {
        expectError(await get(send, `/events?${bound}=${value}`), 404, 'event-not-found')
      }
    }
  }),
  signedInCase('a limit or an order that makes no sense is 400', async (send) => {
    const bad = ['limit=0', 'limit=1001', 'limit=-1', 'limit=1e3', 'limit=', 'limit=01']
    for (const query of [...bad, 'limit=9007199254740993', 'order=up']) {
      expectError(await get(send, `/events?${query}`), 400, 'bad-query')
    }
  }),
  signedInCase('a type that cannot be is 400 and names the parameter', async (send) => {
    for (const type of ['', 'a%2Fb', 'a%0Ab', 'x'.repeat(256)]) {
      expectError(await get(send, `/events?type=${type}`), 400, 'bad-query', { parameter: 'type' })
    }
  }),
  signedInCase('stream and type filter the log, alone and together', async (send) => {
    const write = async (stream: string, eventType: string) => {
      const [event] = await append(send, 1, { stream, eventType })
      return event?.hash ?? ''
    }
    const a1 = await write('a', 't')
    const b2 = await write('b', 't')
    const a3 = await write('a', 'u')
    const b4 = await write('b', 'u')
    const a5 = await write('a', 't')
    expect(await hashesOf(send, '/events?stream=a')).toEqual([a1, a3, a5])
    expect(await hashesOf(send, '/events?type=t')).toEqual([a1, b2, a5])
    expect(await hashesOf(send, '/events?stream=a&type=t')).toEqual([a1, a5])
    expect(await hashesOf(send, '/events?stream=c')).toEqual([])
    expect(await hashesOf(send, '/events?type=t&order=desc&limit=2')).toEqual([a5, b2])
    expect(await hashesOf(send, `/events?stream=a&after=${b2}`)).toEqual([a3, a5])
    expect(await hashesOf(send, `/events?stream=a&after=${a1}&before=${b4}`)).toEqual([a3])
    expect(await hashesOf(send, `/events?stream=b&to=${a3}`)).toEqual([b2])
    const tag = (await get(send, '/events?stream=b&order=desc')).headers['x-apie-hash']
    expect(tag).toBe(b4)
    expectError(await get(send, '/events?stream=a%2Fb'), 400, 'bad-name')
  }),
  serverCase('a client that has the newest event gets 304', async (send) => {
    const [h1, h2, h3] = await three(send)
    const known = [h3, `"${h3}"`, `W/"${h3}"`, `"${h3}-gzip"`, `"${h3};gzip"`, `"x", "${h3}"`, '*']
    for (const value of known) {
      const answer = await get(send, '/events', { 'if-none-match': value })
      expect([value, answer.status, answer.body.length]).toEqual([value, 304, 0])
      expect(answer.headers['etag']).toContain(h3)
    }
    const stale = await get(send, '/events', { 'if-none-match': `"${h2}", "${h1}"` })
    expect([stale.status, json(stale)]).toMatchObject([200, [{}, {}, {}]])
  }),
  serverCase('an array and lines of the same events have tags of their own', async (send) => {
    const [, , h3] = await three(send)
    const lines = { accept: 'application/x-ndjson' }
    const array = await get(send, '/events')
    const asLines = await get(send, '/events', lines)
    expect(array.headers['x-apie-hash']).toBe(h3)
    expect(asLines.headers['x-apie-hash']).toBe(h3)
    const [tag = '', linesTag = ''] = [array.headers['etag'], asLines.headers['etag']]
    expect(linesTag).toContain(`${h3}-ndjson`)
    expect(tag).not.toContain('ndjson')
    const status = async (headers: Record<string, string>) =>
      (await get(send, '/events', headers)).status
    expect(await status({ 'if-none-match': linesTag })).toBe(200)
    expect(await status({ 'if-none-match': linesTag, ...lines })).toBe(304)
    // Whoever names the event by its hash has the events, in whatever form.
    expect(await status({ 'if-none-match': h3, ...lines })).toBe(304)
    const append = { 'if-match': linesTag }
    expect((await putEvent(send, { eventType: 't', body: 1 }, append)).status).toBe(200)
  }),
  serverCase('HEAD tells the head of the log', async (send) => {
    const [, , h3] = await three(send)
    const answer = await send({ method: 'HEAD', path: '/events' })
    expect(answer).toMatchObject({ status: 200, body: Buffer.alloc(0) })
    expect(answer.headers).toMatchObject({ etag: expect.stringContaining(h3), 'x-apie-hash': h3 })
  }),
  signedInCase('an event is found under its hash', async (send) => {
    const [, h2] = await three(send)
    const answer = await get(send, `/events/${h2}`)
    expect([answer.status, json(answer)]).toMatchObject([200, { hash: h2, body: { n: 2 } }])
    expect(answer.headers).toMatchObject({
      etag: expect.stringContaining(h2),
      'x-apie-hash': h2,
      'cache-control': 'private, max-age=31536000, immutable',
    })
    const known = await get(send, `/events/${h2}`, { 'if-none-match': `"${h2}"` })
    expect([known.status, known.body.length]).toEqual([304, 0])
  }),
  signedInCase('an event that is not there is 404', async (send) => {
    const [h1] = await three(send)
    for (const hash of ['0'.repeat(64), h1.toUpperCase(), h1.slice(1), 'x']) {
      expectError(await get(send, `/events/${hash}`), 404, 'event-not-found')
    }
  }),
  ...[
    ['a JSON array', 'application/json', 'application/json; charset=utf-8'],
    ['lines', 'application/x-ndjson', 'application/x-ndjson'],
  ].map(([form, accept = '', type]) =>
    signedInCase(`a client can check the chain from ${form}`, async (send) => {
      await append(send, 2, { body: 'ä "hash":null} \\' })
      await append(send, 1, { stream: 's', metadata: { hash: null } })
      const answer = await get(send, '/events', { accept })
      expect(answer.headers['content-type']).toBe(type)
      const text = answer.body.toString()
      const lines = form === 'lines' ? text.split('\n').slice(0, -1) : arrayTexts(text)
      expect(lines).toHaveLength(3)
      let previous = EMPTY
      for (const line of lines) {
        const { hash } = JSON.parse(line) as { hash: string }
        const stored = line.replace(`"hash":"${hash}"`, '"hash":null')
        previous = createHash('sha256').update(`${previous}\n${stored}`).digest('hex')
        expect(hash).toBe(previous)
      }
    }),
  ),
  serverCase('more events than fit one piece come whole and in order', async (send) => {
    const text = 'x'.repeat(30_000)
    await append(send, 20, { body: text })
    const answer = await get(send, '/events')
    const events = json(answer) as { position: number; body: string }[]
    expect(events.map(({ position }) => position)).toEqual(Array.from({ length: 20 }, (_, n) => n))
    expect(events.every(({ body }) => body === text)).toBe(true)
  }),
  signedInCase('verifying a sound log says ok and how much was checked', async (send) => {
    await three(send)
    const answer = await send({ method: 'POST', path: '/events/verify' })
    expect([answer.status, json(answer)]).toMatchObject([200, { status: 'ok', events: 3 }])
  }),
]

/** The texts of the events in a JSON array, cut where one ends and the next begins. */
function arrayTexts(text: string): string[] {
  const cut = text.slice(1, -1).split(/(?<="hash":"[0-9a-f]{64}"\}),/)
  expect(text).toBe(`[${cut.join(',')}]`)
  return cut
}
