/**
 * Requests whose end can be seen in two places (RFC 9112 §11.2): a proxy in front may take one, so the server
 * takes neither. Behind each stands a request that must never be carried out.
 */
import { expect, test } from 'vitest'
import type { App } from '../../src/http/message.ts'
import { corpus } from '../security/security-run.ts'
import { wholeBody } from '../support/app-send.ts'
import { exchange } from '../support/raw-connection.ts'
import { testServers } from '../support/test-server.ts'

const open = testServers()
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
const head = (lines: string) => `POST /a HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n`
const BODY = '0\r\n\r\n'
/** Sound alone, but not beside a length. */
const CHUNKED = ['chunked', 'Chunked', 'CHUNKED', '\tchunked', 'chunked ']
const VECTORS = corpus('smuggling')

/** An app that refuses what the gateway or its body says is wrong, and notes the rest. */
function watching(seen: string[]): App {
  return async ({ method, path, body, problem }) => {
    const failure =
      problem ??
      (await wholeBody(body).then(
        () => undefined,
        (error) => error,
      ))
    if (!failure) seen.push(`${method} ${path}`)
    return { status: failure ? 400 : 200, headers: { 'content-length': '0' } }
  }
}

test('there are two hundred of them', () => {
  expect(new Set(VECTORS).size).toBeGreaterThanOrEqual(200)
})

test.each(VECTORS.map((bytes) => [JSON.stringify(bytes), bytes]))(
  '%s is 400 once, and nothing behind it is carried out',
  async (_name, bytes) => {
    const seen: string[] = []
    const { port } = await open(watching(seen))
    const answer = await exchange(port, bytes + SMUGGLED)
    const statuses = Array.from(answer.matchAll(/HTTP\/1\.1 (\d{3})/g), ([, status]) => status)
    expect([statuses, seen]).toEqual([['400'], []])
  },
)

test.each(CHUNKED)('chunks announced as "%s" alone are a sound body', async (coding) => {
  const seen: string[] = []
  const { port } = await open(watching(seen))
  await exchange(port, `${head(`Transfer-Encoding: ${coding}`)}3\r\nabc\r\n${BODY}${SMUGGLED}`)
  expect(seen).toEqual(['POST /a', 'GET /smuggled'])
})
