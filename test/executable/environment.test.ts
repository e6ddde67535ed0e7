/** CGI variables that no web server would set: always an answer in JSON, never a crash, never a wait. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { cgiVariables, runCgi } from '../support/cgi-run.ts'
import { EXECUTABLE, run } from '../support/executable.ts'
import { inParallel } from '../support/use-apache.ts'

const folder = mkdtempSync(join(tmpdir(), 'apie-environment-'))
const settings = {
  APIE_DATA: join(folder, 'data'),
  APIE_ANONYMOUS: 'writer',
  APIE_BODY_TIMEOUT_MS: '500',
}
afterAll(() => rmSync(folder, { recursive: true }))

const NAMES = [
  'SERVER_PROTOCOL',
  'SERVER_NAME',
  'SERVER_PORT',
  'REMOTE_ADDR',
  'REQUEST_METHOD',
  'REQUEST_URI',
  'SCRIPT_NAME',
  'SCRIPT_FILENAME',
  'PATH_INFO',
  'QUERY_STRING',
  'HTTP_HOST',
  'HTTP_AUTHORIZATION',
  'REDIRECT_HTTP_AUTHORIZATION',
  'CONTENT_LENGTH',
  'CONTENT_TYPE',
  'HTTP_TRANSFER_ENCODING',
  'HTTP_IF_MATCH',
  'HTTP_IF_NONE_MATCH',
  'HTTP_ACCEPT',
  'HTTP_COOKIE',
  'HTTPS',
  'REMOTE_USER',
  'REDIRECT_STATUS',
] as const

const ODD = [
  '',
  ' ',
  '0',
  '-1',
  '1e9',
  '99999999999999999999',
  '/',
  '//',
  '*',
  '..',
  '%',
  '%zz',
  '%ff',
  '\u00ff',
  '\n',
  '\r\n\r\n',
  'http://',
  'http://x',
  '"',
  'x'.repeat(60_000),
  'POST',
  'chunked',
  'Basic ',
  'Basic Og==',
  '[::1]:80',
  '\u202e',
] as const

type Answer = { name: string; out: string; status: number | null; ms: number }

async function ask(variables: Record<string, string | undefined>): Promise<Answer> {
  const started = Date.now()
  const answer = await runCgi(EXECUTABLE, {
    target: '/events',
    variables: { ...settings, ...variables },
    limitMs: 10_000,
  })
  return {
    name: JSON.stringify(variables).slice(0, 300),
    out: answer.out,
    status: answer.status,
    ms: Date.now() - started,
  }
}

/** A whole response, a JSON body wherever it is an error, no trace of the inside. */
function expectAnswer({ name, out, status, ms }: Answer): void {
  expect([name, status, out.slice(0, 100)]).toEqual([
    name,
    0,
    expect.stringMatching(/^Status: [1-5]\d\d /),
  ])
  expect(out).not.toContain(folder)
  const body = out.slice(out.indexOf('\r\n\r\n') + 4)
  if (/^Status: [45]/.test(out) && body !== '') {
    expect([name, JSON.parse(body)]).toEqual([
      name,
      expect.objectContaining({ status: 'error', code: expect.any(String) }),
    ])
  }
  expect([name, /^Status: 500 /.test(out)]).toEqual([name, false])
  // Far above what it takes, far below any limit that it would have to run into.
  expect(ms).toBeLessThan(5000)
}

describe('a CGI process', () => {
  it('answers with each variable missing', async () => {
    const answers = await inParallel(NAMES, 4, (name) => ask({ [name]: undefined }))
    answers.forEach(expectAnswer)
  })

  it('answers with 150 environments of odd values, and stores nothing', async () => {
    const variables = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...ODD), {
      minKeys: 1,
      maxKeys: 6,
    })
    const environments = fc.sample(variables, { numRuns: 150, seed: 20_260_101 })
    const answers = await inParallel(environments, 4, (environment) => ask({ ...environment }))
    answers.forEach(expectAnswer)
    const verify = await run(EXECUTABLE, ['verify', '--data', settings.APIE_DATA])
    expect(verify.status, verify.out + verify.err).toBe(0)
    expect((await runCgi(EXECUTABLE, { target: '/events', variables: settings })).body).toBe('[]')
  })

  it('answers with bytes that are not UTF-8', async () => {
    const environment = cgiVariables({ target: '/events', variables: settings })
    const script = `export HTTP_HOST=$'\\xff\\xfe' REQUEST_URI=$'/cgi-bin/apie/\\xc0\\xae' HTTP_COOKIE=$'\\x80'; exec ${EXECUTABLE}`
    const { out, status } = await run('bash', ['-c', script], { environment })
    expectAnswer({ name: 'not UTF-8', out, status, ms: 0 })
  })
})
