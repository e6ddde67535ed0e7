/**
 * Bytes that are nearly HTTP: whatever comes, the server answers soundly or ends the connection, fails nowhere
 * inside, serves the next one, and stores nothing that it was not sent whole.
 */
import { expect, it } from 'vitest'
import { count, pick, type Random } from '../crash/crash-run.ts'
import { VARIANTS } from '../support/apache-variants.ts'
import { sendRaw } from '../support/http-client.ts'
import { describeServers, type Server } from '../support/servers.ts'
import { inParallel } from '../support/use-apache.ts'
import { chance, corpus, keptCases, scaled, tried } from './security-run.ts'

/** Through `apie serve`; behind a web server each that it lets through is a process. */
const CASES = { serve: 100_000, apache: 600 }
const EVENT = '{"eventType":"t","body":1}'
const UUID = '0190b7a2-0000-7000-8000-0000000000aa'

/** Sound requests to begin with; path and credentials are filled in for each server. */
function seeds(): string[] {
  const head = (line: string, more = '') =>
    `${line.replace(' /', ' @PATH/')} HTTP/1.1\r\nHost: localhost\r\nAuthorization: @AUTHORIZATION\r\n${more}\r\n`
  const sized = `Content-Type: application/json\r\nContent-Length: ${EVENT.length}\r\n`
  const chunked = 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n'
  return [
    head('GET /events?limit=2'),
    head('HEAD /events'),
    head('OPTIONS /events', 'Origin: http://a.example\r\n'),
    head('GET /streams/s', 'Accept: application/atom+xml\r\n'),
    head('POST /events', sized) + EVENT,
    `${head('POST /events', chunked)}${EVENT.length.toString(16)}\r\n${EVENT}\r\n0\r\n\r\n`,
    head('POST /streams/s', `${sized}ES-EventType: t\r\nES-EventId: ${UUID}\r\n`) + EVENT,
    head('GET /api/v1/streams/s/events', `X-Consumer-ID: ${UUID}\r\n`),
    head('POST /api/v1/streams/s/events', `${sized}X-Producer-ID: ${UUID}\r\n`) + EVENT,
    `${head('PUT /storage/a.txt', 'Content-Length: 5\r\n')}hello`,
    head('GET /storage/x', 'Range: bytes=0-1\r\nIf-Range: "x"\r\n'),
  ]
}

const PIECES = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '"',
  '%',
  '%00',
  '%2f..',
  '?',
  '#',
  '\\',
  '\x7f',
  '\xff',
  '\x80',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/9.9',
  'http://evil.example',
  '*',
  '../',
  '//',
  'Host: evil.example\r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 99999999999999999999\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: upgrade\r\nUpgrade: h2c\r\n',
  'Expect: 100-continue\r\n',
  'Expect: x\r\n',
  ' folded\r\n',
  'X: y\r\n z\r\n',
  'TRACE ',
  'CONNECT x:1 ',
  'get ',
  `X: ${'a'.repeat(20_000)}\r\n`,
  'X: y\r\n'.repeat(2000),
  'a'.repeat(9000),
]

function mutated(random: Random, bytes: string): string {
  const at = Math.floor(random() * (bytes.length + 1))
  const end = Math.min(bytes.length, at + Math.floor(random() * 20))
  const around = (middle: string, from = at) => bytes.slice(0, at) + middle + bytes.slice(from)
  switch (Math.floor(random() * 5)) {
    case 0:
      return around(pick(random, PIECES))
    case 1:
      return around('', end)
    case 2:
      return around(String.fromCharCode(Math.floor(random() * 256)), at + 1)
    case 3:
      return around(bytes.slice(at, end))
    default:
      return bytes.slice(0, at)
  }
}

const SEEDS = seeds()

function fuzz(random: Random): string {
  let bytes = pick(random, SEEDS)
  for (let changes = Math.floor(random() * 4); changes >= 0; changes--)
    bytes = mutated(random, bytes)
  return random() < 0.1 ? bytes + pick(random, SEEDS) : bytes
}

/** Every answer begins as HTTP does, and none says that something went wrong inside. */
async function expectSound(server: Server, bytes: string): Promise<void> {
  const received = await sendRaw(server.port, bytes, { end: true }).catch((error) => {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return ''
    throw error
  })
  // Where the body never came there is nothing behind the leave to send it.
  const answer = received.replace(/^(?:HTTP\/1\.1 100 [^\r]*\r\n\r\n)+/, '')
  // Apache answers a request line without a version as HTTP/0.9 did: with the body alone.
  const isBodyAlone = server.path !== '' && !answer.startsWith('HTTP/')
  if (answer.includes('"code":"internal"')) throw new Error(answer.slice(0, 2000))
  if (answer === '' || isBodyAlone) return
  const [, status = '0'] = /^HTTP\/1\.[01] (\d{3}) /.exec(answer) ?? []
  const isSound = Number(status) >= 200 && Number(status) !== 500 && Number(status) < 506
  if (!isSound) throw new Error(answer.slice(0, 2000))
}

const UNSHARED = VARIANTS.filter(({ suexec }) => !suexec)

describeServers('requests with bytes changed', UNSHARED, (server) => {
  it('are answered soundly', async () => {
    const { path, authorization } = server()
    const check = (bytes: string) =>
      expectSound(
        server(),
        bytes.replaceAll('@PATH', path).replaceAll('@AUTHORIZATION', authorization),
      )
    const random = chance(20_260_203)
    const length = scaled(path === '' ? CASES.serve : CASES.apache)
    const cases = [...keptCases('bytes'), ...Array.from({ length }, () => fuzz(random))]
    await inParallel(cases, 16, (bytes) => tried('bytes', bytes, check))
    count('fuzzed requests', cases.length)
    const alive = await server().send('/events?limit=1')
    expect(alive.status).toBe(200)
    expect(server().errorLog()).not.toMatch(/code=internal|heap out of memory|FATAL/)
  })
})

describeServers('requests whose end can be seen in two places', VARIANTS, (server) => {
  it('are refused, or are one request with one body', async () => {
    const { path, authorization, port } = server()
    const hidden =
      `POST ${path}/events HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nConnection: close\r\n` +
      'Content-Length: 46\r\n\r\n{"eventType":"t","stream":"smuggled","body":1}'
    const vectors = corpus('smuggling').map((vector) =>
      vector
        .replace('POST /a', `POST ${path}/events`)
        .replace('Host: x', `Host: x\r\nAuthorization: ${authorization}`),
    )
    await inParallel(vectors, 8, async (vector) => {
      const answer = await sendRaw(port, vector + hidden, { end: true }).catch(() => '')
      const statuses = Array.from(answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm), ([, status]) =>
        Number(status),
      )
      // An event came in where the front took the second request for one of its own, never as part of the first.
      const isRefused = (statuses[0] ?? 400) >= 400
      if (isRefused) expect([vector, statuses.length <= 1 || path !== '']).toEqual([vector, true])
      for (const status of statuses)
        expect([vector, status]).toEqual([vector, expect.toBeOneOf([200, 400, 401, 413, 501])])
    })
    const events = await server().send('/events?stream=smuggled')
    if (path === '') expect(events.text).toBe('[]')
  })
})
