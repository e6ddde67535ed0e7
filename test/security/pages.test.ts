/** Pages of ours, and what pages of others may do with them: no text becomes markup, and no click a change. */

import { XMLValidator } from 'fast-xml-parser'
import { describe, expect, it } from 'vitest'
import { pick } from '../crash/crash-run.ts'
import { VARIANTS } from '../support/apache-variants.ts'
import { basic } from '../support/executable.ts'
import { describeServers } from '../support/servers.ts'
import { openTestApp } from '../support/test-app.ts'
import { chance, corpus, keptCases, scaled, tried } from './security-run.ts'

const UNSHARED = VARIANTS.filter(({ suexec }) => !suexec)
const authorization = basic('a@b.c', 'pw')
const uuidOf = (n: number) => `0190b7a2-0000-7000-8000-${String(n).padStart(12, '0')}`

/** Names of elements and attributes of a page, in their order; what stands in quotes is text. */
function skeleton(html: string): string[] {
  const found: string[] = []
  let at = 0
  for (const [tag] of html.matchAll(/<(?:"[^"]*"|'[^']*'|[^'">])*>/g)) {
    const names = tag.replace(/"[^"]*"|'[^']*'/g, '""').toLowerCase()
    found.push(names)
    at++
  }
  if (at === 0) throw new Error('this is no page')
  return found
}

describe('text of events', () => {
  const MARKS = [
    '<',
    '>',
    '"',
    "'",
    '&',
    '`',
    '=',
    ' ',
    '/',
    '\u2028',
    ']]>',
    '-->',
    '\ud83c\udf89',
    'javascript:',
    'onerror',
    'script',
    '\\',
    '{{',
    '${',
    'a',
  ]
  /** A sample, in every place of an event that a page shows. */
  async function pagesOf(sample: string): Promise<string[]> {
    const { send } = await openTestApp()
    // A name cannot hold everything that a body can; what it cannot hold it is refused for.
    const name = sample.replaceAll('/', '').normalize('NFC').slice(0, 60) || 'x'
    const headers = { authorization, 'content-type': 'application/vnd.eventstore.events+json' }
    const event = (eventType: string) => [
      { eventId: uuidOf(1), eventType, data: { [sample]: sample }, metadata: { m: sample } },
    ]
    const post = (stream: string, eventType: string) =>
      send({
        method: 'POST',
        path: `/streams/${encodeURIComponent(stream)}`,
        headers,
        body: JSON.stringify(event(eventType)),
      })
    let stream = name
    if ((await post(stream, name)).status !== 201) {
      stream = 's'
      expect((await post('s', 't')).status).toBe(201)
    }
    const pages: string[] = []
    for (const path of [
      `/streams/${encodeURIComponent(stream)}`,
      `/streams/${encodeURIComponent(stream)}/0`,
      '/streams/$all',
    ]) {
      const page = await send({
        method: 'GET',
        path,
        query: 'embed=tryharder',
        headers: { authorization, accept: 'text/html' },
      })
      expect([path, page.status]).toEqual([path, 200])
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
      pages.push(page.body.toString())
      for (const accept of ['application/atom+xml', 'text/xml']) {
        const feed = await send({
          method: 'GET',
          path,
          query: 'embed=tryharder',
          headers: { authorization, accept },
        })
        if (feed.status === 200)
          expect([accept, XMLValidator.validate(feed.body.toString())]).toEqual([accept, true])
      }
    }
    return pages
  }

  it('stays text on every page: 500 pieces of markup in every field', async () => {
    const plain = (await pagesOf('plain')).map(skeleton)
    const random = chance(20_260_205)
    const samples = Array.from({ length: scaled(400) }, () =>
      Array.from({ length: 1 + Math.floor(random() * 6) }, () => pick(random, MARKS)).join(''),
    )
    const check = async (sample: string) => {
      for (const [n, page] of (await pagesOf(sample)).entries())
        expect([sample, n, skeleton(page)]).toEqual([sample, n, plain[n]])
    }
    for (const sample of keptCases('page')) await check(sample)
    for (const sample of [...corpus('markup'), ...samples]) await tried('page', sample, check)
  })

  it('stays text in the form of the set-up and in its refusals', async () => {
    const { createSetup } = await import('../../src/domain/setup.ts')
    const { createMemorySetupToken } = await import('../../src/storage/memory/setup-token.ts')
    const { setupRoutes } = await import('../../src/api/admin/setup.ts')
    const { testAccounts } = await import('../support/test-accounts.ts')
    const { sendTo } = await import('../support/app-send.ts')
    const { createApp } = await import('../../src/http/app.ts')
    const { defaultStyle } = await import('../../src/http/default-style.ts')
    const setup = createSetup(testAccounts().accounts, createMemorySetupToken())
    const send = sendTo(
      createApp({
        apis: [
          {
            prefixes: [],
            load: () => ({ routes: setupRoutes(setup), style: defaultStyle({ corsOrigins: [] }) }),
          },
        ],
        authenticate: async () => ({ name: '', role: 'reader', isAnonymous: true }),
        settings: { baseUrl: '' },
        report: () => {},
      }),
    )
    const pageOf = async (value: string) => {
      const body = new URLSearchParams({ token: value, name: value, password: 'x' }).toString()
      const page = await send({
        method: 'POST',
        path: '/setup',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body,
      })
      expect(page.status).toBe(403)
      return skeleton(page.body.toString())
    }
    const plain = await pageOf('plain')
    for (const sample of corpus('markup'))
      expect([sample, await pageOf(sample)]).toEqual([sample, plain])
  })
})

