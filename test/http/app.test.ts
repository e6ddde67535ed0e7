import { describe, expect, it } from 'vitest'
import type { Principal } from '../../src/domain/account.ts'
import { AppError } from '../../src/domain/app-error.ts'
import { createApp } from '../../src/http/app.ts'
import { defaultStyle } from '../../src/http/default-style.ts'
import type { Handler, Route } from '../../src/http/handler.ts'
import { httpRequest, sendTo } from '../support/app-send.ts'

const reader: Principal = { name: 'r', role: 'reader', isAnonymous: false }

const ok: Handler = async (_request, context) => ({
  status: 200,
  headers: {},
  body: JSON.stringify({ name: context.principal.name, base: context.baseUrl }),
})

function open(
  handler: Handler = ok,
  options: {
    readonly access?: Route['access']
    readonly authenticate?: () => Promise<Principal>
    readonly corsOrigins?: readonly string[]
    readonly baseUrl?: string
    readonly method?: Route['method']
  } = {},
) {
  const reports: [string, unknown][] = []
  const { access = 'reader', method = 'GET', baseUrl = '', corsOrigins = [] } = options
  const app = createApp({
    apis: [
      {
        prefixes: [],
        load: () => ({
          routes: [{ method, path: '/x', access, handler }],
          style: defaultStyle({ corsOrigins }),
        }),
      },
    ],
    authenticate: options.authenticate ?? (async () => reader),
    settings: { baseUrl },
    report: (reference, error) => reports.push([reference, error]),
  })
  return { app, send: sendTo(app), reports }
}

const fail = (error: unknown): Handler => {
  return async () => {
    throw error
  }
}

const refuse = (error: AppError) => async (): Promise<Principal> => {
  throw error
}

describe('the app', () => {
  it('answers an unknown error with a reference that is reported, and nothing of the error', async () => {
    const error = new TypeError('secret of the inside')
    const { send, reports } = open(fail(error))
    const answer = await send({ method: 'GET', path: '/x' })
    expect(answer.status).toBe(500)
    const [[reference, reported] = []] = reports
    expect(reported).toBe(error)
    expect(JSON.parse(answer.body.toString())).toEqual({
      status: 'error',
      errorMessage: `Something went wrong inside; the log tells more under ${reference}`,
      code: 'internal',
      reference,
    })
  })

  it('shows the facts of a known error, which cannot replace the shape', async () => {
    const facts = { field: 'a', status: 'fine', code: 'none', errorMessage: '' }
    const { send, reports } = open(fail(new AppError('bad-field', 'Not so', facts)))
    const answer = await send({ method: 'GET', path: '/x' })
    expect(answer.status).toBe(400)
    expect(answer.body.toString()).toBe(
      '{"status":"error","errorMessage":"Not so","code":"bad-field","field":"a"}',
    )
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(reports).toEqual([])
  })

  it('reports trouble of the storage and says when to come back', async () => {
    const { send, reports } = open(fail(new AppError('lock-timeout', 'Busy')))
    const answer = await send({ method: 'GET', path: '/x' })
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '2'])
    expect(JSON.parse(answer.body.toString())).toMatchObject({ reference: reports[0]?.[0] })
  })

  it.each(['a\r\nset-cookie: x=1', 'a\nb', 'a\u0000b', '\u0100'])(
    'answers 500 rather than send the header value %j',
    async (value) => {
      const { send, reports } = open(async () => ({ status: 200, headers: { 'x-name': value } }))
      const answer = await send({ method: 'GET', path: '/x' })
      expect(answer.status).toBe(500)
      expect(answer.headers).not.toHaveProperty('x-name')
      expect(reports).toHaveLength(1)
    },
  )

  it('answers 503 setup-required everywhere but on public routes while there is no account', async () => {
    const authenticate = refuse(new AppError('setup-required', 'No account yet'))
    const { send } = open(ok, { authenticate })
    for (const path of ['/x', '/nope']) {
      const answer = await send({ method: 'GET', path })
      expect([path, answer.status]).toEqual([path, 503])
      expect(answer.headers['retry-after']).toBe('2')
      expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'setup-required' })
    }
    const open2 = open(ok, { authenticate, access: 'public' })
    expect((await open2.send({ method: 'GET', path: '/x' })).status).toBe(200)
  })

  it('refuses a role that is too small', async () => {
    const { send } = open(ok, { access: 'writer' })
    const answer = await send({ method: 'GET', path: '/x' })
    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'access-denied' })
  })

  it('names seconds until the next attempt where the error knows them', async () => {
    const error = new AppError('too-many-attempts', 'Later', { retryAfterSeconds: 17 })
    const { send } = open(ok, { authenticate: refuse(error) })
    const answer = await send({ method: 'GET', path: '/x' })
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, '17'])
  })

  it('builds links from the setting, or from the mount, never from what the client named', async () => {
    const request = httpRequest({
      path: '/x',
      origin: 'http://evil.example',
      mount: '/cgi-bin/apie',
    })
    const baseOf = async (baseUrl: string) =>
      JSON.parse(String((await open(ok, { baseUrl }).app(request)).body)).base
    expect(await baseOf('')).toBe('/cgi-bin/apie')
    expect(await baseOf('https://a.example/api/')).toBe('https://a.example/api')
  })

  it.each([
    ['path', { path: `/${'p'.repeat(8192)}` }],
    ['query', { path: '/x', query: 'q'.repeat(8193) }],
  ])('answers 414 to a %s that is too long', async (_name, part) => {
    expect((await open().send({ method: 'GET', ...part })).status).toBe(414)
  })

  it('takes a query of 8 KB', async () => {
    const answer = await open().send({ method: 'GET', path: '/x', query: 'q'.repeat(8192) })
    expect(answer.status).toBe(200)
  })

  it('answers 405 with Allow to methods nobody knows', async () => {
    for (const method of ['TRACE', 'CONNECT', 'BREW']) {
      const answer = await open().send({ method, path: '/x' })
      expect([method, answer.status, answer.headers['allow']]).toEqual([
        method,
        405,
        'GET, HEAD, OPTIONS',
      ])
    }
  })

  it('tells lengths of whole bodies and none of what is made while it is sent', async () => {
    const whole = await open().send({ method: 'HEAD', path: '/x' })
    expect(whole.headers['content-length']).toBe('22')
    const { send } = open(async () => ({
      status: 200,
      headers: {},
      body: (async function* () {
        yield Buffer.from('a')
      })(),
    }))
    const streamed = await send({ method: 'GET', path: '/x' })
    expect(streamed.body.toString()).toBe('a')
    expect(streamed.headers).not.toHaveProperty('content-length')
  })
})

