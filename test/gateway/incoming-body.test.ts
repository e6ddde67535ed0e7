/** The bodies that the standalone server hands on piece by piece. */
import { createHash } from 'node:crypto'
import http from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import { wholeBody } from '../support/app-send.ts'
import { connectRaw } from '../support/raw-connection.ts'
import { testServers } from '../support/test-server.ts'

const open = testServers()

/** Sends the pieces one after the other, no faster than they are taken; returns the text of the answer. */
function upload(port: number, pieces: Iterable<Buffer>, headers = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = { port, host: '127.0.0.1', method: 'PUT', agent: false, headers }
    const request = http.request(sent, (response) => {
      let text = ''
      response.setEncoding('latin1').on('data', (more) => {
        text += more
      })
      response.on('end', () => resolve(text))
    })
    request.on('error', reject)
    const send = async () => {
      for (const piece of pieces) {
        if (!request.write(piece)) await new Promise((drained) => request.once('drain', drained))
      }
      request.end()
    }
    send().catch(reject)
  })
}

const MIB = 1 << 20

test('an upload of 256 MiB holds less than 8 MiB of memory for its bytes at any time', async () => {
  let most = 0
  const { port } = await open(async ({ body }) => {
    const before = process.memoryUsage().arrayBuffers
    let size = 0
    for await (const piece of body) {
      size += piece.length
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
    return { status: 200, headers: {}, body: String(size) }
  })
  const piece = Buffer.alloc(MIB, 'x')
  const headers = { 'content-length': 256 * MIB }
  expect(await upload(port, Array(256).fill(piece), headers)).toBe(String(256 * MIB))
  expect(most).toBeLessThan(8 * MIB)
})

test('a small body that comes along with its head is there when the request is', async () => {
  const seen: [string | undefined, string][] = []
  const { port } = await open(async ({ arrived, body }) => {
    const there = arrived?.()
    seen.push([there && Buffer.from(there).toString('latin1'), (await wholeBody(body)).toString()])
    return { status: 200, headers: {}, body: 'ok' }
  })
  const put = (length: number, body: string) =>
    `PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n${body}`
  const connection = await connectRaw(port)
  connection.write(put(3, 'one'))
  await connection.until(/ok/)
  connection.write(put(3, 'two') + put(0, '') + put(5, 'three'))
  await connection.until(/(?:ok[\s\S]*){4}/)
  connection.socket.destroy()
  expect(seen).toEqual([
    ['one', ''],
    ['two', ''],
    [undefined, ''],
    ['three', ''],
  ])
})

test.each([
  ['taken at once', async () => undefined],
  ['taken slowly', async () => nextTurn()],
])('a body in chunks of every size arrives whole and in order, %s', async (_name, wait) => {
  const { port } = await open(async ({ body }) => {
    const digest = createHash('sha256')
    for await (const piece of body) {
      digest.update(piece)
      await wait()
    }
    return { status: 200, headers: {}, body: digest.digest('hex') }
  })
  const sizes = [1, 5, 4096, 65_535, 65_536, 65_537, 3, 200_000, 1_000_000, 7, 100]
  const pieces = sizes.flatMap((size, index) => [
    Buffer.alloc(size, index + 1),
    Buffer.from(`${index}`),
  ])
  const expected = createHash('sha256').update(Buffer.concat(pieces)).digest('hex')
  expect(await upload(port, pieces)).toBe(expected)
})

test('a body of which the first piece is enough for the answer leaves the connection usable', async () => {
  const { port } = await open(async ({ body }) => {
    for await (const piece of body) return { status: 200, headers: {}, body: `${piece[0]}` }
    throw new AppError('bad-request', 'no body')
  })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const ports = new Set<number | undefined>()
  for (let round = 0; round < 3; round++) {
    const text = await new Promise<string>((resolve, reject) => {
      const request = http.request({ port, host: '127.0.0.1', method: 'PUT', agent })
      request.on('socket', ({ localPort }) => ports.add(localPort))
      request.on('error', reject)
      request.on('response', (response) => {
        let all = ''
        response.on('data', (more) => {
          all += more
        })
        response.on('end', () => resolve(all))
      })
      request.end(Buffer.alloc(500_000, 1 + round))
    })
    expect(text).toBe(`${1 + round}`)
  }
  expect(ports.size).toBe(1)
  agent.destroy()
})
