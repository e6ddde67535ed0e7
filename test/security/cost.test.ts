/**
 * Text that makes a careless parser try again and again, and clients that ask for much. Sizes are such that work
 * which grows with their square would not end before the time of a test does.
 */

import { describe, expect, it } from 'vitest'
import { logLine } from '../../src/kit/log-line.ts'
import { pick } from '../crash/crash-run.ts'
import { basic } from '../support/executable.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { describeServers } from '../support/servers.ts'
import { openTestApp } from '../support/test-app.ts'
import { chance, scaled } from './security-run.ts'

const LIMIT_MS = 20_000
const authorization = basic('a@b.c', 'pw')
const MILLION = 1_000_000

const STRINGS: readonly (readonly [string, string])[] = [
  ['letters', 'a'.repeat(MILLION)],
  ['spaces', ' '.repeat(MILLION)],
  ['spaces and a letter', `${' '.repeat(MILLION)}a`],
  ['commas', ','.repeat(MILLION)],
  ['commas and spaces', ', '.repeat(MILLION / 2)],
  ['quotes', '"'.repeat(MILLION)],
  ['tags', '"a",'.repeat(MILLION / 4)],
  ['open tags', 'W/"'.repeat(MILLION / 3)],
  ['slashes', '/'.repeat(MILLION)],
  ['types', 'a/b;q=0.1,'.repeat(MILLION / 10)],
  ['parameters', `a/b${';a=b'.repeat(MILLION / 4)}!`],
  ['quoted parameters', `a/b${';a="b"'.repeat(MILLION / 6)};`],
  ['stars', '*/*,'.repeat(MILLION / 4)],
  ['ranges', `bytes=${'0-1,'.repeat(MILLION / 4)}`],
  ['dashes', `bytes=${'-'.repeat(MILLION)}`],
  ['digits', '9'.repeat(MILLION)],
  ['dots', `${'a.'.repeat(MILLION / 2)}!`],
  ['colons', ':'.repeat(MILLION)],
  ['credentials', `Basic ${'A'.repeat(MILLION)}`],
  ['spaces in credentials', `Basic ${' '.repeat(MILLION)}A`],
  ['percents', '%'.repeat(MILLION)],
  ['gzip marks', '-gzip'.repeat(MILLION / 5)],
]
const HEADERS = [
  'accept',
  'if-match',
  'if-none-match',
  'range',
  'if-range',
  'content-type',
  'content-encoding',
  'authorization',
  'origin',
  'host',
  'cookie',
  'x-forwarded-host',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-producer-id',
  'es-expectedversion',
  'es-eventid',
  'es-eventtype',
  'es-longpoll',
  'es-resolvelinktos',
  'access-control-request-headers',
  'sec-fetch-site',
]

describe.each(STRINGS)('a header of a million characters, %s,', (_name, text) => {
  it(
    'is answered at once',
    async () => {
      const { send, reports } = await openTestApp()
      for (const name of HEADERS) {
        for (const [method, path] of [
          ['GET', '/events'],
          ['POST', '/events'],
          ['GET', '/streams/s'],
          ['POST', '/streams/s'],
          ['GET', '/storage/x'],
        ] as const) {
          const headers = { authorization, 'content-type': 'application/json', [name]: text }
          const answer = await send({
            method,
            path,
            headers,
            ...(method === 'POST' && { body: '{"eventType":"t","body":1}' }),
          })
          expect([name, method, path, answer.status < 500]).toEqual([name, method, path, true])
        }
      }
      expect(reports).toEqual([])
    },
    LIMIT_MS,
  )
})

describe('a line of the log', () => {
  it('is one line of at most 4096 characters without control characters, whatever it tells of', () => {
    const random = chance(20_260_208)
    const pieces = [
      '\n',
      '\r',
      '\r\n',
      '\0',
      '\u001b[31m',
      '\u009b',
      '\u2028',
      '\u202e',
      '\\',
      '"',
      '=',
      ' ',
      'error ',
      '2026-01-01T00:00:00.000Z error ',
      'Basic YTpiYzpkZWY=',
      'x'.repeat(2000),
      '\ud800',
      'é',
    ]
    for (let n = 0; n < scaled(1000); n++) {
      const text = Array.from({ length: 1 + Math.floor(random() * 12) }, () =>
        pick(random, pieces),
      ).join('')
      const line = logLine({
        atMs: 0,
        level: 'error',
        message: text,
        facts: { code: text, path: text },
      })
      expect(line.length).toBeLessThanOrEqual(4096)
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029\p{Bidi_Control}]/u)
      expect(line).not.toContain('YTpiYzpkZWY=')
    }
  })
})

describeServers('a client that reads much and slowly', [], (server) => {
  it('keeps no other from being served: 100 whole logs at once', async () => {
    const event = JSON.stringify({ eventType: 't', body: 'x'.repeat(100_000) })
    for (let n = 0; n < 30; n++) await server().send('/events', { method: 'POST', body: event })
    const { port, authorization: own } = server()
    const readers = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const connection = await connectRaw(port)
        connection.socket.pause()
        connection.write(`GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: ${own}\r\n\r\n`)
        return connection
      }),
    )
    for (let n = 0; n < 20; n++) {
      expect(
        (await server().send('/events', { method: 'POST', body: '{"eventType":"t","body":1}' }))
          .status,
      ).toBe(200)
      expect((await server().send('/events?limit=1&order=desc')).status).toBe(200)
    }
    for (const { socket } of readers) socket.destroy()
    expect((await server().send('/events?limit=1')).status).toBe(200)
  }, 60_000)
})
