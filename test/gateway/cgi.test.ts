/** One CGI request in this process, its input and output files and pipes of the test. */
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import { serveCgi } from '../../src/gateway/cgi.ts'
import type { HttpRequest, HttpResponse } from '../../src/http/message.ts'
import { pieces, wholeBody } from '../support/app-send.ts'

const folder = mkdtempSync(join(tmpdir(), 'apie-cgi-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'in')
const out = join(folder, 'out')

type Given = {
  readonly body?: string
  readonly variables?: Readonly<Record<string, string>>
  readonly input?: number
  readonly output?: number
  readonly bodyTimeoutMs?: number
}

/** Runs one request against `app`; what it wrote, and whether all of it was delivered. */
async function run(
  app: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>,
  { body = '', variables = {}, bodyTimeoutMs = 10_000, ...descriptors }: Given = {},
): Promise<{ text: string; isDelivered: boolean }> {
  writeFileSync(file, body)
  const input = descriptors.input ?? openSync(file, 'r')
  const output = descriptors.output ?? openSync(out, 'w')
  const isDelivered = await serveCgi(async (request) => app(request), {
    variables: {
      REQUEST_METHOD: 'POST',
      REQUEST_URI: '/x',
      SCRIPT_NAME: '',
      CONTENT_LENGTH: String(body.length),
      ...variables,
    },
    bodyTimeoutMs,
    requestTimeoutMs: 20_000,
    input,
    output,
  })
  if (descriptors.input === undefined) closeSync(input)
  if (descriptors.output === undefined) closeSync(output)
  return { text: readFileSync(out, 'latin1'), isDelivered }
}

const answer = (given: Partial<HttpResponse> = {}) => ({ status: 200, headers: {}, ...given })

/** What the handler was told of the body: its text, or the code of the error. */
async function told({ body }: HttpRequest): Promise<string> {
  try {
    return (await wholeBody(body)).toString()
  } catch (error) {
    return error instanceof AppError ? error.code : String(error)
  }
}

/** An end of a named pipe that the other end of stays open. */
function pipe(name: string, end: 'r' | 'w'): { fd: number; both: number } {
  const path = join(folder, name)
  execFileSync('mkfifo', [path])
  const both = openSync(path, constants.O_RDWR)
  return { fd: openSync(path, end), both }
}

describe('a response', () => {
  test.each<[string, HttpResponse, string]>([
    ['text', answer({ body: 'ä' }), 'Status: 200 OK\r\n\r\n\u00c3\u00a4'],
    ['bytes', answer({ body: Buffer.from([0, 255]) }), 'Status: 200 OK\r\n\r\n\u0000\u00ff'],
    [
      'pieces',
      answer({ body: pieces([Buffer.from('a'), Buffer.from('b')]) }),
      'Status: 200 OK\r\n\r\nab',
    ],
    ['nothing', answer(), 'Status: 200 OK\r\n\r\n'],
    ['204', answer({ status: 204, body: 'x' }), 'Status: 204 No Content\r\n\r\n'],
    ['304', answer({ status: 304, body: 'x' }), 'Status: 304 Not Modified\r\n\r\n'],
    [
      'headers',
      answer({ headers: { a: '1', b: ['2', '3'] } }),
      'Status: 200 OK\r\na: 1\r\nb: 2\r\nb: 3\r\n\r\n',
    ],
    ['a reason', answer({ reason: 'Fine' }), 'Status: 200 Fine\r\n\r\n'],
  ])('of %s is written as a web server wants it', async (_what, response, text) => {
    expect(await run(() => response)).toEqual({ text, isDelivered: true })
  })

  test('to HEAD has no body', async () => {
    const variables = { REQUEST_METHOD: 'HEAD' }
    expect((await run(() => answer({ body: 'x' }), { variables })).text).toBe(
      'Status: 200 OK\r\n\r\n',
    )
  })

  test.each<[string, Partial<HttpResponse>]>([
    ['a line end in a header', { headers: { a: '1\r\nb: 2' } }],
    ['a name that is none', { headers: { 'a b': '1' } }],
    ['a header longer than any server takes', { headers: { a: 'x'.repeat(8200) } }],
    ['a line end in the reason', { reason: 'a\r\nb: 2' }],
  ])('with %s is 500, and nothing of it goes out', async (_what, given) => {
    const { text } = await run(() => answer({ body: 'x', ...given }))
    expect(text).toMatch(
      /^Status: 500 Internal Server Error\r\nContent-Type: text\/plain\r\n\r\nx?$/,
    )
  })

  test('whose body fails on the way is not delivered', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a')
      throw new Error('no more')
    }
    const { text, isDelivered } = await run(() => answer({ body: failing() }))
    expect([text, isDelivered]).toEqual(['Status: 200 OK\r\n\r\na', false])
  })

  test.each(['one piece', 'pieces'])(
    'of %s that nobody reads any more is not delivered, and not made on',
    async (kind) => {
      const { fd, both } = pipe(`gone-${kind.length}`, 'w')
      closeSync(both)
      let made = 0
      async function* counted(): AsyncGenerator<Uint8Array> {
        for (; made < 100; made++) yield Buffer.from('x')
      }
      const body = kind === 'pieces' ? counted() : 'x'
      expect((await run(() => answer({ body }), { output: fd })).isDelivered).toBe(false)
      expect(made).toBe(0)
      closeSync(fd)
    },
  )

  test('whose reader goes away between two pieces is not made on', async () => {
    const { fd, both } = pipe('left', 'w')
    let made = 0
    async function* counted(): AsyncGenerator<Uint8Array> {
      for (; made < 100; made++) {
        if (made === 1) closeSync(both)
        yield Buffer.from('x')
      }
    }
    expect((await run(() => answer({ body: counted() }), { output: fd })).isDelivered).toBe(false)
    expect(made).toBe(1)
    closeSync(fd)
  })
})

