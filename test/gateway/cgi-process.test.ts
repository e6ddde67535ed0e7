/** One CGI process: its input and output over pipes (`mod_cgi`) and over one socket (`mod_cgid`). */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSettings } from '../../src/config.ts'
import { parseFilename } from '../../src/domain/content-store.ts'
import { openCommandStore } from '../../src/wire.ts'
import { pieces } from '../support/app-send.ts'
import { bundledProgram, type Program } from '../support/bundled-program.ts'
import {
  type CgiAnswer,
  type CgiEnd,
  type CgiProcess,
  codeOf,
  parseAnswer,
  readAll,
  startCgi,
  TRANSPORTS,
  type Transport,
} from '../support/cgi-process.ts'
import { cgiVariables } from '../support/cgi-run.ts'

const root = mkdtempSync(join(tmpdir(), 'apie-cgi-'))
const data = join(root, 'data')
const BIG = Buffer.alloc(20 * 1024 * 1024)
for (let at = 0; at < BIG.length; at += 4) BIG.writeUInt32LE((at * 2_654_435_761) >>> 0, at)
const BIG_HASH = createHash('sha256').update(BIG).digest('hex')
let program: Program

const openStore = () =>
  openCommandStore(readSettings({ options: { data, store: `file:${data}` } }), 'create')

