import { describe, expect, it } from 'vitest'
import type { Role } from '../../src/domain/account.ts'
import { createSetup } from '../../src/domain/setup.ts'
import { createAuthenticate } from '../../src/http/basic-auth.ts'
import type { HttpRequest } from '../../src/http/message.ts'
import { createMemorySetupToken } from '../../src/storage/memory/setup-token.ts'
import { httpRequest } from '../support/app-send.ts'
import { chosen, codeOf, testAccounts } from '../support/test-accounts.ts'

type Options = { readonly anonymous?: 'none' | Role; readonly trustRemoteUser?: boolean }

function open({ anonymous = 'none', trustRemoteUser = false }: Options = {}) {
  const test = testAccounts()
  const authenticate = createAuthenticate({
    signIn: test.signIn,
    isKnownName: async (name) => (await test.accounts.find(name)) !== undefined,
    accounts: test.accounts,
    setup: createSetup(test.accounts, createMemorySetupToken()),
    settings: { anonymous, trustRemoteUser },
  })
  const ask = (authorization?: string, more: Partial<HttpRequest> = {}) =>
    authenticate(httpRequest({ headers: { authorization }, ...more }))
  return { ...test, ask }
}

async function withAccount(options: Options = {}) {
  const opened = open(options)
  await opened.accounts.add({ name: 'a@b.c', role: 'writer', password: chosen('p:w ü') })
  await opened.accounts.add({ name: 'Jürgen', role: 'admin', password: chosen('') }).catch(() => {})
  return opened
}

const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64')
const RIGHT = base64('a@b.c:p:w ü')

describe('the Authorization header', () => {
  it.each([`Basic ${RIGHT}`, `basic ${RIGHT}`, `BASIC   ${RIGHT} `])(
    'as %j signs in',
    async (value) => {
      const { ask } = await withAccount()
      expect(await ask(value)).toEqual({ name: 'a@b.c', role: 'writer', isAnonymous: false })
    },
  )

  it('is cut at the first colon: a password may hold more of them', async () => {
    const { ask, accounts } = await withAccount()
    await accounts.add({ name: 'b', role: 'reader', password: chosen(':x:') })
    expect(await ask(`Basic ${base64('b::x:')}`)).toMatchObject({ name: 'b' })
  })

  it.each([undefined, '', '  '])(
    'that is %j did not arrive, and the answer says what to do',
    async (value) => {
      const { ask } = await withAccount()
      await expect(ask(value)).rejects.toMatchObject({
        code: 'credentials-missing',
        facts: { header: 'Authorization', hint: expect.stringContaining('CGIPassAuth On') },
      })
    },
  )

  it.each([
    ['two values joined', `Basic ${RIGHT}, Basic ${RIGHT}`, 'came more than once'],
    ['another scheme', 'Bearer abc', 'is not of the scheme Basic'],
    ['a scheme that begins alike', `Basics ${RIGHT}`, 'is not of the scheme Basic'],
    ['nothing after the scheme', 'Basic', 'is not valid Base64'],
    ['no Base64', 'Basic %%%', 'is not valid Base64'],
    [
      'Base64 without its end',
      `Basic ${base64('a@b.c:p').replace(/=+$/, '')}`,
      'is not valid Base64',
    ],
    ['the letters of URLs', 'Basic YTp-_w==', 'is not valid Base64'],
    ['Base64 in two parts', `Basic ${RIGHT.slice(0, 4)} ${RIGHT.slice(4)}`, 'is not valid Base64'],
    ['bytes that are not UTF-8', `Basic ${base64(Uint8Array.of(97, 58, 255))}`, 'is not UTF-8'],
    ['no colon', `Basic ${base64('a@b.c')}`, 'has no ":"'],
    ['9 KB of anything', `Basic ${'A'.repeat(9000)}`, 'has no ":"'],
  ])('with %s is refused and costs no work', async (_name, value, problem) => {
    const { ask, hasher } = await withAccount()
    hasher.calls.length = 0
    await expect(ask(value)).rejects.toMatchObject({
      code: 'credentials-wrong',
      message: expect.stringContaining(problem),
    })
    expect(hasher.calls).toEqual([])
  })

  it('with a wrong password is another refusal than without one, and never anonymous', async () => {
    const { ask } = await withAccount({ anonymous: 'admin' })
    expect(await codeOf(ask(`Basic ${base64('a@b.c:x')}`))).toBe('credentials-wrong')
  })

  it('names nobody who is known, where everybody may do everything: it counts as absent', async () => {
    const { ask, hasher } = await withAccount({ anonymous: 'admin' })
    hasher.calls.length = 0
    for (const name of ['nobody', '', 'no\nname']) {
      const principal = await ask(`Basic ${base64(`${name}:changeit`)}`)
      expect(principal).toEqual({ name: 'anonymous', role: 'admin', isAnonymous: true })
    }
    expect(hasher.calls).toEqual([])
    const { ask: askWriter } = await withAccount({ anonymous: 'writer' })
    expect(await codeOf(askWriter(`Basic ${base64('nobody:x')}`))).toBe('credentials-wrong')
  })

  it('of a disabled account is as wrong as any other', async () => {
    const { ask, accounts } = await withAccount({ anonymous: 'admin' })
    await accounts.changeDisabled('a@b.c', true)
    expect(await codeOf(ask(`Basic ${RIGHT}`))).toBe('credentials-wrong')
    await accounts.changeDisabled('a@b.c', false)
    expect(await ask(`Basic ${RIGHT}`)).toMatchObject({ name: 'a@b.c' })
  })

  it('counts failures for the address that the gateway saw, not for one a header names', async () => {
    const { ask } = await withAccount()
    const headers = (n: number) => ({
      authorization: `Basic ${base64(`a@b.c:${n}`)}`,
      'x-forwarded-for': `198.51.${n}.1`,
    })
    for (let n = 0; n < 10; n++) await codeOf(ask('', { headers: headers(n) }))
    expect(await codeOf(ask('', { headers: headers(10) }))).toBe('too-many-attempts')
  })
})

