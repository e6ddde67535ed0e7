import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { checkWeb } from '../../src/cli/doctor/web.ts'
import { openTestApp } from '../support/test-app.ts'
import { testServers } from '../support/test-server.ts'

type Answer = { readonly status: number; readonly body: string; readonly etag?: string }
type Seen = { readonly request: IncomingMessage; readonly body: Buffer }

const serve = testServers()
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

const refusal = (status: number, code: string, facts: object = {}): Answer => ({
  status,
  body: JSON.stringify({ status: 'error', errorMessage: 'no', code, ...facts }),
})

/** Answers as the program does; `front` stands before it as a web server does and may answer itself. */
async function site(
  front: (seen: Seen) => Answer | undefined,
  hidesAuthorization = false,
): Promise<string> {
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (hidesAuthorization) delete request.headers.authorization
      const seen = { request, body: Buffer.concat(chunks) }
      const { status, body, etag } = front(seen) ?? program(seen)
      response.writeHead(status, etag === undefined ? {} : { etag }).end(body)
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/cgi-bin/apie/`
}

function program({ request, body }: Seen): Answer {
  const target = request.url?.slice('/cgi-bin/apie'.length) ?? ''
  if (target === '/ping')
    return { status: 200, body: '{"text":"Ping request successfully handled"}' }
  const { authorization } = request.headers
  if (authorization === undefined) return refusal(401, 'credentials-missing')
  const right = `Basic ${Buffer.from('alice:wonder:land').toString('base64')}`
  if (authorization !== right) return refusal(401, 'credentials-wrong')
  if (target === '/health') return { status: 200, body: '{}' }
  if (request.method === 'POST') return refusal(400, 'bad-json', { character: body.length })
  if (request.headers['if-none-match'] === '"e"') return { status: 304, body: '' }
  return { status: 200, body: '[]', etag: '"e"' }
}

const alice = { name: 'alice', password: 'wonder:land' }
const look = async (url: string, account = true) =>
  Object.fromEntries(
    (await checkWeb(url, account ? alice : undefined)).map((check) => [check.name, check]),
  )

describe('a web server that lets everything through', () => {
  test('has nothing to fix', async () => {
    const checks = await look(await site(() => undefined))
    expect(Object.values(checks).map(({ name, verdict }) => [name, verdict])).toEqual([
      ['program answers', 'ok'],
      ['Authorization arrives', 'ok'],
      ['account is right', 'ok'],
      ['PUT arrives', 'ok'],
      ['DELETE arrives', 'ok'],
      ['chunked body arrives', 'ok'],
      ['200 KB body arrives', 'ok'],
      ['If-None-Match arrives', 'ok'],
    ])
    expect(checks['200 KB body arrives']?.message).toBe('every byte of it')
  })

  test('is looked at without an account as far as that goes', async () => {
    const checks = await look(await site(() => undefined), false)
    expect(checks['If-None-Match arrives']).toBeUndefined()
    expect(checks['If-None-Match']?.verdict).toBe('skipped')
    expect(checks['200 KB body arrives']?.message).toBe('the program answers credentials-missing')
  })
})

test.each([
  [
    { setting: 'setupToken' },
    ': the setting setupToken has a value that it cannot have',
    'Correct',
  ],
  [{}, '', 'See docs/errors.md under "bad-setting"'],
])('a program that a setting keeps from working, %j, is a problem', async (facts, more, fix) => {
  const checks = await look(await site(() => refusal(500, 'bad-setting', facts)))
  expect(Object.values(checks)).toEqual([
    {
      name: 'program answers',
      verdict: 'problem',
      message: `it refuses with code bad-setting${more}`,
      fix: expect.stringContaining(fix),
    },
  ])
})

describe('Authorization', () => {
  test('that does not arrive is told from one that is wrong', async () => {
    const hidden = await look(await site(() => undefined, true))
    expect(hidden['Authorization arrives']).toMatchObject({
      verdict: 'problem',
      fix: expect.stringContaining('CGIPassAuth On'),
    })
    const wrong = await checkWeb(await site(() => undefined), { name: 'alice', password: 'x' })
    expect(wrong.find(({ name }) => name === 'Authorization arrives')?.verdict).toBe('ok')
    expect(wrong.find(({ name }) => name === 'account is right')).toMatchObject({
      verdict: 'problem',
      message: 'the answer is credentials-wrong',
    })
  })

  test.each(['reader', 'admin'])(
    'that does not arrive is noticed where everybody is a %s',
    async (role) => {
      const { app } = await openTestApp({ environment: { APIE_ANONYMOUS: role } })
      const arriving = await serve(app)
      const hiding = await serve((request) => {
        const { authorization: _, ...headers } = request.headers
        return app({ ...request, headers })
      })
      const found = async (port: number) =>
        (await look(`http://127.0.0.1:${port}`, false))['Authorization arrives']
      expect(await found(arriving.port)).toMatchObject({ verdict: 'ok' })
      expect(await found(hiding.port)).toMatchObject({
        verdict: 'problem',
        fix: expect.stringContaining('CGIPassAuth On'),
      })
    },
  )

  test('that is wrong counts as one guess', async () => {
    let guesses = 0
    const url = await site(({ request }) => {
      const given = Buffer.from(request.headers.authorization?.slice(6) ?? '', 'base64').toString()
      if (given.includes(':')) guesses++
      return undefined
    })
    const checks = await checkWeb(url, { name: 'alice', password: 'x' })
    expect(checks.map(({ name }) => name)).toContain('200 KB body arrives')
    expect(guesses).toBe(1)
  })

  test('is tried without taking guesses from those who sign in', async () => {
    const { app } = await openTestApp()
    const { port } = await serve(app)
    const origin = `http://127.0.0.1:${port}`
    for (let run = 0; run < 50; run++) {
      expect(
        (await checkWeb(origin, undefined)).find(({ name }) => name === 'Authorization arrives'),
      ).toMatchObject({ verdict: 'ok' })
    }
    expect((await checkWeb(origin, { name: 'a@b.c', password: 'pw' }))[2]).toMatchObject({
      name: 'account is right',
      verdict: 'ok',
    })
  })

  test('cannot be judged before there is an account', async () => {
    const url = await site(({ request }) =>
      request.url?.endsWith('/ping') ? undefined : refusal(503, 'setup-required'),
    )
    expect((await look(url))['Authorization arrives']?.verdict).toBe('skipped')
  })
})

