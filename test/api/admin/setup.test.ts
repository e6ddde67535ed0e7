import { describe, expect, it } from 'vitest'
import { setupRoutes } from '../../../src/api/admin/setup.ts'
import { chosenToken, createSetup } from '../../../src/domain/setup.ts'
import { createApp } from '../../../src/http/app.ts'
import { createAuthenticate } from '../../../src/http/basic-auth.ts'
import { defaultStyle } from '../../../src/http/default-style.ts'
import { createMemorySetupToken } from '../../../src/storage/memory/setup-token.ts'
import { createPostgresSetupToken } from '../../../src/storage/postgres/setup-token.ts'
import { sendTo } from '../../support/app-send.ts'
import { testAccounts } from '../../support/test-accounts.ts'

async function open() {
  const { accounts, signIn } = testAccounts()
  const token = createMemorySetupToken()
  const setup = createSetup(accounts, token)
  const app = createApp({
    apis: [
      {
        prefixes: [],
        load: () => ({ routes: setupRoutes(setup), style: defaultStyle({ corsOrigins: [] }) }),
      },
    ],
    authenticate: createAuthenticate({
      signIn,
      isKnownName: async () => true,
      accounts,
      setup,
      settings: { anonymous: 'none', trustRemoteUser: false },
    }),
    settings: { baseUrl: '' },
    report: () => {},
  })
  const send = sendTo(app)
  const post = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
    send({
      method: 'POST',
      path: '/setup',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(fields).toString(),
    })
  const postJson = (value: unknown) =>
    send({
      method: 'POST',
      path: '/setup',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(value),
    })
  return { accounts, signIn, send, post, postJson, token: await token.make() }
}

const codeIn = (body: Buffer): unknown => JSON.parse(body.toString()).code

describe('a site without an account', () => {
  const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

  it('says where the token stands, whatever the store is kept in', async () => {
    const { accounts } = testAccounts()
    const { read, change } = { read: async () => [], change: async () => [] }
    const tokens = [createPostgresSetupToken({ read, change } as never), createMemorySetupToken()]
    const setups = [...tokens, chosenToken('x'.repeat(20), createMemorySetupToken())].map((token) =>
      createSetup(accounts, token),
    )
    expect(setups.map(({ tokenPlace }) => tokenPlace)).toEqual([
      'the table "apie_setup" of the database',
      'the memory of the program, where nobody can read it; set your own with the setting setupToken',
      'the setting setupToken',
    ])
    const { send, post } = await open()
    const asked = await send({ method: 'GET', path: '/setup' })
    expect(asked.body.toString()).toContain('the memory of the program')
    const refused = await post({ token: 'wrong', name: 'ann', password: '' })
    expect(refused.body.toString()).toContain('not the token that stands in the memory of')
  })

  it('shows a browser a page with the way to the set-up, and a program the code', async () => {
    const { send } = await open()
    const page = await send({ method: 'GET', path: '/', headers: { accept: BROWSER } })
    expect(page).toMatchObject({
      status: 503,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'retry-after': '2',
        'x-frame-options': 'DENY',
      },
    })
    expect(page.headers['vary']).toContain('Accept')
    expect(page.body.toString()).toContain('<a href="/setup">')
    for (const accept of ['*/*', 'application/json']) {
      const answer = await send({ method: 'GET', path: '/', headers: { accept } })
      expect([answer.status, codeIn(answer.body)]).toEqual([503, 'setup-required'])
    }
    const post = await send({ method: 'POST', path: '/events', headers: { accept: BROWSER } })
    expect(codeIn(post.body)).toBe('setup-required')
  })
})