describeServers('a page of another origin', UNSHARED, (server) => {
  const event = '{"eventType":"t","body":1}'
  const FOREIGN = [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', origin: 'http://evil.example' },
    { 'sec-fetch-site': 'nonsense' },
  ]
  const FORMS = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    '',
  ]

  it('changes nothing with what a browser sends for it unasked', async () => {
    const before = await server().count()
    for (const foreign of FOREIGN) {
      for (const type of FORMS) {
        for (const path of [
          '/events',
          '/streams/s',
          '/storage/a.txt',
          '/user/update',
          '/events/verify',
          '/api/v1/streams/s/events',
          '/api/v1/search',
        ]) {
          const answer = await server().send(path, {
            method: 'POST',
            headers: { ...foreign, ...(type === '' ? {} : { 'content-type': type }) },
            body: event,
          })
          expect([path, foreign, type, answer.status]).toEqual([
            path,
            foreign,
            type,
            expect.toBeOneOf([401, 403, 415]),
          ])
        }
      }
    }
    expect(await server().count()).toBe(before)
  })

  it('changes nothing by a link, an image or a frame, whatever its address says', async () => {
    const before = await server().count()
    for (const target of [
      '/events',
      '/events?_method=POST',
      '/events?method=DELETE',
      '/storage/x?_method=DELETE',
      '/streams/s?_method=POST',
      '/user/update',
      '/admin/shutdown',
    ]) {
      const headers = {
        'sec-fetch-site': 'cross-site',
        'x-http-method-override': 'POST',
        'x-http-method': 'DELETE',
        'x-method-override': 'PUT',
      }
      const answer = await server().send(target, { headers })
      expect([target, answer.status]).toEqual([target, expect.toBeOneOf([200, 400, 404, 405, 406])])
    }
    expect(await server().count()).toBe(before)
    expect((await server().send('/ping')).status).toBe(200)
  })

  it('is never told that it may come with credentials', async () => {
    for (const path of [
      '/events',
      '/info',
      '/storage/x',
      '/streams/s',
      '/users',
      '/stats',
      '/api/v1/streams/s/events',
    ]) {
      for (const method of ['GET', 'OPTIONS', 'POST']) {
        const { headers } = await server().send(path, {
          method,
          headers: {
            origin: 'http://evil.example',
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'authorization',
          },
        })
        expect([path, method, headers['access-control-allow-credentials']]).toEqual([
          path,
          method,
          undefined,
        ])
        expect([path, method, headers['access-control-allow-origin'] ?? '*']).toEqual([
          path,
          method,
          '*',
        ])
      }
    }
  })
})
