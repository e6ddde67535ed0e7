/** Bodies far beyond every limit, of each kind that a route reads: refused, nothing stored, memory stays flat. */

import http from 'node:http'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { VARIANTS } from '../support/apache-variants.ts'
import type { Received } from '../support/http-client.ts'
import { describeServers, type Server } from '../support/servers.ts'
import { errorCode } from '../support/use-apache.ts'

const MB = 1_000_000
const MOST_KIB = 96 * 1024
const PIECE = Buffer.alloc(MB / 4, 'x')

type Huge = {
  readonly method: string
  readonly path: string
  readonly type: string
  /** What stands before text without end. */
  readonly begin: string
  readonly headers?: Readonly<Record<string, string>>
}

const ID = '0190b7a2-0000-7000-8000-0000000000aa'
const EVENT = `{"eventId":"${ID}","eventType":"t","data":"`
const SERVER_EVENT =
  '{"event":{"name":"t","version":1},"system":{"id":"S","name":"s","time":"2026-01-31 12:00:00",' +
  '"timezone":"Europe/Berlin"},"trigger":{"type":"manual","name":"c"},"payload":{"a":"'

const post = (path: string, type: string, begin: string, headers = {}): Huge => {
  return { method: 'POST', path, type, begin, headers }
}
const atom = (what: string) => `application/vnd.eventstore.${what}`

const KINDS: readonly Huge[] = [
  post('/events', 'application/json', '{"eventType":"t","body":"'),
  { ...post('/events', 'application/json', '{"eventType":"t","body":"'), method: 'PUT' },
  post('/streams/s', atom('events+json'), `[${EVENT}`),
  post('/streams/s', atom('events+xml'), '<Events><Event><Data>'),
  post('/streams/s', 'application/json', '"', { 'es-eventtype': 't', 'es-eventid': ID }),
  post('/streams/s', 'text/xml', '<a>', { 'es-eventtype': 't', 'es-eventid': ID }),
  post('/streams/s', 'application/octet-stream', '', { 'es-eventtype': 't', 'es-eventid': ID }),
  post('/streams/s/metadata', 'application/json', '{"a":"', {
    'es-eventtype': '$metadata',
    'es-eventid': ID,
  }),
  { ...post('/subscriptions/s/g', 'application/json', '{"a":"'), method: 'PUT' },
  post('/users', 'application/json', '{"loginName":"'),
  post('/api/v1/streams/s/events', 'application/json', SERVER_EVENT, { 'x-producer-id': ID }),
  post('/api/v1/search', 'application/json', '{"query":"'),
  post('/user/update', 'application/json', '{"password":"'),
  post('/user/update', 'application/x-www-form-urlencoded', 'password='),
]

/** Sends `begin` and then text, `bytes` in all, in chunks, no faster than it is taken. */
function stream(server: Server, huge: Huge, bytes: number): Promise<Received> {
  const begin = Buffer.from(huge.begin)
  function* all(): Generator<Buffer> {
    if (begin.length > 0) yield begin
    for (let left = bytes - begin.length; left > 0; left -= PIECE.length) {
      yield PIECE.subarray(0, Math.min(left, PIECE.length))
    }
  }
  const { authorization } = server
  const headers = { authorization, 'content-type': huge.type, ...huge.headers }
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: '127.0.0.1',
      port: server.port,
      path: server.path + huge.path,
      method: huge.method,
      headers,
      agent: false,
    })
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const whole = Buffer.concat(chunks)
        const { statusCode: status = 0, statusMessage: reason = '' } = response
        resolve({ status, reason, headers: {}, bytes: whole, text: whole.toString() })
      })
    })
    // A server may refuse and close before it was sent everything; the answer then is there already.
    request.on('error', reject)
    Readable.from(all()).pipe(request)
  })
}

/** Whose processes they are makes no difference to what they take. */
const UNSHARED = VARIANTS.filter(({ suexec }) => !suexec)

describeServers('huge bodies', UNSHARED, (server) => {
  it.each(KINDS)('$method $path of $type: 100 MB are refused in little memory', async (huge) => {
    const before = await server().count()
    const { answer, grownKib } = await server().watch(stream(server(), huge, 100 * MB))
    expect([answer.status, answer.text.slice(0, 200)]).toEqual([
      expect.toBeOneOf([400, 413]),
      expect.any(String),
    ])
    expect(grownKib).toBeLessThan(MOST_KIB)
    expect(await server().count()).toBe(before)
  })

  it('of a gigabyte are refused in little memory', async () => {
    const event = post('/events', 'application/json', '{"eventType":"t","body":"')
    const { answer, grownKib } = await server().watch(stream(server(), event, 1000 * MB))
    expect([answer.status, errorCode(answer.text)]).toEqual([413, 'body-too-large'])
    expect(grownKib).toBeLessThan(MOST_KIB)
  })

  it('that are content are stored and sent in little memory', async () => {
    const upload = { method: 'PUT', path: '/storage/a.bin', type: 'text/plain', begin: '' }
    const put = await server().watch(stream(server(), upload, 100 * MB))
    expect([put.answer.status, put.grownKib < MOST_KIB]).toEqual([200, true])
    const { hash, size } = JSON.parse(put.answer.text) as { hash: string; size: number }
    expect(size).toBe(100 * MB)
    const got = await server().watch(server().send(`/storage/${hash}`))
    expect([got.answer.bytes.length, got.grownKib < MOST_KIB]).toEqual([100 * MB, true])
  })
})
