/** How the standalone server treats connections: slow ones, idle ones, ones that end in the middle. */
import http from 'node:http'
import { describe, expect, test } from 'vitest'
import type { App, HttpResponse } from '../../src/http/message.ts'
import { wholeBody } from '../support/app-send.ts'
import { send } from '../support/http-client.ts'
import { connectRaw, exchange, type RawConnection } from '../support/raw-connection.ts'
import { openTestApp } from '../support/test-app.ts'
import { testServers } from '../support/test-server.ts'

const open = testServers()
const ok: HttpResponse = { status: 200, headers: { 'content-length': '2' }, body: 'ok' }
const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`

/** A promise and what settles it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

const many = (count: number, port: number): Promise<RawConnection[]> =>
  Promise.all(Array.from({ length: count }, () => connectRaw(port)))

describe('slow clients', () => {
  test('a head that does not arrive in time is 408, and 200 of them keep nobody else from service', async () => {
    const { port } = await open((await openTestApp()).app, { headTimeoutMs: 300 })
    const slow = await many(200, port)
    for (const connection of slow) connection.write('GET / HTTP/1.1\r\nHost: x\r\nA')
    expect((await send(`http://127.0.0.1:${port}/ping`)).status).toBe(200)
    const answers = await Promise.all(slow.map((connection) => connection.closed()))
    for (const answer of answers) {
      expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    }
  })

  test('a body that does not arrive in time ends the request', async () => {
    const { app } = await openTestApp()
    const { port } = await open(app, { bodyTimeoutMs: 300 })
    const head = `Authorization: Basic ${btoa('a@b.c:pw')}\r\nContent-Length: 100\r\n`
    const answer = await exchange(port, `${get('/events', head).replace('GET', 'PUT')}{"event`)
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    expect(answer).toContain('"code":"request-timeout"')
  })

  test('a body that comes on takes as long as it likes', async () => {
    const { app } = await openTestApp()
    const { port } = await open(app, { bodyTimeoutMs: 200 })
    const [connection] = await many(1, port)
    const body = JSON.stringify({ eventType: 't', body: 'x'.repeat(2000) })
    const credentials = `Authorization: Basic ${btoa('a@b.c:pw')}\r\n`
    const head = `${credentials}Content-Length: ${body.length}\r\n`
    connection?.write(get('/events', head).replace('GET', 'PUT'))
    for (let sent = 0; sent < body.length; sent += 100) {
      connection?.write(body.slice(sent, sent + 100))
      await new Promise((resolve) => setTimeout(resolve, 40))
    }
    expect(await connection?.until(/"hash":"[0-9a-f]{64}"/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    connection?.socket.destroy()
  })

  test('200 idle connections keep nobody else from service', async () => {
    const { port } = await open(async () => ok)
    const idle = await many(200, port)
    for (const connection of idle) connection.write(get('/'))
    await Promise.all(idle.map((connection) => connection.until(/ok$/)))
    expect((await send(`http://127.0.0.1:${port}/`)).text).toBe('ok')
    for (const connection of idle) connection.socket.destroy()
  })

  test('a slow reader of 200 MB costs no memory', async () => {
    const total = 200 * 1024 * 1024
    const chunk = Buffer.alloc(256 * 1024, 'x')
    let ahead = 0
    const { port } = await open(async () => ({
      status: 200,
      headers: { 'content-length': String(total) },
      body: (async function* () {
        for (let sent = 0; sent < total; sent += chunk.length) {
          ahead += chunk.length
          yield chunk
        }
      })(),
    }))
    const [most, received] = await new Promise<[number, number]>((resolve, reject) => {
      http.get({ port, host: '127.0.0.1', agent: false }, (response) => {
        let most = 0
        let received = 0
        response.on('data', (piece: Buffer) => {
          received += piece.length
          most = Math.max(most, ahead - received)
          response.pause()
          setImmediate(() => response.resume())
        })
        response.on('end', () => resolve([most, received]))
        response.on('error', reject)
      })
    })
    expect(received).toBe(total)
    // What the kernel's buffers hold, and no more.
    expect(most).toBeLessThan(16 * 1024 * 1024)
  })
})

describe('a body in the middle of which something ends', () => {
  test('is stopped at its source when the client goes away', async () => {
    const stopped = gate()
    const { port } = await open(async () => ({
      status: 200,
      headers: {},
      body: (async function* () {
        try {
          for (;;) yield Buffer.alloc(64 * 1024)
        } finally {
          stopped.open()
        }
      })(),
    }))
    const connection = await connectRaw(port)
    connection.write(get('/'))
    await connection.until(/\r\n\r\n/)
    connection.socket.destroy()
    await stopped.opened
  })

  test.each<[string, Record<string, string>]>([
    ['in chunks', {}],
    ['of a known length', { 'content-length': '100' }],
  ])('is seen to be cut off when its source fails, %s', async (_name, headers) => {
    const { port } = await open(async () => ({
      status: 200,
      headers,
      body: (async function* () {
        yield Buffer.from('half')
        throw new Error('the disk is gone')
      })(),
    }))
    await expect(send(`http://127.0.0.1:${port}/`)).rejects.toThrow('aborted')
  })

  test('is seen to be cut off when it is shorter than its length', async () => {
    const { port } = await open(async () => ({
      status: 200,
      headers: { 'content-length': '100' },
      body: (async function* () {
        yield Buffer.from('half')
      })(),
    }))
    await expect(send(`http://127.0.0.1:${port}/`)).rejects.toThrow('aborted')
  })

  test('fails for the handler when the client goes away', async () => {
    let failed = Promise.withResolvers<unknown>()
    const { port } = await open(async ({ body, problem }) => {
      if (!problem) await wholeBody(body).then(failed.resolve, failed.resolve)
      return ok
    })
    for (const length of [100, 1_000_000]) {
      failed = Promise.withResolvers()
      const connection = await connectRaw(port)
      connection.write(get('/', `Content-Length: ${length}\r\n`).replace('GET', 'PUT'))
      connection.write('some')
      connection.socket.end()
      expect(await failed.promise).toMatchObject({ code: 'body-incomplete' })
    }
  })
})

