/** Whatever variables a web server sets, or leaves out, the app answers. */
import { describe, expect, test } from 'vitest'
import { type CgiVariables, requestHead } from '../../src/gateway/cgi-variables.ts'
import { pieces, wholeBody } from '../support/app-send.ts'
import { openTestApp } from '../support/test-app.ts'

describe('whatever the variables are', () => {
  const SOUND: Readonly<Record<string, string>> = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    REQUEST_METHOD: 'PUT',
    REQUEST_URI: '/cgi-bin/apie/events?limit=1',
    SCRIPT_NAME: '/cgi-bin/apie',
    PATH_INFO: '/events',
    QUERY_STRING: 'limit=1',
    CONTENT_TYPE: 'application/json',
    CONTENT_LENGTH: '26',
    REMOTE_ADDR: '192.0.2.1',
    SERVER_NAME: 'x',
    HTTP_HOST: 'x',
    HTTP_AUTHORIZATION: `Basic ${btoa('a@b.c:pw')}`,
  }
  const MORE = [
    'HTTP_TRANSFER_ENCODING',
    'REDIRECT_HTTP_AUTHORIZATION',
    'HTTPS',
    'HTTP_IF_MATCH',
    'HTTP_RANGE',
    'HTTP_ACCEPT',
    'HTTP_',
    'HTTP___PROTO__',
    'HTTP_CONTENT_ENCODING',
    'HTTP_ORIGIN',
    'REMOTE_USER',
  ]
  const NAMES = [...Object.keys(SOUND), ...MORE]
  const VALUES = [
    '',
    ' ',
    '/',
    '*',
    '//',
    '..',
    '/%',
    '/%ff',
    '/\ufffd',
    '\ud800',
    '/\0',
    '\r\nX: y',
    '-1',
    '1e9',
    '99999999999999999',
    'chunked',
    'GET',
    'HEAD',
    'POST',
    'DELETE',
    'OPTIONS',
    'get',
    'G E T',
    'http://evil.example/events',
    '/cgi-bin/apie',
    '/cgi-bin/apie/storage/x',
    '/events',
    'bytes=0-',
    '"',
    'Basic',
    'Basic !',
    'Basic a, Basic b',
    'ä',
    '🎉',
    'x'.repeat(100_000),
    '/a'.repeat(20_000),
    '&=%'.repeat(2000),
  ]

  /** Sends variables through to the app; its answer must be sound, and nothing may have failed inside. */
  async function answerOf(variables: CgiVariables, app: Awaited<ReturnType<typeof openTestApp>>) {
    const body = pieces([Buffer.from('{"eventType":"t","body":1}')])
    const answer = await app.app({ ...requestHead(variables), body })
    const text = (await wholeBody(answer.body)).toString()
    if (app.reports.length > 0) throw app.reports[0]?.error
    if (answer.status < 200 || answer.status > 499) throw new Error(`${answer.status} ${text}`)
    if (answer.status >= 400 && variables['REQUEST_METHOD'] !== 'HEAD') JSON.parse(text)
    return answer.status
  }

  async function timed(...call: Parameters<typeof answerOf>): Promise<[number, number]> {
    const started = performance.now()
    const status = await answerOf(...call)
    return [status, performance.now() - started]
  }

  test.each(Object.keys(SOUND))('without %s the answer is sound', async (name) => {
    const { [name]: _left, ...others } = SOUND
    const status = await answerOf(others, await openTestApp())
    expect(status).toBe({ REQUEST_METHOD: 400, HTTP_AUTHORIZATION: 401 }[name] ?? 200)
  })

  test('50,000 sets of them, missing, empty, huge, contradictory, are answered soundly', async () => {
    let state = 11
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
      return (state >>> 8) % below
    }
    const pick = (all: readonly string[]): string => all[random(all.length)] ?? ''
    const statuses = new Map<number, number>()
    let app = await openTestApp()
    let slowest = 0
    for (let run = 0; run < 50_000; run++) {
      // A store of its own now and then, or its growing would be what is tested.
      if (run % 2000 === 0) app = await openTestApp()
      const variables: Record<string, string | undefined> = { ...SOUND }
      for (let changes = random(5); changes >= 0; changes--) {
        const name = pick(NAMES)
        if (random(4) === 0) delete variables[name]
        else variables[name] = pick(VALUES)
      }
      const [status, ms] = await timed(variables, app)
      // What is slow by itself is so again; a busy machine is not.
      slowest = Math.max(slowest, ms < 1000 ? ms : (await timed(variables, app))[1])
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    expect(slowest).toBeLessThan(1000)
    for (const status of [200, 400, 401, 404, 405]) expect(statuses.get(status)).toBeGreaterThan(50)
  })
})
