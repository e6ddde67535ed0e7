/** Cases about who asks, unknown paths and methods, the accounts and the information pages. */
import { expect } from 'vitest'
import {
  append,
  basic,
  type CorpusCase,
  type CorpusRequest,
  expectError,
  get,
  hashesOf,
  json,
  putEvent,
  serverCase,
  signedInCase,
} from './corpus-request.ts'

const update = (changes: unknown, headers: Record<string, string> = {}): CorpusRequest => ({
  method: 'POST',
  path: '/user/update',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(changes),
})

export const ACCESS_CASES: readonly CorpusCase[] = [
  {
    name: 'the log without credentials is 401 with a challenge',
    meetsServer: true,
    run: async (send) => {
      const answer = await get(send, '/events')
      expectError(answer, 401, 'credentials-missing')
      expect(answer.headers['www-authenticate']).toBe('Basic realm="Apie"')
    },
  },
  {
    name: 'an unknown path without credentials is 401 as well',
    meetsServer: true,
    run: async (send) => expectError(await get(send, '/nope'), 401, 'credentials-missing'),
  },
  {
    name: 'a wrong password and an unknown account are refused alike',
    run: async (send) => {
      const wrong = await get(send, '/events', basic('a@b.c', 'no'))
      const unknown = await get(send, '/events', basic('x@y.z', 'pw'))
      expectError(wrong, 401, 'credentials-wrong')
      expect(unknown.status).toBe(401)
      expect(unknown.body.toString()).toBe(wrong.body.toString())
    },
  },
  {
    name: 'ping and liveness need no credentials',
    run: async (send) => {
      expect((await get(send, '/ping')).status).toBe(200)
      expect(await get(send, '/health/live')).toMatchObject({ status: 204, body: Buffer.alloc(0) })
    },
  },
  {
    name: 'OPTIONS tells the methods of a path without credentials',
    meetsServer: true,
    run: async (send) => {
      const answer = await send({ method: 'OPTIONS', path: '/events' })
      expect(answer.status).toBe(204)
      expect(answer.headers['allow']).toBe('GET, HEAD, OPTIONS, POST, PUT')
    },
  },
  serverCase('an unknown path is 404', async (send) => {
    expectError(await get(send, '/nope'), 404, 'route-not-found')
    expectError(await get(send, '/events/a/b'), 404, 'route-not-found')
  }),
  serverCase('HEAD of an unknown path is 404 without a body', async (send) => {
    const answer = await send({ method: 'HEAD', path: '/nope' })
    expect(answer).toMatchObject({ status: 404, body: Buffer.alloc(0) })
  }),
  signedInCase('the root is a line of text with the version', async (send) => {
    const answer = await get(send, '/')
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(answer.body.toString()).toMatch(/^apie \S+\n$/)
  }),
  serverCase('the root is a page for a browser, which may not be framed', async (send) => {
    const answer = await get(send, '/', { accept: 'text/html,*/*;q=0.8' })
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-frame-options': 'DENY',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    })
    expect(answer.body.toString()).toMatch(/^<!doctype html>/)
  }),
  serverCase('a method that a path does not know is 405 with Allow', async (send) => {
    const [event] = await append(send, 1)
    const remove = await send({ method: 'DELETE', path: `/events/${event?.hash}` })
    expectError(remove, 405, 'method-not-allowed')
    expect(remove.headers['allow']).toBe('GET, HEAD, OPTIONS')
    const patch = await send({ method: 'PATCH', path: '/events', body: '{}' })
    expectError(patch, 405, 'method-not-allowed')
    expect(patch.headers['allow']).toBe('GET, HEAD, OPTIONS, POST, PUT')
    const verify = await get(send, '/events/verify')
    expectError(verify, 405, 'method-not-allowed')
    expect(verify.headers['allow']).toBe('OPTIONS, POST')
    expect(await hashesOf(send, '/events')).toEqual([event?.hash])
  }),
  serverCase('paths that climb are 404', async (send) => {
    const paths = ['/storage/..%2F..%2Fetc', '/storage/%2Fetc%2Fssh', '/events/..%2Ftmp']
    for (const path of paths) expect([path, (await get(send, path)).status]).toEqual([path, 404])
  }),
  serverCase('every answer forbids guessing its type and sharing it', async (send) => {
    for (const path of ['/', '/events', '/info', '/nope', '/events/x']) {
      const { headers } = await get(send, path)
      expect([path, headers]).toMatchObject([
        path,
        {
          'x-content-type-options': 'nosniff',
          'cache-control': expect.stringMatching(/private|no-store/),
          vary: expect.stringContaining('Authorization'),
        },
      ])
    }
  }),
  serverCase('a page of another origin changes nothing', async (send) => {
    const foreign: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ]
    for (const headers of foreign) {
      const answer = await putEvent(send, { eventType: 't', body: 1 }, headers)
      expectError(answer, 403, 'cross-site-refused')
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
    }
    expect(await hashesOf(send, '/events')).toEqual([])
  }),
  {
    name: 'a new password replaces the old one',
    meetsServer: true,
    run: async (send) => {
      const answer = await send(update({ password: 'n' }, basic('a@b.c', 'pw')))
      expect([answer.status, json(answer)]).toEqual([200, { status: 'ok' }])
      expect((await get(send, '/events', basic('a@b.c', 'pw'))).status).toBe(401)
      expect((await get(send, '/events', basic('a@b.c', 'n'))).status).toBe(200)
    },
  },
  signedInCase('info with a line break is refused and nobody is locked out', async (send) => {
    expect((await send(update({ info: 'x:y\nz' }))).status).toBe(400)
    expect((await send(update({ info: 5 }))).status).toBe(400)
    expect((await send(update([]))).status).toBe(400)
    expectError(await send(update({ pasword: 'n' })), 400, 'bad-field')
    expect((await get(send, '/events')).status).toBe(200)
  }),
  signedInCase('info tells who asks and nothing of the machine or the request', async (send) => {
    await send(update({ info: 'works here' }))
    const answer = await get(send, '/info')
    expect(answer.status).toBe(200)
    expect(json(answer)).toMatchObject({
      version: expect.any(String),
      auth: { user: { email: 'a@b.c', info: 'works here' } },
    })
    const text = answer.body.toString()
    expect(text).not.toContain('Basic ')
    expect(text).not.toContain(process.env['PATH'] ?? 'no path')
    expect(text).not.toContain(process.cwd())
  }),
]
