/** The entry: which way in it takes, by processes that are started as a web server starts them. */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cgiVariables } from '../support/cgi-run.ts'
import { basic, PROJECT, run } from '../support/executable.ts'

const MAIN = join(PROJECT, 'src/main.ts')
let root = ''
let authorization = ''
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'apie-main-'))
  const words = [
    'user',
    'add',
    'ann',
    '--role',
    'admin',
    '--generate',
    '--data',
    join(root, 'data'),
  ]
  const { out } = await run(process.execPath, [MAIN, ...words])
  authorization = basic('ann', out.trim())
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const cgi = (
  target: string,
  { words = [] as string[], variables = {} as Record<string, string>, body = '' } = {},
) =>
  run(process.execPath, [MAIN, ...words], {
    environment: {
      ...cgiVariables({ target, authorization, ...(body === '' ? {} : { method: 'PUT', body }) }),
      APIE_DATA: join(root, 'data'),
      ...variables,
    },
    input: body,
    limitMs: 20_000,
  })

describe('with GATEWAY_INTERFACE in the environment', () => {
  test('one request is answered, and the next process sees what it stored', async () => {
    const put = await cgi('/events', { body: '{"eventType":"t","body":1}' })
    expect(put).toMatchObject({
      status: 0,
      err: '',
      out: expect.stringMatching(/^Status: 200 OK\r\n/),
    })
    expect((await cgi('/events?limit=1')).out).toContain('"eventType":"t"')
  })

  test.each([['serve', '--port', '9'], ['--help'], ['verify'], ['user', 'list']])(
    'words are not looked at: %s',
    async (...words) => {
      const plain = await cgi('/ping')
      expect(await cgi('/ping', { words })).toEqual(plain)
      expect(plain.out).toContain('Ping request successfully handled')
    },
  )

  test('a stub names the settings, and only the one that the web server started', async () => {
    const stub = join(root, 'one.cgi')
    writeFileSync(stub, `#!/usr/bin/apie\nanonymous: reader\ndata: stub-data\n`)
    chmodSync(stub, 0o755)
    const variables = { SCRIPT_FILENAME: stub, APIE_DATA: '', HTTP_AUTHORIZATION: '' }
    const words = [stub, 'serve', '--port']
    expect((await cgi('/events', { words, variables })).out).toMatch(/^Status: 200 OK\r\n/)
    expect(readdirSync(root)).toContain('stub-data')
    const other = { ...variables, SCRIPT_FILENAME: join(root, 'two.cgi') }
    const refused = await cgi('/events', {
      words,
      variables: { ...other, APIE_DATA: join(root, 'data') },
    })
    expect(refused.out).toMatch(/^Status: 401 /)
  })

  test('what is made is for its owner alone, whatever the umask was', async () => {
    const data = join(root, 'open')
    const script = `umask 000; exec "${process.execPath}" "${MAIN}"`
    await run('/bin/sh', ['-c', script], {
      environment: { ...cgiVariables({ target: '/events' }), APIE_DATA: data },
    })
    const modes = readdirSync(data, { recursive: true, withFileTypes: true }).map(
      (entry) => statSync(join(entry.parentPath, entry.name)).mode & 0o077,
    )
    expect(modes.length).toBeGreaterThan(3)
    expect(new Set(modes)).toEqual(new Set([0]))
  })

  test('a setting that cannot be read is a whole answer, and its value stays in the log', async () => {
    const { out, err, status } = await cgi('/events', { variables: { APIE_PORT: 'hidden' } })
    expect(status).toBe(0)
    expect(out).toMatch(/^Status: 500 /)
    expect(out).toContain('"code":"bad-setting"')
    expect(out).not.toContain('hidden')
    expect(err).toContain('hidden')
    expect(err.trimEnd().split('\n')).toHaveLength(1)
  })
})

test('without it, the words count', async () => {
  expect((await run(process.execPath, [MAIN, 'version'])).out).toContain('apie development')
})