describe('a firewall', () => {
  const forbidden = { status: 403, body: '<h1>Forbidden</h1>' }

  test('that refuses PUT and DELETE is named', async () => {
    const url = await site(({ request }) =>
      ['PUT', 'DELETE'].includes(request.method ?? '') ? forbidden : undefined,
    )
    const checks = await look(url)
    expect(checks['PUT arrives']).toMatchObject({ verdict: 'warning' })
    expect(checks['DELETE arrives']?.message).toBe('the web server answers 403 itself')
  })

  test('that refuses or cuts large bodies is named', async () => {
    const refusing = await look(
      await site(({ body }) => (body.length > 131_072 ? { status: 413, body: '' } : undefined)),
    )
    expect(refusing['200 KB body arrives']).toMatchObject({ verdict: 'warning' })
    expect(refusing['chunked body arrives']).toMatchObject({ verdict: 'ok' })
    const cutting = await look(
      await site(({ request, body }) =>
        body.length > 1000 ? program({ request, body: body.subarray(0, 1000) }) : undefined,
      ),
    )
    expect(cutting['200 KB body arrives']).toMatchObject({
      verdict: 'problem',
      message: '1000 of 200001 bytes arrived',
    })
  })

  test('that removes If-None-Match is named', async () => {
    const url = await site((seen) => {
      delete seen.request.headers['if-none-match']
      return undefined
    })
    expect((await look(url))['If-None-Match arrives']).toMatchObject({ verdict: 'warning' })
  })
})

describe('a program that does not answer', () => {
  test.each([
    [{ status: 500, body: 'Internal Server Error' }, 'chmod 755'],
    [{ status: 500, body: 'Internal Server Error' }, 'rename .htaccess for a moment'],
    [{ status: 403, body: 'Forbidden' }, 'ExecCGI'],
    [{ status: 404, body: 'Not found' }, 'where the file lies'],
    [{ status: 200, body: '\u007fELF…' }, 'sends the file instead of running it'],
    [refusal(503, 'data-folder-unsafe'), 'docs/errors.md under "data-folder-unsafe"'],
  ])('%j', async (answer, fix) => {
    const checks = await checkWeb(await site(() => answer), undefined)
    expect(checks).toHaveLength(1)
    expect(checks[0]).toMatchObject({ verdict: 'problem', fix: expect.stringContaining(fix) })
  })

  test('because nothing listens is told', async () => {
    const url = await site(() => undefined)
    for (const server of servers.splice(0)) await new Promise((done) => server.close(done))
    expect(await checkWeb(url, undefined)).toMatchObject([
      { verdict: 'problem', message: expect.stringContaining('ECONNREFUSED') },
    ])
  })
})
