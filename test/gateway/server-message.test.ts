/** What the corpus does not reach of how the standalone server takes requests and gives answers. */
import { IncomingMessage } from 'node:http'
import net from 'node:net'
import { expect, test } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import { serveHttp } from '../../src/gateway/http-server.ts'
import { refuseBytes } from '../../src/gateway/refused-connection.ts'
import { pathProblem, splitTarget } from '../../src/gateway/request-path.ts'
import { requestOf } from '../../src/gateway/server-message.ts'
import type { App } from '../../src/http/message.ts'
import { connectRaw, exchange } from '../support/raw-connection.ts'
import { testServers } from '../support/test-server.ts'

const open = testServers()
const GET = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
const ok: App = async () => ({ status: 200, headers: {} })

test.each(['*', 'x', 'x:y'])('a target of %s is no path, and is refused', (target) => {
  const { path, query } = splitTarget(target)
  expect([path, query]).toEqual([target, ''])
  expect(pathProblem(path)).toBeInstanceOf(AppError)
})

test.each([
  ['a reason', { status: 200, reason: 'Fine', headers: {}, body: 'x' }, /^HTTP\/1.1 200 Fine\r\n/],
  ['many bytes', { status: 200, headers: {}, body: Buffer.alloc(20_000, 'y') }, /y{20000}/],
  ['few bytes', { status: 200, headers: {}, body: Buffer.from([0xe4]) }, /\r\n\u00e4\r\n/],
])('an answer with %s goes out as it is', async (_what, response, expected) => {
  const { port } = await open(async () => response)
  expect(await exchange(port, GET)).toMatch(expected)
})

test('a client that is gone before its request is looked at has no address', async () => {
  const incoming = new IncomingMessage(new net.Socket())
  incoming.url = '/x'
  incoming.method = 'GET'
  expect(requestOf(incoming)).toMatchObject({ path: '/x', remoteAddress: '' })
  const socket = new net.Socket().destroy()
  await refuseBytes(
    async (request) => {
      expect(request.remoteAddress).toBe('')
      return { status: 400, headers: {} }
    },
    new Error('x'),
    socket,
  )
  expect(socket.destroyed).toBe(true)
})

test('a server closes at once where nothing runs, however long it may wait', async () => {
  const server = await serveHttp(ok, { host: '127.0.0.1', port: 0 })
  expect(await exchange(server.port, GET)).toMatch(/^HTTP\/1.1 200 OK\r\n/)
  await server.close()
})

const large = `186a0\r\n${'x'.repeat(100_000)}\r\n`.repeat(20)

test('a body that is too large to be read on, and then is none, ends the connection', async () => {
  const { port } = await open(ok)
  const connection = await connectRaw(port)
  connection.write(`PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${large}`)
  await connection.until(/^HTTP\/1.1 200 OK\r\n/)
  connection.write('no chunk\r\n')
  expect(await connection.closed()).not.toMatch(/400/)
})

test('a body that is none behind the beginning of its answer ends the connection', async () => {
  let goOn = () => {}
  const isOver = new Promise<void>((resolve) => {
    goOn = resolve
  })
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('begun')
    await isOver
  }
  const { port } = await open(async () => ({ status: 200, headers: {}, body: slow() }))
  const connection = await connectRaw(port)
  connection.write(`PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${large}`)
  await connection.until(/begun/)
  connection.write('no chunk\r\n')
  expect(await connection.closed()).toMatch(/begun\r\n$/)
  goOn()
})

test('a request with bytes behind it that are none is carried out once', async () => {
  const seen: string[] = []
  const { port } = await open(async ({ method, path, problem }) => {
    seen.push(problem ? problem.code : `${method} ${path}`)
    return { status: problem ? 400 : 200, headers: {} }
  })
  await exchange(port, 'DELETE /a HTTP/1.1\r\nHost: x\r\n\r\nno request\r\n\r\n')
  await exchange(port, 'BREW /a HTTP/1.1\r\nHost: x\r\n\r\n')
  expect(seen).toEqual(['DELETE /a', 'bad-request', 'BREW /a'])
})

test('bytes that are no request are refused once, behind what is asked before them', async () => {
  let goOn = () => {}
  const isAsked = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const { port } = await open(async ({ problem }) => {
    if (problem) return { status: 400, headers: {} }
    await isAsked
    return { status: 200, headers: {} }
  })
  const connection = await connectRaw(port)
  connection.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  for (let n = 0; n < 5; n++) {
    connection.write('no request\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  goOn()
  const statuses = (await connection.closed()).match(/HTTP\/1.1 ... /g)
  expect(statuses).toEqual(['HTTP/1.1 200 ', 'HTTP/1.1 400 '])
})
