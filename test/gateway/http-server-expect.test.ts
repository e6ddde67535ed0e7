/** Clients that ask before they send a body (RFC 9110 §10.1.1): only one that is wanted is invited. */
import { expect, test } from 'vitest'
import { connectRaw } from '../support/raw-connection.ts'
import { openTestApp } from '../support/test-app.ts'
import { testServers } from '../support/test-server.ts'

const open = testServers()
const EVENT = '{"eventType":"t","body":1}'
const AUTHORIZATION = `Authorization: Basic ${btoa('a@b.c:pw')}\r\n`
const INVITED = 'HTTP/1.1 100 Continue\r\n\r\n'

async function openApp() {
  const { app, store } = await openTestApp()
  const { port } = await open(app)
  return { port, count: async () => (await store.log.head()).count }
}

const head = (more: string, path = '/events') =>
  `PUT ${path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n${more}\r\n`
const length = (bytes: number) => `Content-Length: ${bytes}\r\n`
const CHUNKED = 'Transfer-Encoding: chunked\r\n'

test.each([
  ['without credentials', head(length(26)), 401],
  ['without credentials and in chunks', head(CHUNKED), 401],
  ['with a wrong password', head(`Authorization: Basic ${btoa('a@b.c:no')}\r\n${length(26)}`), 401],
  ['that is too large', head(AUTHORIZATION + length(1e12)), 413],
  ['that is compressed', head(`${AUTHORIZATION}Content-Encoding: gzip\r\n${length(26)}`), 415],
  ['of a path that is not there', head(AUTHORIZATION + length(26), '/nope'), 404],
  ['of a header that is wrong', head(`${AUTHORIZATION}If-Match: \xe9\r\n${length(26)}`), 400],
])(
  'a body %s is refused and not invited, and the connection ends',
  async (_what, bytes, status) => {
    const { port, count } = await openApp()
    const connection = await connectRaw(port)
    connection.write(bytes)
    const answer = await connection.closed()
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).toMatch(/\r\nconnection: close\r\n/i)
    expect(answer).not.toContain(INVITED)
    expect(await count()).toBe(0)
  },
)

test.each([
  ['of a known length', length(EVENT.length), EVENT],
  ['in chunks', CHUNKED, `${EVENT.length.toString(16)}\r\n${EVENT}\r\n0\r\n\r\n`],
])(
  'a body %s that is wanted is invited once, and the connection goes on',
  async (_what, more, body) => {
    const { port, count } = await openApp()
    const connection = await connectRaw(port)
    for (const answered of [1, 2]) {
      connection.write(head(AUTHORIZATION + more))
      await connection.until(new RegExp(`(?:${INVITED}[^]*){${answered}}$`))
      connection.write(body)
      await connection.until(new RegExp(`(?:${INVITED}HTTP/1\\.1 200 OK[^]*){${answered}}\\}$`))
      expect(await count()).toBe(answered)
    }
    connection.socket.destroy()
  },
)

test('a client that does not wait for the invitation is served all the same', async () => {
  const { port, count } = await openApp()
  const connection = await connectRaw(port)
  connection.write(head(`${AUTHORIZATION}${length(EVENT.length)}Connection: close\r\n`) + EVENT)
  expect(await connection.closed()).toMatch(/HTTP\/1\.1 200 OK\r\n/)
  expect(await count()).toBe(1)
})
