/** The bytes that a CGI process writes: a status line first, clean headers, and nothing besides. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type CgiRequest, cgiVariables, runCgi } from '../support/cgi-run.ts'
import { EXECUTABLE, run } from '../support/executable.ts'
import { inParallel } from '../support/use-apache.ts'

const folder = mkdtempSync(join(tmpdir(), 'apie-output-'))
const variables = { APIE_DATA: join(folder, 'data'), APIE_ANONYMOUS: 'admin' }
afterAll(() => rmSync(folder, { recursive: true }))

const ask = (request: CgiRequest) =>
  runCgi(EXECUTABLE, { ...request, variables: { ...variables, ...request.variables } })

const REQUESTS: readonly CgiRequest[] = [
  ...['/', '/events', '/nope', '/info', '/ping', '/events/verify', '/storage/x'].flatMap((target) =>
    ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'FOO'].map((method) => ({
      method,
      target,
      ...(['POST', 'PUT', 'PATCH'].includes(method) ? { body: '{"eventType":"t","body":1}' } : {}),
    })),
  ),
  { target: '/events', variables: { HTTP_ACCEPT: 'application/x-ndjson' } },
  { target: '/events', variables: { HTTP_IF_NONE_MATCH: '*' } },
]

describe('the output of a CGI process', () => {
  it('begins with Status, ends lines with CRLF, and redirects nothing inside the server', async () => {
    await ask({ method: 'POST', target: '/events', body: '{"eventType":"t","body":1}' })
    await inParallel(REQUESTS, 4, async (request) => {
      const answer = await ask(request)
      const what = `${request.method} ${request.target}`
      const lines = answer.head.split('\r\n')
      expect([what, lines[0]]).toEqual([what, expect.stringMatching(/^Status: [1-5]\d\d [A-Z]/)])
      for (const line of lines)
        expect([what, line]).toEqual([what, expect.stringMatching(/^[A-Za-z-]+: [ -~]*$/)])
      expect([what, answer.status]).toEqual([what, 0])
      if (answer.code < 300) {
        const hasLocation = lines.some((line) => /^location:/i.test(line))
        expect([what, hasLocation && answer.code !== 201]).toEqual([what, false])
      }
      if (request.method === 'HEAD' || [204, 304].includes(answer.code))
        expect([what, answer.body]).toEqual([what, ''])
      expect(answer.err.split('\n').length, answer.err).toBeLessThanOrEqual(2)
    })
  })

  it('never carries a name from the client raw into a header', async () => {
    const names = ['a%0d%0aSet-Cookie:%20x=1', 'a%00b', 'a%22b', 'a%0ab', '%E2%80%AEtxt', 'ä%C3%A4']
    await inParallel(names, 3, async (name) => {
      const put = await ask({ method: 'PUT', target: `/storage/${name}`, body: `body of ${name}` })
      expect(put.head).not.toMatch(/set-cookie/i)
      if (put.code !== 200) return expect(put.code).toBe(400)
      const { hash } = JSON.parse(put.body) as { hash: string }
      const got = await ask({ target: `/storage/${hash}` })
      expect(got.code).toBe(200)
      for (const line of got.head.split('\r\n')) expect(line).toMatch(/^[A-Za-z-]+: [ -~]*$/)
    })
    for (const type of ['text/plain\r\nX-Evil: 1', 'text/plain\nX-Evil: 1', 'x\0y', 'é']) {
      const put = await ask({
        method: 'PUT',
        target: '/storage/t.txt',
        body: `typed ${type}`,
        variables: type.includes('\0') ? {} : { CONTENT_TYPE: type },
      })
      expect(put.head).not.toMatch(/x-evil/i)
    }
  })
})

describe('HTTP_PROXY', () => {
  const hasStrace = existsSync('/usr/bin/strace')

  it.skipIf(!hasStrace)('makes no process connect anywhere (left out without strace)', async () => {
    const request: CgiRequest = {
      target: '/events',
      variables: { HTTP_PROXY: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9' },
    }
    expect((await ask(request)).code).toBe(200)
    const traced = await run(
      'strace',
      ['-f', '-e', 'trace=connect', '-o', join(folder, 'trace'), EXECUTABLE],
      {
        environment: cgiVariables({
          ...request,
          variables: { ...variables, ...request.variables },
        }),
      },
    )
    expect(traced.out).toMatch(/^Status: 200 /)
    const trace = await run('grep', ['-c', 'connect(', join(folder, 'trace')])
    expect(trace.out.trim()).toBe('0')
  })
})