describe('a body', () => {
  const telling = async (request: HttpRequest) => answer({ body: await told(request) })
  const bodyOf = (text: string) => text.slice(text.indexOf('\r\n\r\n') + 4)
  const large = 'x'.repeat(600_000)

  test.each<[string, Given, string]>([
    ['of the announced length is whole', { body: 'hello' }, 'hello'],
    ['of several pieces is whole', { body: large }, large],
    ['of no length at all is empty', { variables: { CONTENT_LENGTH: '' } }, ''],
    [
      'in chunks goes to the end of the input',
      { body: 'hello', variables: { CONTENT_LENGTH: '', HTTP_TRANSFER_ENCODING: 'chunked' } },
      'hello',
    ],
    [
      'that is shorter than announced is refused',
      { body: 'hello', variables: { CONTENT_LENGTH: '6' } },
      'body-incomplete',
    ],
    [
      'that is longer than announced is refused',
      { body: 'hello', variables: { CONTENT_LENGTH: '4' } },
      'body-incomplete',
    ],
    [
      'that cannot be read is refused',
      { variables: { CONTENT_LENGTH: '5' }, input: 9999 },
      'body-incomplete',
    ],
  ])('%s', async (_what, given, expected) => {
    expect(bodyOf((await run(telling, given)).text)).toBe(expected)
  })

  test('whose reading fails in the middle is refused', async () => {
    // A folder can be opened, but not read.
    const input = openSync(folder, 'r')
    const { text } = await run(telling, { variables: { CONTENT_LENGTH: '5' }, input })
    expect(bodyOf(text)).toBe('body-incomplete')
    closeSync(input)
  })

  test('that stalls is refused at its deadline, and its rest is not waited for again', async () => {
    const { fd, both } = pipe('stalls', 'r')
    writeSync(both, 'he')
    const given = { variables: { CONTENT_LENGTH: '5' }, input: fd, bodyTimeoutMs: 50 }
    expect(bodyOf((await run(telling, given)).text)).toBe('request-timeout')
    closeSync(both)
    closeSync(fd)
  })

  test('that nobody asks for is read before the answer', async () => {
    const { fd, both } = pipe('drained', 'r')
    writeSync(both, 'hello')
    const given = { variables: { CONTENT_LENGTH: '5' }, input: fd }
    expect((await run(() => answer({ body: 'done' }), given)).text).toMatch(/done$/)
    // Nothing is left for the next one.
    writeSync(both, '!')
    const left = Buffer.alloc(10)
    expect(left.toString('latin1', 0, readSync(fd, left))).toBe('!')
    closeSync(both)
    closeSync(fd)
  })

  test('that nobody asks for and that stalls is answered all the same', async () => {
    const { fd, both } = pipe('never', 'r')
    const given = { variables: { CONTENT_LENGTH: '5' }, input: fd, bodyTimeoutMs: 50 }
    expect((await run(() => answer({ body: 'done' }), given)).text).toMatch(/done$/)
    closeSync(both)
    closeSync(fd)
  })
})
