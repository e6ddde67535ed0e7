/**
 * Requests put together by chance, whole as HTTP but of any method, path, query, header and body, over
 * connections that are kept: each gets one answer, framed as it says, that tells of no failure inside.
 */
import { expect, it } from 'vitest'
import { count, inParallel, pick, type Random, tell } from '../crash/crash-run.ts'
import { describeServers, type Server } from '../support/servers.ts'
import { type Ahead, sendAhead } from './keep-alive.ts'
import { chance, keptCases, scaled, tried } from './security-run.ts'

const CASES = 50_000
/** As many as the server takes in ahead of its answers. */
const AHEAD = 16
const CONNECTIONS = 24

const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']
const PATHS = [
  '/',
  '/events',
  '/events/verify',
  '/storage',
  '/storage/a.txt',
  '/streams/s',
  '/streams/$all',
  '/streams/$$s',
  '/streams/s/0',
  '/streams/s/head/backward/5',
  '/streams/s/metadata',
  '/streams/s/incoming/x',
  '/subscriptions/s/g',
  '/subscriptions/s/g/1',
  '/users',
  '/users/x',
  '/user/update',
  '/info',
  '/stats',
  '/setup',
  '/health',
  '/api/v1/health',
  '/api/v1/streams',
  '/api/v1/producers/p/streams/s/events',
  '/api/v1/consumers/c/streams/s/events',
]
/** What a path, a query or a header is made of; every byte may stand in a target and in a header. */
const TEXTS = [
  '',
  '0',
  '1',
  '-1',
  '1e3',
  '9007199254740993',
  'head',
  'backward',
  'forward',
  'asc',
  'desc',
  'x',
  '*',
  '"x"',
  '%00',
  '%0d%0a',
  '%2f',
  '%2e%2e',
  '..',
  '%ff',
  '%',
  '%e2%80%ae',
  '%7b%22a%22:1%7d',
  '$all',
  '$$s',
  '__proto__',
  'null',
  'a'.repeat(300),
  'f'.repeat(64),
  '0190b7a2-0000-7000-8000-0000000000aa',
]
const QUERIES = ['order', 'stream', 'type', 'from', 'offset', 'embed', 'format', 'after', 'since']
const TYPES = [
  'application/json',
  'application/vnd.eventstore.events+json',
  'application/vnd.eventstore.events+xml',
  'text/xml',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'nonsense',
  ';',
]
const HEADERS = [
  'Accept',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'Range',
  'Origin',
  'Cookie',
  'X-Producer-Id',
  'ES-ExpectedVersion',
  'ES-EventType',
  'ES-EventId',
  'ES-ResolveLinkTos',
  'X-Forwarded-Host',
  'X-HTTP-Method-Override',
  'Content-Encoding',
  'Expect',
  'Authorization',
]
const BODIES = [
  '',
  '{',
  '[]',
  'null',
  '"x"',
  '{"eventType":"t","body":1}',
  '{"eventType":"t","stream":"s","body":{"__proto__":1}}',
  '{"eventType":1,"body":1}',
  '[{"eventId":"x","eventType":"t","data":1}]',
  '[{"eventId":"0190b7a2-0000-7000-8000-0000000000aa","eventType":"t","data":1}]',
  '<Events><Event></Event></Events>',
  '<!DOCTYPE a>',
  '{"a":1,"a":2}',
  'a=1&a=2',
  '\0\xff\xfe',
  '['.repeat(200),
]

/** A request whose head and body are as they say; what stands in them is any. */
function request(random: Random, authorization: string): string {
  const text = () => pick(random, TEXTS)
  const path = random() < 0.6 ? pick(random, PATHS) : `${pick(random, PATHS)}/${text()}`
  const more = Array.from(
    { length: Math.floor(random() * 3) },
    () => `&${random() < 0.8 ? pick(random, QUERIES) : text()}=${text()}`,
  )
  // A list without a limit would grow with every event that the run stores.
  const query = `?limit=${random() < 0.7 ? 2 : text()}${more.join('')}`
  const method = random() < 0.98 ? pick(random, METHODS) : 'PROPFIND'
  const isBodiless = method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
  const body = isBodiless && random() < 0.95 ? '' : pick(random, BODIES)
  const headers = [
    'Host: localhost',
    ...(random() < 0.95 ? [`Authorization: ${authorization}`] : []),
    ...(body === '' ? [] : [`Content-Type: ${pick(random, TYPES)}`]),
    ...(body === '' && isBodiless ? [] : [`Content-Length: ${body.length}`]),
  ]
  for (let n = Math.floor(random() * 3); n > 0; n--) {
    const name = pick(random, HEADERS)
    // A second one of these would make it another request than the one that is meant.
    if (name !== 'Authorization' && name !== 'Expect') headers.push(`${name}: ${text()}`)
  }
  return `${method} ${path}${query} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`
}

/** @returns how many of them were answered */
async function answerAll(server: Server, requests: readonly string[]): Promise<number> {
  const ahead = requests.map(
    (bytes): Ahead => ({ bytes: filled(bytes, server), isHead: bytes.startsWith('HEAD ') }),
  )
  const answers = await sendAhead(server.port, ahead)
  for (const { status, head, body } of answers) {
    const isSound = status !== 500 && status < 506 && !body.includes('"code":"internal"')
    if (!isSound) throw new Error(head + body.slice(0, 2000))
  }
  return answers.length
}

const filled = (bytes: string, { authorization }: Server) =>
  bytes.replace('@AUTHORIZATION', authorization)

describeServers('requests made by chance, one behind another', [], (server) => {
  it('get one sound answer each', async () => {
    const random = chance(20_260_301)
    const cases = Array.from({ length: scaled(CASES) }, () => request(random, '@AUTHORIZATION'))
    const all = [...keptCases('request'), ...cases]
    const groups = Array.from({ length: Math.ceil(all.length / AHEAD) }, (_, n) =>
      all.slice(n * AHEAD, (n + 1) * AHEAD),
    )
    const since = performance.now()
    await inParallel(groups, CONNECTIONS, async (group) => {
      for (let left = group; left.length > 0; ) {
        const answered = await answerAll(server(), left).catch(() => 0)
        // One that is wrong among others is found by sending each alone.
        if (answered === 0) await tried('request', left[0] ?? '', oneAlone)
        left = left.slice(Math.max(1, answered))
      }
    })
    count('fuzzed requests', all.length)
    tell(`${Math.round((all.length * 1000) / (performance.now() - since))} requests a second`)
    expect((await server().send('/events?limit=1')).status).toBe(200)
    expect(server().errorLog()).not.toMatch(/code=internal|heap out of memory|FATAL/)
  })

  async function oneAlone(bytes: string): Promise<void> {
    expect(await answerAll(server(), [bytes])).toBe(1)
  }
})
