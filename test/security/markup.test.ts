/** Text of others on pages of ours: no text becomes an element, an attribute or a link that acts. */

import { XMLValidator } from 'fast-xml-parser'
import { describe, expect, it } from 'vitest'
import { donePage, formPage } from '../../src/api/admin/setup-page.ts'
import { readRoot } from '../../src/api/apie/info.ts'
import { AppError } from '../../src/domain/app-error.ts'
import type { RequestContext } from '../../src/http/handler.ts'
import { setupRequiredPage } from '../../src/http/setup-required-page.ts'
import { pick } from '../crash/crash-run.ts'
import { httpRequest, wholeBody } from '../support/app-send.ts'
import { basic } from '../support/executable.ts'
import { openTestApp } from '../support/test-app.ts'
import { pageTree } from './page-tree.ts'
import { chance, corpus, keptCases, scaled, tried } from './security-run.ts'

const authorization = basic('a@b.c', 'pw')
const uuidOf = (n: number) => `0190b7a2-0000-7000-8000-${String(n).padStart(12, '0')}`

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

/** Pieces of markup: those of the list, some put together by chance, and those that failed once. */
function samples(): readonly string[] {
  const random = chance(20_260_205)
  const mixed = Array.from({ length: scaled(400) }, () =>
    Array.from({ length: 1 + Math.floor(random() * 6) }, () => pick(random, MARKS)).join(''),
  )
  return [...keptCases('page'), ...corpus('markup'), ...mixed]
}

/** Every page and feed on which an event is shown that says `sample` wherever it may. */
async function pagesOf(sample: string): Promise<{ pages: string[]; feeds: string[] }> {
  const { send } = await openTestApp()
  // A name cannot hold everything that a body can; what it cannot hold it is refused for.
  const name = sample.replaceAll('/', '').normalize('NFC').slice(0, 60) || 'x'
  const type = 'application/vnd.eventstore.events+json'
  const post = (path: string, eventType: string, data: unknown) =>
    send({
      method: 'POST',
      path,
      headers: { authorization, 'content-type': type },
      body: JSON.stringify([
        { eventId: uuidOf(1), eventType, data, metadata: { [sample]: sample } },
      ]),
    })
  const isName = (await post(`/streams/${encodeURIComponent(name)}`, name, sample)).status === 201
  const stream = isName ? encodeURIComponent(name) : 's'
  if (!isName) expect((await post('/streams/s', 't', sample)).status).toBe(201)
  expect(
    (await post(`/streams/${stream}/metadata`, '$metadata', { [sample]: sample })).status,
  ).toBe(201)
  const get = (path: string, accept: string) =>
    send({ method: 'GET', path, query: 'embed=tryharder', headers: { authorization, accept } })
  const pages: string[] = []
  const feeds: string[] = []
  for (const path of [
    `/streams/${stream}`,
    `/streams/${stream}/0`,
    `/streams/$$${stream}`,
    `/streams/$$${stream}/0`,
    '/streams/$all',
  ]) {
    const page = await get(path, 'text/html')
    expect([path, page.status]).toEqual([path, 200])
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    pages.push(page.body.toString())
    for (const accept of ['application/atom+xml', 'text/xml']) {
      const feed = await get(path, accept)
      if (feed.status === 200) feeds.push(feed.body.toString())
    }
  }
  return { pages, feeds }
}

/** The pages that are no event's: of a place, a name, a token, a message or an address that says `sample`. */
async function otherPagesOf(sample: string): Promise<string[]> {
  const problem = { place: sample, token: sample, name: sample, problem: sample }
  const required = new AppError('setup-required', sample, { setup: `http://h/${sample}` })
  const principal = { name: sample, role: 'admin', isAnonymous: false }
  const context = { baseUrl: `http://h/${sample}`, principal } as RequestContext
  const root = readRoot(sample)(httpRequest({ headers: { accept: 'text/html' } }), context)
  const responses = [
    formPage(403, problem),
    donePage(sample, sample),
    donePage(sample, undefined),
    setupRequiredPage(503, required),
    await root,
  ]
  const bodies = await Promise.all(responses.map(({ body }) => wholeBody(body)))
  return bodies.map(String)
}

describe('a page', () => {
  it('is told from one with other elements, attributes or links', () => {
    const tree = (body: string) => pageTree(`<!doctype html><title>t</title><p>${body}</p>`)
    const { outline, dangers } = tree('text')
    expect(dangers).toEqual([])
    for (const other of ['<b>x</b>', '<!-- x -->', '</p><p>x', '<template>x</template>']) {
      expect(tree(other).outline, other).not.toEqual(outline)
    }
    for (const danger of [
      '<script>x</script>',
      '<svg><script>x</script></svg>',
      '<template><script>x</script></template>',
      '<b onclick=x>x</b>',
      '<svg/onload=x>',
      '<a href="java\tscript:x">x</a>',
      '<a href=" JAVASCRIPT:x">x</a>',
      '<a href="&#106;avascript:x">x</a>',
      '<img src="data:text/html,x">',
      '<base href="//x">',
      '<b style="x">x</b>',
    ]) {
      expect(tree(danger).dangers, danger).toHaveLength(1)
    }
  })

  it('shows events that are full of markup as text: 500 pieces in every field', async () => {
    const plain = (await pagesOf('plain')).pages.map((page) => pageTree(page).outline)
    let compared = 0
    const check = async (sample: string) => {
      const { pages, feeds } = await pagesOf(sample)
      for (const [n, page] of pages.entries()) {
        expect([sample, n, pageTree(page)]).toEqual([sample, n, { outline: plain[n], dangers: [] }])
      }
      for (const feed of feeds) {
        expect([sample, XMLValidator.validate(feed)]).toEqual([sample, true])
      }
      compared++
    }
    for (const sample of samples()) await tried('page', sample, check)
    expect(compared).toBeGreaterThanOrEqual(scaled(500))
  })

  it('of the set-up and of the root shows names, tokens, messages and addresses as text', async () => {
    const plain = (await otherPagesOf('plain')).map((page) => pageTree(page).outline)
    const check = async (sample: string) => {
      for (const [n, page] of (await otherPagesOf(sample)).entries()) {
        expect([sample, n, pageTree(page)]).toEqual([sample, n, { outline: plain[n], dangers: [] }])
      }
    }
    for (const sample of samples()) await tried('page', sample, check)
  })

  it('of the set-up shows what was sent as text where it is refused', async () => {
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
      return pageTree(page.body.toString())
    }
    const plain = await pageOf('plain')
    expect(plain.dangers).toEqual([])
    for (const sample of corpus('markup'))
      expect([sample, await pageOf(sample)]).toEqual([sample, plain])
  })
})