describe('a body that nobody reads', () => {
  const refuse: App = async () => ({ status: 413, headers: {}, body: 'too large' })

  test.each([100, 60_000, 3_000_000, 50_000_000])(
    'of %i bytes does not keep the answer from the client',
    async (length) => {
      const { port } = await open(refuse)
      const connection = await connectRaw(port)
      connection.write(get('/', `Content-Length: ${length}\r\n`).replace('GET', 'PUT'))
      connection.write(Buffer.alloc(length))
      expect(await connection.until(/too large/)).toMatch(/^HTTP\/1\.1 413 /)
      connection.socket.destroy()
    },
  )

  test('leaves the connection fit for the next request where it is small', async () => {
    const { port } = await open(refuse)
    const connection = await connectRaw(port)
    const put = get('/', 'Content-Length: 1000\r\n').replace('GET', 'PUT') + 'x'.repeat(1000)
    connection.write(put + get('/', 'Connection: close\r\n'))
    expect((await connection.closed()).match(/too large/g)).toHaveLength(2)
  })

  test('and is too large ends the connection: what is sent behind it is not carried out', async () => {
    let calls = 0
    const { port } = await open(async (request) => {
      calls++
      return refuse(request)
    })
    const connection = await connectRaw(port)
    connection.write(get('/', 'Content-Length: 2000000\r\n').replace('GET', 'PUT'))
    connection.write(Buffer.alloc(2_000_000))
    connection.write(get('/'))
    expect((await connection.closed()).match(/too large/g)).toHaveLength(1)
    expect(calls).toBe(1)
  })
})

test.each([204, 304])('%i has no body', async (status) => {
  const { port } = await open(async () => ({ status, headers: {} }))
  expect(await exchange(port, get('/', 'Connection: close\r\n'))).toMatch(/\r\n\r\n$/)
})

test('HEAD has no body, and the length that there would be', async () => {
  const { port } = await open(async () => ok)
  const answer = await exchange(port, get('/', 'Connection: close\r\n').replace('GET', 'HEAD'))
  expect(answer).toMatch(/content-length: 2\r\n[\s\S]*\r\n\r\n$/i)
})

describe('closing', () => {
  test('finishes what runs, and ends connections that are idle, unused or in the middle of a head', async () => {
    const running = gate()
    const finish = gate()
    const server = await open(
      async ({ path }) => {
        if (path !== '/slow') return ok
        running.open()
        await finish.opened
        return ok
      },
      { graceMs: 20_000 },
    )
    const { port } = server
    const [slow, idle, unused, begun] = await many(4, port)
    if (!slow || !idle || !unused || !begun) throw new Error('no connections')
    idle.write(get('/'))
    await idle.until(/ok$/)
    begun.write('GET / HTTP/1.1\r\nHo')
    slow.write(get('/slow'))
    await running.opened
    const closed = server.close()
    await Promise.all([idle.closed(), unused.closed(), begun.closed()])
    await expect(connectRaw(port)).rejects.toThrow('ECONNREFUSED')
    finish.open()
    expect(await slow.closed()).toMatch(/\r\nConnection: close\r\n[\s\S]*ok$/)
    await closed
  })

  test('ends a connection whose head had gone out before, once its body is whole', async () => {
    const finish = gate()
    const server = await open(
      async () => ({
        status: 200,
        headers: {},
        body: (async function* () {
          yield Buffer.from('first')
          await finish.opened
          yield Buffer.from('last')
        })(),
      }),
      { graceMs: 20_000 },
    )
    const connection = await connectRaw(server.port)
    connection.write(get('/'))
    await connection.until(/first/)
    const closed = server.close()
    finish.open()
    expect(await connection.closed()).toMatch(/last\r\n0\r\n\r\n$/)
    await closed
  })

  test('carries out nothing more of what was sent ahead, since nobody would hear of it', async () => {
    const seen: string[] = []
    const running = gate()
    const finish = gate()
    const server = await open(async ({ path }) => {
      seen.push(path)
      running.open()
      await finish.opened
      return ok
    })
    const connection = await connectRaw(server.port)
    connection.write(get('/first') + get('/second') + get('/third'))
    await running.opened
    const closed = server.close()
    finish.open()
    expect((await connection.closed()).match(/HTTP\/1\.1 200/g)).toHaveLength(1)
    await closed
    expect(seen).toEqual(['/first'])
  })

  test('cuts what still runs after the time of grace', async () => {
    const running = gate()
    const server = await open(
      async () => {
        running.open()
        return new Promise<HttpResponse>(() => undefined)
      },
      { graceMs: 50 },
    )
    const connection = await connectRaw(server.port)
    connection.write(get('/'))
    await running.opened
    await server.close()
    expect(await connection.closed()).toBe('')
  })
})