describe('a body that breaks off', () => {
  it('is reported and breaks off for the gateway too', async () => {
    const error = new AppError('log-damaged', 'There is a hole')
    const { send, reports } = open(async () => ({
      status: 200,
      headers: {},
      body: (async function* () {
        yield Buffer.from('a')
        throw error
      })(),
    }))
    await expect(send({ method: 'GET', path: '/x' })).rejects.toBe(error)
    expect(reports).toEqual([[expect.any(String), error]])
  })

  it.each([
    ['known', new AppError('log-damaged', 'There is a hole', { position: 7 }), 'There is a hole'],
    ['unknown', new Error('secret'), expect.stringMatching(/^Something went wrong inside/)],
  ])('says so in a last line where it is lines, with a %s error', async (_, error, message) => {
    const { app, reports } = open(async () => ({
      status: 200,
      headers: {},
      body: (async function* () {
        yield Buffer.from('{"n":1}')
        throw error
      })(),
      endsInErrorLine: true,
    }))
    const { body } = await app(httpRequest({ path: '/x' }))
    let sent = ''
    const read = async () => {
      for await (const piece of body as AsyncIterable<Uint8Array>) sent += Buffer.from(piece)
    }
    await expect(read()).rejects.toBe(error)
    const [first, last = '', ...rest] = sent.split('\n')
    expect([first, rest]).toEqual(['{"n":1}', ['']])
    const [[reference] = []] = reports
    expect(JSON.parse(last)).toMatchObject({ status: 'error', errorMessage: message, reference })
    expect(last).not.toContain('secret')
  })
})

describe('pages of other origins', () => {
  const origin = 'https://app.example'
  const options = { method: 'POST', corsOrigins: [origin] } as const

  it('may read and change where a setting names their origin', async () => {
    const { send } = open(ok, options)
    const headers = { origin, 'sec-fetch-site': 'cross-site' }
    const answer = await send({ method: 'POST', path: '/x', headers })
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      vary: 'Authorization, Origin',
    })
    const preflight = await send({
      method: 'OPTIONS',
      path: '/x',
      headers: { origin, 'access-control-request-method': 'POST' },
    })
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'OPTIONS, POST',
    })
  })

  it('may not change anything on public routes either', async () => {
    const { send } = open(ok, { method: 'POST', access: 'public' })
    const answer = await send({ method: 'POST', path: '/x', headers: { origin: 'null' } })
    expect(answer.status).toBe(403)
  })

  it('get no permission where their origin is another', async () => {
    const { send } = open(ok, options)
    const headers = { origin: 'https://app.example.evil', 'sec-fetch-site': 'cross-site' }
    for (const method of ['POST', 'OPTIONS']) {
      const answer = await send({ method, path: '/x', headers })
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-'))).toEqual([])
    }
    expect((await send({ method: 'POST', path: '/x', headers })).status).toBe(403)
  })

  it('are told apart from our own, whatever the scheme a proxy shows us', async () => {
    const { send } = open(ok, { method: 'POST' })
    const post = async (headers: Record<string, string>) =>
      (await send({ method: 'POST', path: '/x', headers })).status
    expect(await post({})).toBe(200)
    expect(await post({ origin: 'https://localhost:8000' })).toBe(200)
    expect(await post({ origin: 'http://localhost:9000' })).toBe(403)
    expect(await post({ origin: 'http://x', 'sec-fetch-site': 'same-origin' })).toBe(200)
    expect(await post({ 'sec-fetch-site': 'same-site' })).toBe(403)
  })
})
