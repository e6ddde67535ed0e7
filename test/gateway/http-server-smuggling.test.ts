/**
 * Requests whose end can be seen in two places (RFC 9112 §11.2): a proxy in front may take one, so the server
 * takes neither. Behind each stands a request that must never be carried out.
 */
import { expect, test } from 'vitest'
import type { App } from '../../src/http/message.ts'
import { wholeBody } from '../support/app-send.ts'
import { exchange } from '../support/raw-connection.ts'
import { testServers } from '../support/test-server.ts'

const open = testServers()
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
const head = (lines: string, version = '1.1') =>
  `POST /a HTTP/${version}\r\nHost: x\r\n${lines}\r\n\r\n`

/** Sound alone, but not beside a length. */
const CHUNKED = ['chunked', 'Chunked', 'CHUNKED', '\tchunked', 'chunked ']
/** Never sound. */
const CODINGS = [
  'xchunked',
  'chunkedx',
  'x chunked',
  'chunked x',
  '"chunked"',
  "'chunked'",
  '[chunked]',
  '(chunked)',
  'chunked,',
  'chunked, ',
  ',chunked',
  ', chunked',
  'chunked, identity',
  'identity, chunked',
  'identity',
  'chunked, chunked',
  'chunked,chunked',
  'gzip',
  'gzip, chunked',
  'chunked, gzip',
  'chunked;q=1',
  'chunked;',
  'chunked\t',
  '\x0bchunked',
  'chunked\x0b',
  '\x0cchunked',
  '\0chunked',
  'chunked\0',
  '\xa0chunked',
  'chunk ed',
  'ch\xfcnked',
  '0',
  'true',
  '*',
  'chunked\r\n ',
  '\r\n chunked',
  '\rchunked',
  '\nchunked',
  'chunked\n',
  'chunked\r',
  'chunked\r\nTransfer-Encoding: identity',
  'identity\r\nTransfer-Encoding: chunked',
  'chunked\r\nTransfer-Encoding: chunked',
]
const NAMES = [
  'Transfer-Encoding ',
  ' Transfer-Encoding',
  'Transfer-Encoding\t',
  'Transfer Encoding',
  'Transfer-Encoding\x0b',
  'Transfer-Encoding\0',
  '\0Transfer-Encoding',
  'X: y\nTransfer-Encoding',
  'X: y\rTransfer-Encoding',
  'Transfer\xad-Encoding',
  'Transfer-Encoding:',
  '"Transfer-Encoding"',
]
const LENGTHS = [
  '+5',
  '-5',
  '-0',
  '5 5',
  '5,5',
  '5, 5',
  '5, 6',
  '5;',
  '5.0',
  '5e0',
  '0x5',
  '05x',
  '\x0b5',
  '5\x0b',
  '5\0',
  '\xa05',
  '"5"',
  'five',
  '5\r\n ',
  '\r\n 5',
  '5\n',
  '\n5',
  '5\r',
  '18446744073709551616',
  '18446744073709551621',
  '99999999999999999999999',
  '5\r\nContent-Length: 5',
  '5\r\nContent-Length: 0',
  '0\r\nContent-Length: 5',
  '5\r\ncontent-length: 6',
  '5\r\nContent-Length : 0',
  '5\r\n Content-Length: 0',
  '5\r\nContent-Length\t: 0',
]
/** The first chunk of a body. */
const CHUNKS = [
  '+3\r\nabc\r\n',
  '-3\r\nabc\r\n',
  '0x3\r\nabc\r\n',
  ' 3\r\nabc\r\n',
  '\t3\r\nabc\r\n',
  '3\nabc\r\n',
  '3\rabc\r\n',
  '3\r\nabc\n',
  '3\r\nabc\r',
  '3\r\nabc',
  '3\r\nabcd\r\n',
  '3\r\nab\r\n',
  '2\r\nabc\r\n',
  '3\r\n\r\nabc\r\n',
  '\r\n3\r\nabc\r\n',
  '3_\r\nabc\r\n',
  '3g\r\nabc\r\n',
  '3.\r\nabc\r\n',
  '3,\r\nabc\r\n',
  '3\0\r\nabc\r\n',
  '3\x0b\r\nabc\r\n',
  '3;\0\r\nabc\r\n',
  '3;a\nb\r\nabc\r\n',
  '3;a\rb\r\nabc\r\n',
  '3;a="b\nc"\r\nabc\r\n',
  '3;a=b\n\r\nabc\r\n',
  'x\r\nabc\r\n',
  '\r\nabc\r\n',
  ';a\r\nabc\r\n',
  '10000000000000003\r\nabc\r\n',
  '100000000000000000000000000000003\r\nabc\r\n',
  'fffffffffffffffff\r\nabc\r\n',
]
/** What ends the body. */
const ENDS = [
  '0\n\n',
  '0\r\n\n',
  '0\n\r\n',
  '0\r\r\n',
  '00x\r\n\r\n',
  '0\r\nX: y\n\r\n',
  '0\r\nX y\r\n\r\n',
]

const BODY = '0\r\n\r\n'
const VECTORS = [
  ...[...CHUNKED, ...CODINGS].flatMap((coding) => [
    head(`Content-Length: 5\r\nTransfer-Encoding: ${coding}`) + BODY,
    head(`Transfer-Encoding: ${coding}\r\nContent-Length: 5`) + BODY,
  ]),
  ...CODINGS.map((coding) => head(`Transfer-Encoding: ${coding}`) + BODY),
  ...NAMES.flatMap((name) => [
    head(`Content-Length: 5\r\n${name}: chunked`) + BODY,
    head(`${name}: chunked\r\nContent-Length: 5`) + BODY,
  ]),
  ...LENGTHS.map((length) => `${head(`Content-Length: ${length}`)}abcde`),
  ...CHUNKS.map((chunk) => head('Transfer-Encoding: chunked') + chunk + BODY),
  ...ENDS.map((end) => `${head('Transfer-Encoding: chunked')}3\r\nabc\r\n${end}`),
  head('Content-Length: 5\r\nTransfer-Encoding: chunked', '1.0') + BODY,
]

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
