/** Headers of answers: what keeps stored bytes, errors and pages from becoming more than they are. */

import { describe, expect, it } from 'vitest'
import { pick } from '../crash/crash-run.ts'
import { VARIANTS } from '../support/apache-variants.ts'
import { basic } from '../support/executable.ts'
import type { Received } from '../support/http-client.ts'
import { describeServers } from '../support/servers.ts'
import { openTestApp } from '../support/test-app.ts'
import { chance, corpus, keptCases, scaled, tried } from './security-run.ts'

const UNSHARED = VARIANTS.filter(({ suexec }) => !suexec)
const UUID = '0190b7a2-0000-7000-8000-0000000000aa'
const authorization = basic('a@b.c', 'pw')

describeServers('what is stored', UNSHARED, (server) => {
  it('cannot run in a browser, whatever it says it is', async () => {
    for (const line of corpus('active-content')) {
      const [type = '', name = '', bytes = ''] = line.split('|')
      const put = await server().send(`/storage/${name}`, {
        method: 'PUT',
        headers: { 'content-type': type },
        // Equal bytes keep the type that they came with first.
        body: `${bytes}<!-- ${type} ${name} -->`,
      })
      expect([line, put.status]).toEqual([line, 200])
      const { hash } = JSON.parse(put.text) as { hash: string }
      const got = await server().send(`/storage/${hash}`)
      expect(got.headers['content-type']?.toLowerCase()).toBe(type.toLowerCase())
      expect([line, got.status, got.headers]).toMatchObject([
        line,
        200,
        {
          'x-content-type-options': 'nosniff',
          'content-security-policy': 'sandbox',
          'content-disposition': expect.stringMatching(/^attachment;/),
          'cross-origin-resource-policy': 'same-origin',
        },
      ])
    }
  })

  it('as an event of its own type cannot run in a browser either', async () => {
    const types = ['application/xml', 'text/xml', 'application/octet-stream', 'application/json']
    const page = '<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>'
    for (const [n, type] of types.entries()) {
      const headers = { 'content-type': type, 'es-eventtype': 't', 'es-eventid': UUID }
      const path = `/streams/active-${n}`
      const posted = await server().send(path, { method: 'POST', headers, body: page })
      expect([type, posted.status]).toEqual([type, 201])
      for (const accept of [type, 'text/html', '*/*', 'application/atom+xml']) {
        const got = await server().send(`${path}/0`, { headers: { accept } })
        if (got.status === 406) continue
        expect([type, accept, got.status]).toEqual([type, accept, 200])
        expect([type, accept, got.headers['x-content-type-options']]).toEqual([
          type,
          accept,
          'nosniff',
        ])
        const served = got.headers['content-type'] ?? ''
        if (/json|octet-stream/.test(served)) continue
        const policy = got.headers['content-security-policy'] ?? ''
        expect([type, accept, served, policy]).toEqual([
          type,
          accept,
          served,
          expect.stringMatching(/^sandbox|default-src 'none'/),
        ])
      }
    }
  })
})

describeServers('every answer', UNSHARED, (server) => {
  const PATHS = [
    '/',
    '/info',
    '/events',
    '/events?limit=x',
    '/events/x',
    `/events/${'0'.repeat(64)}`,
    '/nope',
    '/storage/x',
    '/ping',
    '/health',
    '/health/live',
    '/setup',
    '/streams/nope',
    '/streams/$all',
    '/streams/a/0',
    '/stats',
    '/gossip',
    '/info/options',
    '/users',
    '/subscriptions',
    '/%',
    '/%ff',
    '/..',
    '/streams/a/',
    '/api/v1/health',
    '/api/v1/metrics',
    '/api/v1/nope',
    '/api/v1/producers/x/streams/y/events',
  ]
  const all: [string, Received][] = []
  const answers = async (): Promise<readonly [string, Received][]> => {
    if (all.length > 0) return all
    for (const path of PATHS) {
      for (const headers of [{}, { accept: 'text/html' }, { authorization: 'Basic eDp5' }]) {
        for (const method of ['GET', 'DELETE']) {
          all.push([
            `${method} ${path} ${JSON.stringify(headers)}`,
            await server().send(path, { method, headers }),
          ])
        }
      }
    }
    return all
  }
  /** Apache itself refuses some paths, with a page of its own. */
  const isOurs = ({ headers, text }: Received) =>
    !(headers['server'] && text.includes('<!DOCTYPE HTML PUBLIC'))

  it('is never guessed, framed, shared by caches or led elsewhere', async () => {
    for (const [name, answer] of await answers()) {
      if (!isOurs(answer)) continue
      const { headers, status } = answer
      expect([name, headers['x-content-type-options']]).toEqual([name, 'nosniff'])
      expect([name, headers['vary']]).toEqual([name, expect.stringMatching(/\bAuthorization\b/)])
      const cache = headers['cache-control'] ?? ''
      if (status >= 400) expect([name, cache]).toEqual([name, expect.stringContaining('no-store')])
      const type = headers['content-type'] ?? ''
      if (type.includes('html')) {
        expect([name, headers]).toMatchObject([
          name,
          {
            'x-frame-options': 'DENY',
            'content-security-policy': expect.stringMatching(
              /default-src 'none'.*frame-ancestors 'none'/,
            ),
          },
        ])
      }
      if (type.includes('json') && !type.includes('atom+json'))
        expect([name, type]).toEqual([name, expect.stringContaining('charset=utf-8')])
      const location = headers['location']
      if (location !== undefined)
        expect([name, location]).toEqual([
          name,
          expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/|^\/(?!\/)/),
        ])
      expect([name, headers['access-control-allow-credentials']]).toEqual([name, undefined])
    }
  })

  it('says nothing of the machine: no path, no environment, no stack, no credentials', async () => {
    const password =
      Buffer.from(server().authorization.slice(6), 'base64').toString().split(':')[1] ?? ''
    for (const [name, answer] of await answers()) {
      if (!isOurs(answer)) continue
      const all = `${JSON.stringify(answer.headers)}\n${answer.text}`
      expect([name, all]).toEqual([name, expect.not.stringContaining(server().dataFolder)])
      expect([name, all]).toEqual([name, expect.not.stringContaining(password)])
      expect([
        name,
        all.match(/\bat .*\.[cm]?[jt]s:\d+|GATEWAY_INTERFACE|\/usr\/|\/home\/|node:internal/),
      ]).toEqual([name, null])
    }
    const log = server().errorLog()
    expect(log).not.toContain(password)
    expect(log).not.toContain(server().authorization.slice(6))
  })
})