describe('the set-up page', () => {
  it('is a form that loads nothing, runs nothing and may not be framed', async () => {
    const { send, token } = await open()
    const { status, headers, body } = await send({ method: 'GET', path: '/setup' })
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    })
    const html = body.toString()
    expect(html).toContain('<form method="post">')
    expect(html).toContain('The token stands in')
    expect(html).not.toContain(token)
    expect(html).not.toMatch(/<script|style|src=|href=/)
  })

  it('is the only path that answers before there is an account', async () => {
    const { send } = await open()
    for (const path of ['/', '/events', '/nope']) {
      const answer = await send({ method: 'GET', path })
      expect([path, answer.status, codeIn(answer.body)]).toEqual([path, 503, 'setup-required'])
      expect(JSON.parse(answer.body.toString())).toMatchObject({ setup: '/setup' })
    }
  })

  it('makes the first admin with a password that is shown once, and is gone', async () => {
    const { send, post, token, signIn } = await open()
    const { status, headers, body } = await post({
      token: ` ${token}\n`,
      name: 'a@b.c',
      password: '',
    })
    expect(status).toBe(200)
    expect(headers['cache-control']).toBe('no-store')
    const password = /<code>([A-Za-z0-9]{24})<\/code>/.exec(body.toString())?.[1] ?? ''
    expect(await signIn('a@b.c', password, '')).toMatchObject({ name: 'a@b.c', role: 'admin' })
    expect((await send({ method: 'GET', path: '/setup' })).status).toBe(404)
    expect((await post({ token, name: 'b', password: 'x' })).status).toBe(404)
    expect((await send({ method: 'GET', path: '/events' })).status).toBe(401)
  })

  it('takes a chosen password and does not show it', async () => {
    const { post, token, signIn } = await open()
    const { body } = await post({ token, name: 'a<b>', password: 'my own' })
    expect(body.toString()).not.toContain('my own')
    expect(body.toString()).toContain('a&#60;b&#62;')
    expect(await signIn('a<b>', 'my own', '')).toMatchObject({ role: 'admin' })
  })

  it('takes JSON as well', async () => {
    const { postJson, token, signIn } = await open()
    const { status, body } = await postJson({ token, name: 'a' })
    const document = JSON.parse(body.toString())
    expect([status, document]).toEqual([
      200,
      { status: 'ok', name: 'a', role: 'admin', password: expect.stringMatching(/^\w{24}$/) },
    ])
    expect(await signIn('a', document.password, '')).toMatchObject({ role: 'admin' })
  })

  it.each(['', 'x', 'ABCDEFGHIJKLMNOPQRSTUVWX'])('refuses the token %j', async (token) => {
    const { post, postJson, accounts } = await open()
    const page = await post({ token, name: 'a"><script>', password: 'secret word' })
    expect(page.status).toBe(403)
    expect(page.body.toString()).toContain('This is not the token')
    expect(page.body.toString()).toContain('value="a&#34;&#62;&#60;script&#62;"')
    expect(page.body.toString()).not.toContain('secret word')
    const document = await postJson({ token, name: 'a' })
    expect([document.status, codeIn(document.body)]).toEqual([403, 'setup-token-wrong'])
    expect(await accounts.hasAny()).toBe(false)
  })

  it('says what is wrong with a name or a password and lets one try again', async () => {
    const { post, postJson, token } = await open()
    const page = await post({ token, name: 'a:b', password: '' })
    expect([page.status, page.body.toString()]).toEqual([
      400,
      expect.stringContaining('account name must not contain &#34;:&#34;'),
    ])
    expect((await post({ token, name: 'a', password: 'x\u0000' })).status).toBe(400)
    for (const value of [[], { token, name: 5 }, { token }]) {
      expect((await postJson(value)).status).toBe(400)
    }
    expect((await post({ token, name: 'a', password: 'x' })).status).toBe(200)
  })

  it('makes exactly one admin where several ask at once', async () => {
    const { post, token, accounts } = await open()
    const answers = await Promise.all(
      ['a', 'a', 'b', 'c'].map((name) => post({ token, name, password: '' })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404, 404])
    expect(await accounts.list()).toHaveLength(1)
  })

  it('refuses a form of another origin, and takes its own behind plain HTTP', async () => {
    const { post, token } = await open()
    const fields = { token, name: 'a', password: '' }
    expect((await post(fields, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await post(fields, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await post(fields, { origin: 'http://localhost:8000' })).status).toBe(200)
  })
})
