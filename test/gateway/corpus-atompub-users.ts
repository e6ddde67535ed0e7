/** Cases about the accounts of the program under `/users`. */
import { expect } from 'vitest'
import {
  basic,
  type CorpusAnswer,
  type CorpusCase,
  FORWARDED,
  get,
  json,
  type Send,
  serverCase,
  signedInCase,
} from './corpus-request.ts'

const post = (send: Send, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  change(send, 'POST', path, body, headers)

async function change(
  send: Send,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<CorpusAnswer> {
  return send({
    method,
    path,
    headers: { 'content-type': 'application/json', ...FORWARDED, ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

const ANNA = { loginName: 'anna', fullName: 'Anna A.', groups: ['$ops', 'x'], password: 'secret' }

const expectStatus = (answer: CorpusAnswer, status: number): void =>
  expect(answer.status, answer.body.toString()).toBe(status)

function expectChallenge(answer: CorpusAnswer): void {
  expectStatus(answer, 401)
  expect(answer.headers['www-authenticate']).toBe('Basic realm="ES"')
  expect(answer.body.toString()).toBe('')
}

/** What is told of an account, without its links and time. */
async function shown(send: Send, path: string): Promise<Record<string, unknown>> {
  const answer = await get(send, path, FORWARDED)
  expectStatus(answer, 200)
  const { data } = json(answer) as { data: Record<string, unknown> }
  const { links: _links, dateLastUpdated: _time, ...others } = data
  return others
}

export const ATOMPUB_USER_CASES: readonly CorpusCase[] = [
  serverCase('an account is made, told and never shows its password', async (send) => {
    const made = await post(send, '/users/', ANNA)
    expectStatus(made, 201)
    expect(made.headers['location']).toMatch(/^http:\/\/apie\.example:2113(\/.*)?\/users\/anna$/)
    expect(made.body.toString()).toBe(
      '{\n  "loginName": "anna",\n  "success": true,\n  "error": "Success"\n}',
    )
    const answer = await get(send, '/users/anna', FORWARDED)
    expect(json(answer)).toEqual({
      success: true,
      error: 'Success',
      data: {
        loginName: 'anna',
        fullName: 'Anna A.',
        groups: ['$ops', 'x'],
        dateLastUpdated: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        disabled: false,
        links: [
          ['reset-password', '/command/reset-password'],
          ['change-password', '/command/change-password'],
          ['edit', ''],
          ['delete', ''],
          ['disable', '/command/disable'],
        ].map(([rel, path]) => ({
          href: expect.stringMatching(
            new RegExp(`^http://apie.example:2113(/.*)?/users/anna${path}$`),
          ),
          rel,
        })),
      },
    })
    expect(answer.body.toString()).not.toMatch(/secret|scrypt/)
  }),
  signedInCase('accounts are listed by name, the one that asks among them', async (send) => {
    await post(send, '/users', ANNA)
    for (const path of ['/users', '/users/']) {
      const answer = await get(send, path, FORWARDED)
      expectStatus(answer, 200)
      const { data } = json(answer) as { data: { loginName: string; groups: string[] }[] }
      expect(data.map(({ loginName, groups }) => [loginName, groups])).toEqual([
        ['a@b.c', ['$admins']],
        ['anna', ['$ops', 'x']],
      ])
    }
  }),
  signedInCase(
    'accounts are told in XML to whoever asks for it, and in nothing else',
    async (send) => {
      await post(send, '/users', { ...ANNA, fullName: 'A & B' })
      for (const type of ['application/xml', 'text/xml']) {
        const answer = await get(send, '/users/anna', { ...FORWARDED, accept: type })
        expectStatus(answer, 200)
        expect(answer.headers['content-type']).toBe(`${type}; charset=utf-8`)
        expect(answer.body.toString()).toMatch(
          /^<\?xml version="1.0" encoding="utf-8"\?><User><success>true<\/success>.*<fullName>A &amp; B<\/fullName><groups>\$ops<\/groups><groups>x<\/groups>/,
        )
      }
      expectStatus(await get(send, '/users?format=xml', FORWARDED), 200)
      const refused = await post(
        send,
        '/users',
        { ...ANNA, loginName: 'b' },
        { accept: 'text/html' },
      )
      expectStatus(refused, 406)
      expectStatus(await get(send, '/users/b'), 404)
    },
  ),
  signedInCase('$current is the account that asks', async (send) => {
    const current = { loginName: 'a@b.c', fullName: '', groups: ['$admins'], disabled: false }
    expect(await shown(send, '/users/$current')).toEqual(current)
    expect(await shown(send, '/users/%24current')).toEqual(current)
  }),
  signedInCase('names of members are taken in any case', async (send) => {
    const body = { LOGINNAME: 'bert', FullName: 'B', Groups: ['$ADMINS'], PASSWORD: 'p' }
    expectStatus(await post(send, '/users', body), 201)
    expect(await shown(send, '/users/bert')).toMatchObject({ fullName: 'B', groups: ['$ADMINS'] })
  }),
  signedInCase(
    'the same account made again is made; another one of its name is not',
    async (send) => {
      expectStatus(await post(send, '/users', ANNA), 201)
      expectStatus(await post(send, '/users', ANNA), 201)
      for (const other of [{ password: 'x' }, { fullName: 'Other' }, { groups: ['$admins'] }]) {
        const answer = await post(send, '/users', { ...ANNA, ...other })
        expectStatus(answer, 409)
        expect(json(answer)).toEqual({ loginName: 'anna', success: false, error: 'Conflict' })
      }
    },
  ),
  signedInCase('an account that cannot be made is 400, and nothing is stored', async (send) => {
    const bodies = [
      {},
      { ...ANNA, loginName: '' },
      { ...ANNA, loginName: 'a:b' },
      { ...ANNA, loginName: 5 },
      { ...ANNA, password: '' },
      { ...ANNA, password: undefined },
      { ...ANNA, groups: 'x' },
      { ...ANNA, groups: [''] },
      [],
    ]
    for (const body of bodies) expectStatus(await post(send, '/users', body), 400)
    const broken = { 'content-type': 'application/json' }
    const parts = { method: 'POST', path: '/users', headers: broken, body: '{' }
    expectStatus(await send(parts), 400)
    expectStatus(await get(send, '/users/anna'), 404)
  }),
  serverCase('a body that is not JSON is 415', async (send) => {
    for (const type of ['', 'text/plain', 'application/json; charset=latin1']) {
      const answer = await post(send, '/users', ANNA, { 'content-type': type })
      expectStatus(answer, 415)
    }
    const utf8 = { 'content-type': 'application/json; charset=UTF-8' }
    expectStatus(await post(send, '/users', ANNA, utf8), 201)
  }),
  signedInCase('an account is edited, and its role follows the group $admins', async (send) => {
    await post(send, '/users', ANNA)
    const anna = basic('anna', 'secret')
    expectStatus(await get(send, '/users', anna), 401)
    const edited = await change(send, 'PUT', '/users/anna', { fullName: 'A', groups: ['$admins'] })
    expectStatus(edited, 200)
    expect(json(edited)).toEqual({ loginName: 'anna', success: true, error: 'Success' })
    expectStatus(await get(send, '/users', { ...FORWARDED, ...anna }), 200)
    const information = json(await get(send, '/info', anna))
    expect(information).toMatchObject({ auth: { user: { email: 'anna', role: 'admin' } } })
    expectStatus(await change(send, 'PUT', '/users/anna', { fullName: 'A' }), 200)
    expectStatus(await get(send, '/users', anna), 401)
    expect(await shown(send, '/users/anna')).toMatchObject({ fullName: 'A', groups: [] })
  }),
  signedInCase('an account that is removed cannot sign in, and its name is free', async (send) => {
    await post(send, '/users', ANNA)
    expectStatus(await send({ method: 'DELETE', path: '/users/anna' }), 200)
    expectStatus(await get(send, '/events', basic('anna', 'secret')), 401)
    expectStatus(await post(send, '/users', { ...ANNA, password: 'other' }), 201)
    expectStatus(await get(send, '/events', basic('anna', 'other')), 200)
  }),
  signedInCase('a disabled account is refused everywhere until it is enabled', async (send) => {
    await post(send, '/users', ANNA)
    const anna = basic('anna', 'secret')
    expectStatus(await post(send, '/users/anna/command/disable'), 200)
    expect(await shown(send, '/users/anna')).toMatchObject({ disabled: true })
    const links = (await get(send, '/users/anna', FORWARDED)).body.toString()
    expect(links).toContain('/users/anna/command/enable"')
    for (const path of ['/events', '/users/anna', '/stats/es', '/nope']) {
      expectStatus(await get(send, path, anna), 401)
    }
    expectStatus(await post(send, '/users/anna/command/enable'), 200)
    expectStatus(await get(send, '/events', anna), 200)
  }),
  signedInCase('a password is reset by an admin', async (send) => {
    await post(send, '/users', ANNA)
    const reset = (body: unknown, headers = {}) =>
      post(send, '/users/anna/command/reset-password', body, headers)
    expectStatus(await reset({ newPassword: 'n' }, basic('anna', 'secret')), 401)
    expectStatus(await reset({}), 400)
    expectStatus(await reset({ NewPassword: 'n' }), 200)
    expectStatus(await get(send, '/events', basic('anna', 'secret')), 401)
    expectStatus(await get(send, '/events', basic('anna', 'n')), 200)
  }),
  signedInCase('a password is changed by its owner, who knows it', async (send) => {
    await post(send, '/users', ANNA)
    const anna = basic('anna', 'secret')
    const path = '/users/anna/command/change-password'
    const wanted = { currentPassword: 'secret', newPassword: 'n' }
    expectChallenge(await post(send, path, wanted))
    expectChallenge(await post(send, path, { ...wanted, currentPassword: 'x' }, anna))
    expectStatus(await get(send, '/events', anna), 200)
    expectStatus(await post(send, path, wanted, anna), 200)
    expectStatus(await get(send, '/events', anna), 401)
    expectStatus(await get(send, '/events', basic('anna', 'n')), 200)
  }),
  signedInCase('an account that is not there is 404 for every change', async (send) => {
    const answers = [
      await get(send, '/users/nobody'),
      await change(send, 'PUT', '/users/nobody', { fullName: '', groups: [] }),
      await send({ method: 'DELETE', path: '/users/nobody' }),
      await post(send, '/users/nobody/command/enable'),
      await post(send, '/users/nobody/command/disable'),
      await post(send, '/users/nobody/command/reset-password', { newPassword: 'n' }),
    ]
    for (const answer of answers) {
      expectStatus(answer, 404)
      expect(json(answer)).toEqual({ loginName: 'nobody', success: false, error: 'NotFound' })
    }
    expectStatus(await post(send, '/users/a@b.c/command/dance'), 404)
  }),
  signedInCase('the last admin stays, enabled and in its group', async (send) => {
    const answers = [
      await send({ method: 'DELETE', path: '/users/a@b.c' }),
      await post(send, '/users/a@b.c/command/disable'),
      await change(send, 'PUT', '/users/a@b.c', { fullName: '', groups: ['$ops'] }),
    ]
    for (const answer of answers) {
      expectStatus(answer, 409)
      expect(json(answer)).toEqual({ loginName: 'a@b.c', success: false, error: 'Conflict' })
    }
  }),
  signedInCase('who is no admin sees and changes nobody else', async (send) => {
    await post(send, '/users', ANNA)
    await post(send, '/users', { ...ANNA, loginName: 'bert' })
    const anna = basic('anna', 'secret')
    const answers = [
      await get(send, '/users', anna),
      await get(send, '/users/bert', anna),
      await get(send, '/users/nobody', anna),
      await post(send, '/users', { ...ANNA, loginName: 'carl' }, anna),
      await change(send, 'PUT', '/users/anna', { fullName: '', groups: ['$admins'] }, anna),
      await send({ method: 'DELETE', path: '/users/bert', headers: anna }),
      await post(send, '/users/bert/command/disable', undefined, anna),
    ]
    for (const answer of answers) expectChallenge(answer)
    expectStatus(await get(send, '/users/anna', { ...FORWARDED, ...anna }), 200)
    expectStatus(await get(send, '/users/$current', { ...FORWARDED, ...anna }), 200)
  }),
  {
    name: 'accounts are not told to whoever has no credentials, or wrong ones',
    run: async (send) => {
      expectChallenge(await get(send, '/users'))
      expectChallenge(await get(send, '/users/$current'))
      expectChallenge(await get(send, '/users/a@b.c', basic('a@b.c', 'x')))
      expectChallenge(await get(send, '/users/a@b.c', basic('nobody', 'pw')))
    },
  },
]