describe('text of a client', () => {
  const PIECES = [
    '\r\n',
    '\n',
    '\r',
    '\0',
    'X-Evil: 1',
    'Set-Cookie: a=b',
    '"',
    ';',
    '\\',
    '%',
    '%0d%0a',
    'é',
    '\u2028',
    '\u0085',
    '\u560d\u560a',
    'a',
    ' ',
    ',',
    '=',
    '\ud83c\udf89',
    '<',
    '>',
    '://evil.example',
    '..',
    '/',
  ]
  const isSafe = (value: unknown) =>
    [value].flat().every((line) => /^[\t\x20-\x7e\x80-\xff]*$/.test(String(line)))

  it('never becomes a header: 10,000 pieces at every place that comes back in one', async () => {
    const random = chance(20_260_204)
    const { send, reports } = await openTestApp()
    const check = async (sample: string) => {
      const encoded = encodeURIComponent(sample.toWellFormed())
      const printable = sample.replace(/[^\x20-\x7e]/g, '')
      const put = await send({
        method: 'PUT',
        path: `/storage/${encoded}`,
        headers: { authorization, 'content-type': printable },
        body: sample,
      })
      const answers = [put]
      if (put.status === 200) {
        const { hash } = JSON.parse(put.body.toString()) as { hash: string }
        answers.push(
          await send({ method: 'GET', path: `/storage/${hash}`, headers: { authorization } }),
        )
      }
      const stream = `/streams/${encoded}`
      const forwarded = {
        'x-forwarded-host': printable,
        'x-forwarded-prefix': printable,
        'x-forwarded-proto': printable,
      }
      answers.push(
        await send({
          method: 'POST',
          path: stream,
          headers: {
            authorization,
            'content-type': 'application/json',
            'es-eventtype': printable,
            'es-eventid': UUID,
            ...forwarded,
          },
          body: '{}',
        }),
        await send({
          method: 'POST',
          path: stream,
          headers: { authorization, 'content-type': 'application/json', 'es-eventtype': 't' },
          body: '{}',
        }),
        await send({
          method: 'GET',
          path: `${stream}/`,
          headers: { authorization, origin: printable, ...forwarded },
        }),
        await send({
          method: 'GET',
          path: '/events',
          headers: {
            authorization,
            'if-none-match': printable,
            range: printable,
            accept: printable,
          },
        }),
        await send({
          method: 'OPTIONS',
          path: '/events',
          headers: { origin: printable, 'access-control-request-headers': printable },
        }),
      )
      for (const { status, headers } of answers) {
        expect(status).toBeLessThan(500)
        for (const [name, value] of Object.entries(headers)) {
          expect(name).toMatch(/^[a-z0-9-]+$/)
          expect(isSafe(value), `${name}: ${JSON.stringify(value)}`).toBe(true)
          expect(name).not.toBe('x-evil')
        }
        const location = headers['location']
        if (location !== undefined) expect(location).toMatch(/^https?:\/\/[a-z0-9._:-]+\/[!-~]*$/i)
      }
      expect(reports.splice(0)).toEqual([])
    }
    for (const sample of keptCases('header')) await check(sample)
    for (let n = 0; n < scaled(10_000); n++) {
      const length = 1 + Math.floor(random() * 8)
      const sample = Array.from({ length }, () => pick(random, PIECES)).join('')
      await tried('header', sample, check)
    }
  })
})