describe('requests without credentials', () => {
  it.each(['reader', 'writer', 'admin'] as const)(
    'are a %s where the setting says so',
    async (role) => {
      const { ask } = await withAccount({ anonymous: role })
      expect(await ask()).toEqual({ name: 'anonymous', role, isAnonymous: true })
    },
  )

  it('are let in by that setting also before there is an account', async () => {
    expect(await open({ anonymous: 'reader' }).ask()).toMatchObject({ role: 'reader' })
  })
})

describe('REMOTE_USER', () => {
  const remote = { remoteUser: 'a@b.c' }

  it('is nobody unless the setting says to trust it', async () => {
    const { ask } = await withAccount()
    expect(await codeOf(ask(undefined, remote))).toBe('credentials-missing')
  })

  it('is the account of that name, whatever the header says to the web server', async () => {
    const { ask } = await withAccount({ trustRemoteUser: true })
    for (const header of [undefined, `Basic ${base64('a@b.c:of Apache')}`]) {
      expect(await ask(header, remote)).toEqual({
        name: 'a@b.c',
        role: 'writer',
        isAnonymous: false,
      })
    }
  })

  it('brings the groups of the account, and is refused where that is disabled', async () => {
    const { ask, accounts } = await withAccount({ trustRemoteUser: true })
    await accounts.describe('a@b.c', { fullName: '', groups: ['$ops'] })
    expect(await ask(undefined, remote)).toMatchObject({ role: 'writer', groups: ['$ops'] })
    await accounts.changeDisabled('a@b.c', true)
    expect(await codeOf(ask(undefined, remote))).toBe('access-denied')
  })

  it('without an account of that name may do nothing', async () => {
    const { ask } = await withAccount({ trustRemoteUser: true, anonymous: 'admin' })
    expect(await codeOf(ask(undefined, { remoteUser: 'x' }))).toBe('access-denied')
    expect(await codeOf(ask(undefined, { remoteUser: 'a:b' }))).toBe('access-denied')
  })

  it('leaves the header where the web server named nobody', async () => {
    const { ask } = await withAccount({ trustRemoteUser: true })
    expect(await ask(`Basic ${RIGHT}`, { remoteUser: '' })).toMatchObject({ name: 'a@b.c' })
  })
})

describe('before there is an account', () => {
  it.each([
    ['no credentials', undefined, {}],
    ['any credentials', `Basic ${RIGHT}`, {}],
    ['a broken header', 'Basic %%%', {}],
    ['a user of the web server', undefined, { remoteUser: 'a@b.c' }],
  ])('a request with %s is told to set up', async (_name, header, more) => {
    const { ask } = open({ trustRemoteUser: true })
    await expect(ask(header, { ...more, mount: '/cgi-bin/apie' })).rejects.toMatchObject({
      code: 'setup-required',
      facts: { setup: '/cgi-bin/apie/setup' },
    })
  })
})
