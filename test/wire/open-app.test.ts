import { describe, expect, test } from 'vitest'
import { readSettings } from '../../src/config.ts'
import { AppError } from '../../src/domain/app-error.ts'
import type { HttpRequest } from '../../src/http/message.ts'
import { migrateStore, openApp, openAppOrRefuse, openCommandStore } from '../../src/wire.ts'

const get = (path: string): HttpRequest => ({
  method: 'GET',
  path,
  query: '',
  headers: {},
  body: (async function* () {})(),
  contentLength: undefined,
  remoteAddress: '192.0.2.1',
  remoteUser: undefined,
  origin: 'http://localhost',
  mount: '',
})

const memory = (environment: Readonly<Record<string, string>> = {}) =>
  readSettings({ environment: { APIE_STORE: 'memory:', ...environment } })

describe('the app as it is put together', () => {
  test('answers /ping to everybody and events only to those whom the settings let in', async () => {
    const { app, close } = await openApp(memory({ APIE_ANONYMOUS: 'reader' }), 'many-requests')
    expect((await app(get('/ping'))).status).toBe(200)
    expect(await app(get('/events'))).toMatchObject({ status: 200 })
    await close()
  })

  test('is closed to all but set-up until there is an account, which may then do what its role may', async () => {
    const { app, accounts, close } = await openApp(memory(), 'many-requests')
    const closed = await app(get('/events'))
    expect(closed.status).toBe(503)
    expect(JSON.parse(String(closed.body))).toMatchObject({ code: 'setup-required' })
    expect((await app(get('/setup'))).status).toBe(200)
    const made = await accounts.addFirstAdmin({ name: 'ann', password: { kind: 'generate' } })
    const credentials = Buffer.from(`ann:${made?.generated}`).toString('base64')
    const authorization = `Basic ${credentials}`
    expect(await app({ ...get('/events'), headers: { authorization } })).toMatchObject({
      status: 200,
    })
    expect((await app(get('/events'))).status).toBe(401)
    expect((await app(get('/setup'))).status).toBe(404)
    await close()
  })

  test('takes the token that the settings give for the set-up', async () => {
    const token = 'twenty random letters'
    const { setup, close } = await openApp(memory({ APIE_SETUP_TOKEN: token }), 'many-requests')
    const password = { kind: 'generate' } as const
    await expect(setup.complete({ token: 'wrong', name: 'ann', password })).rejects.toMatchObject({
      code: 'setup-token-wrong',
    })
    expect(await setup.complete({ token, name: 'ann', password })).toHaveProperty('generated')
    expect(await setup.complete({ token, name: 'bob', password })).toBeUndefined()
    await close()
  })

  test('refuses an engine that is not there, naming what there is', async () => {
    await expect(openApp(memory({ APIE_STORE: 'mysql://u:p@h' }), 'many-requests')).rejects.toThrow(
      'store: there is no engine "mysql"; use "file:DIR", ',
    )
  })
})

const ENGINES = 'use "file:DIR", "postgresql://…", "mongodb://…" or "memory:"'

describe('an engine URL without an engine', () => {
  test.each([
    ['/tmp/x', 'store: to use the folder "/tmp/x", write "file:/tmp/x"'],
    ['bk', 'store: to use the folder "bk", write "file:bk"'],
    ['file:', 'store: "file:" needs a folder, as in "file:/srv/apie-data"'],
    ['Postgres://u:secret@h/d', `store: name an engine: ${ENGINES}`],
    ['//u:secret@h/d', `store: name an engine: ${ENGINES}`],
    ['mysql://u:secret@h', `store: there is no engine "mysql"; ${ENGINES}`],
  ])('%j is refused with what to write, never with a password', async (store, message) => {
    const settings = memory({ APIE_STORE: store })
    const refusal = { code: 'bad-setting', message }
    await expect(openCommandStore(settings, 'create')).rejects.toMatchObject(refusal)
    if (store !== 'file:') await expect(migrateStore(settings)).rejects.toMatchObject(refusal)
  })
})

describe('where nothing can be opened', () => {
  test('a storage failure is answered with its code and the time to come again', async () => {
    const { app } = await openAppOrRefuse(() => {
      throw new AppError('storage-full', 'There is no space left to store this')
    })
    const answer = await app(get('/events'))
    expect(answer.status).toBe(507)
    expect(JSON.parse(String(answer.body))).toMatchObject({ code: 'storage-full' })
  })

  test.each([
    [{ APIE_PORT: 'x' }, 'port'],
    [{ APIE_SETUP_TOKEN: 'x' }, 'setupToken'],
    [{ APIE_STORE: 'sqlite:x' }, 'store'],
  ])('of %j the setting is named', async (environment, setting) => {
    const { app } = await openAppOrRefuse(() => readSettings({ environment }))
    const answer = await app(get('/ping'))
    expect(JSON.parse(String(answer.body))).toMatchObject({ code: 'bad-setting', setting })
  })

  test('a bad setting is answered without a word from inside', async () => {
    const { app } = await openAppOrRefuse(() =>
      readSettings({ environment: { APIE_PORT: 'secret-value' } }),
    )
    const answer = await app(get('/events'))
    expect(answer.status).toBe(500)
    expect(String(answer.body)).not.toContain('secret-value')
    expect(JSON.parse(String(answer.body))).toMatchObject({
      code: 'bad-setting',
      reference: expect.stringMatching(/^[0-9a-f-]+$/),
    })
  })
})