beforeAll(async () => {
  program = await bundledProgram()
  const store = await openStore()
  await store.content.put(pieces([BIG]), { filename: parseFilename('big'), mediaType: 'a/b' })
  await store.close()
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function countEvents(): Promise<number> {
  const store = await openStore()
  const { count } = await store.log.head()
  await store.close()
  return count
}

type Request = {
  readonly method?: string
  readonly target?: string
  readonly variables?: Readonly<Record<string, string | undefined>>
  readonly words?: readonly string[]
}

function start(transport: Transport, request: Request): Promise<CgiProcess> {
  const { method = 'GET', target = '/ping' } = request
  const settings = { APIE_DATA: data, APIE_ANONYMOUS: 'admin', ...request.variables }
  const variables = cgiVariables({ method, target, variables: settings })
  return startCgi({ program, variables, transport, words: request.words ?? [] })
}

/** Sends a body, waits for the end, and reads what came. */
async function ask(
  transport: Transport,
  request: Request,
  body: string | Uint8Array = '',
): Promise<CgiAnswer & CgiEnd & { readonly code: unknown }> {
  const started = await start(transport, request)
  const bytes = readAll(started.output)
  started.input.end(body)
  const end = await started.ended
  const answer = parseAnswer(await bytes)
  return { ...end, ...answer, code: codeOf(answer) }
}

const EVENT = '{"eventType":"t","body":1}'
const put = (variables: Request['variables']): Request => ({
  method: 'PUT',
  target: '/events',
  variables: { CONTENT_TYPE: 'application/json', ...variables },
})

describe.each(TRANSPORTS)('over a %s', (transport) => {
  test('20 MB come back byte for byte to a slow reader', async () => {
    const { output, input, ended } = await start(transport, { target: `/storage/${BIG_HASH}` })
    input.end()
    const chunks: Buffer[] = []
    output.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (chunks.length % 4 > 0) return
      output.pause()
      setTimeout(() => output.resume(), 1)
    })
    await once(output, 'end')
    expect(await ended).toEqual({ status: 0, signal: null, err: '' })
    expect(parseAnswer(Buffer.concat(chunks)).body.equals(BIG)).toBe(true)
  })

  test('20 MB that come in pieces are stored byte for byte', async () => {
    const started = await start(transport, {
      method: 'PUT',
      target: '/storage/other',
      variables: { CONTENT_LENGTH: String(BIG.length + 1) },
    })
    const bytes = readAll(started.output)
    started.input.write(BIG.subarray(0, 1))
    for (let at = 1; at < BIG.length; at += 999_999) {
      started.input.write(BIG.subarray(at, at + 999_999))
      await new Promise((resolve) => setImmediate(resolve))
    }
    started.input.end('!')
    const expected = createHash('sha256').update(BIG).update('!').digest('hex')
    const answer = JSON.parse(parseAnswer(await bytes).body.toString())
    expect(answer).toMatchObject({ hash: expected, size: BIG.length + 1 })
  })

  test('a body in chunks, without a length, is read to its end', async () => {
    const before = await countEvents()
    const answer = await ask(transport, put({ HTTP_TRANSFER_ENCODING: 'chunked' }), EVENT)
    expect(answer).toMatchObject({ status: 200, err: '' })
    expect(await countEvents()).toBe(before + 1)
  })

  test.each([
    ['shorter', EVENT.length + 1],
    ['longer', EVENT.length - 1],
  ])('a body that is %s than announced is 400 and not stored', async (_name, length) => {
    const before = await countEvents()
    const answer = await ask(transport, put({ CONTENT_LENGTH: String(length) }), EVENT)
    expect(answer).toMatchObject({ status: 400, code: 'body-incomplete', err: '' })
    expect(await countEvents()).toBe(before)
  })

  test.each<[number, string, Request]>([
    [401, 'credentials-missing', put({ APIE_ANONYMOUS: 'none' })],
    [404, 'route-not-found', { method: 'PUT', target: '/nope' }],
    [405, 'method-not-allowed', { method: 'PATCH', target: '/events' }],
    [413, 'body-too-large', put({ APIE_MAX_EVENT_BYTES: '1000' })],
    [415, 'media-type-unsupported', put({ HTTP_CONTENT_ENCODING: 'gzip' })],
  ])('%i is answered whole behind a body of 3 MB', async (status, code, request) => {
    const account = await setUpOnce()
    const body = BIG.subarray(0, 3_000_000)
    for (const length of [{ CONTENT_LENGTH: '3000000' }, { HTTP_TRANSFER_ENCODING: 'chunked' }]) {
      const variables = { ...request.variables, ...length }
      const answer = await ask(transport, { ...request, variables }, body)
      expect([account, answer]).toMatchObject([true, { status, code, err: '' }])
    }
  })

  test.each([100, 3_000_000])(
    'a length that is none is 400, and its body of %i bytes is read first',
    async (size) => {
      const started = await start(transport, put({ CONTENT_LENGTH: '5, 5' }))
      const problems: Error[] = []
      started.input.on('error', (error) => problems.push(error))
      const bytes = readAll(started.output)
      started.input.end(BIG.subarray(0, size))
      expect(await started.ended).toEqual({ status: 0, signal: null, err: '' })
      const answer = parseAnswer(await bytes)
      expect([answer.status, codeOf(answer), problems]).toEqual([400, 'bad-header', []])
    },
  )

  test('a body that stalls is 408, with three threads all along', async () => {
    const started = await start(
      transport,
      put({ CONTENT_LENGTH: '100', APIE_BODY_TIMEOUT_MS: '700' }),
    )
    const bytes = readAll(started.output)
    started.input.write('{"eventType"')
    let most = 0
    let isOver = false
    void started.ended.then(() => {
      isOver = true
    })
    while (!isOver) {
      most = Math.max(most, threadsOf(started.pid))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const answer = parseAnswer(await bytes)
    expect([answer.status, codeOf(answer)]).toEqual([408, 'request-timeout'])
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(3)
  })

  test('a client that is gone is no reason to complain', async () => {
    const { output, input, ended } = await start(transport, { target: `/storage/${BIG_HASH}` })
    if (transport === 'pipe') input.end()
    await once(output, 'readable')
    output.destroy()
    expect(await ended).toEqual({ status: 1, signal: null, err: '' })
  })

  test('a reader that stalls ends the process by its own deadline', async () => {
    const { input, output, ended } = await start(transport, {
      target: `/storage/${BIG_HASH}`,
      variables: { APIE_REQUEST_TIMEOUT_MS: '700' },
    })
    if (transport === 'pipe') input.end()
    output.pause()
    expect(await ended).toEqual({ status: 1, signal: null, err: '' })
    output.destroy()
  })

  test.each<[number, Request]>([
    [200, { method: 'HEAD', target: '/events' }],
    [404, { method: 'HEAD', target: '/nope' }],
    [204, { target: '/health/live' }],
    [304, { target: `/storage/${BIG_HASH}`, variables: { HTTP_IF_NONE_MATCH: `"${BIG_HASH}"` } }],
  ])('%i of %o has no body', async (status, request) => {
    const answer = await ask(transport, request)
    expect(answer).toMatchObject({ status, body: Buffer.alloc(0), err: '' })
  })
})

let settingUp: Promise<boolean> | undefined

/** An account, without which a request without credentials is 503. */
function setUpOnce(): Promise<boolean> {
  settingUp ??= (async () => {
    const words = ['user', 'add', 'ann', '--role', 'admin', '--generate', '--data', data]
    const child = spawn(program.command, [...program.words, ...words], { stdio: 'ignore' })
    const [status] = await once(child, 'exit')
    return status === 0
  })()
  return settingUp
}

function threadsOf(pid: number): number {
  try {
    return Number(/^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    return 0
  }
}

test.each(['<&-', '</dev/null', '<"$FILE"'])(
  'input %s is a body that is missing or whole',
  async (input) => {
    const file = join(root, 'event.json')
    writeFileSync(file, EVENT)
    const variables = put({
      CONTENT_LENGTH: String(EVENT.length),
      FILE: file,
      APIE_DATA: data,
      APIE_ANONYMOUS: 'admin',
    }).variables
    const out = join(root, 'out')
    writeFileSync(out, 'before\n')
    const child = spawn(
      '/bin/sh',
      ['-c', `exec "$0" "$@" ${input} >>"${out}"`, program.command, ...program.words],
      {
        env: cgiVariables({ method: 'PUT', target: '/events', variables: variables ?? {} }),
        stdio: ['ignore', 'ignore', openSync('/dev/null', 'w')],
      },
    )
    expect(await once(child, 'exit')).toEqual([0, null])
    const status = input.includes('FILE') ? 200 : 400
    // What stood in a file that output is appended to still stands there.
    expect(readFileSync(out, 'utf8')).toMatch(new RegExp(`^before\\nStatus: ${status} `))
  },
)

describe('the environment', () => {
  test.each([['serve', '--port', '9'], ['init'], ['--help'], ['verify'], ['--eval', '1']])(
    'words of a query change nothing: %s',
    async (...words) => {
      const plain = await ask('pipe', {})
      expect(await ask('pipe', { words })).toEqual(plain)
      expect(plain).toMatchObject({ status: 200, err: '' })
    },
  )

  test('may be next to nothing', async () => {
    const variables = {
      PATH: undefined,
      HOME: undefined,
      TMPDIR: undefined,
      LANG: undefined,
      TZ: undefined,
      SERVER_NAME: undefined,
      REMOTE_ADDR: undefined,
    }
    expect(await ask('pipe', { target: '/events', variables })).toMatchObject({
      status: 200,
      err: '',
    })
  })

  test('a settings file that is wrong is 500 with a code, one line in the log, and no value told', async () => {
    const folder = join(root, 'wrong')
    mkdirSync(folder)
    for (const [name, text] of [
      ['syntax', '{"port": hidden'],
      ['value', '{"port":"hidden"}'],
      ['key', '{"hidden":1}'],
    ] as const) {
      const file = join(folder, `${name}.json`)
      writeFileSync(file, text)
      const answer = await ask('pipe', { variables: { APIE_CONFIG: file } })
      expect([name, answer]).toMatchObject([name, { status: 500, code: 'bad-setting' }])
      expect(answer.body.toString()).not.toContain('hidden')
      expect(answer.err).toContain('hidden')
      expect(answer.err.trimEnd().split('\n')).toHaveLength(1)
    }
  })

  test('a settings file that is not there is named in the log alone', async () => {
    const answer = await ask('pipe', { variables: { APIE_CONFIG: '/no/hidden.json' } })
    expect(answer).toMatchObject({ status: 500, code: 'bad-setting' })
    expect(answer.body.toString()).not.toContain('hidden')
    expect(answer.err).toContain('APIE_CONFIG: there is no file /no/hidden.json')
  })
})
