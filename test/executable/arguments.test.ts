/** Nothing that a client or a host puts into the environment makes a CGI process anything else. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pick, randomFrom } from '../crash/crash-run.ts'
import { describeVariants } from '../support/apache-variants.ts'
import { runCgi } from '../support/cgi-run.ts'
import { EXECUTABLE, run } from '../support/executable.ts'
import { inParallel, useApache } from '../support/use-apache.ts'

const QUERIES = [
  'serve+--port+9',
  'init',
  '--help',
  'verify',
  'user+add+x+--role+admin',
  '--eval+1',
]

const WORDS = [
  'serve',
  'user',
  'add',
  'import',
  'export',
  'scavenge',
  'reindex',
  'copy',
  'migrate',
  'broker',
  'process',
  'help',
  'version',
  'doctor',
  '--data',
  '/tmp',
  '../..',
  '--port',
  '0',
  '--role',
  'admin',
  '--generate',
  '--store',
  'memory:',
  '-e',
  '-p',
  '--',
  '--inspect',
  '--require',
  '/etc/passwd',
  '--version',
  '-',
  '%00',
  '%0a',
  '%3d',
  '$(id)',
  '%60id%60',
  '|id',
  ';id',
  '%ff',
]

/** Names and sizes of everything in a folder. */
function contents(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => `${name} ${statSync(join(folder, name)).size}`)
}

describeVariants('the executable as a CGI program', (variant) => {
  const apache = useApache({
    variant,
    shape: 'script-alias',
    configuration: 'SetEnv NODE_OPTIONS --require=/nonexistent',
  })

  it('takes no command from the query that Apache turns into arguments', async () => {
    const plain = await apache().send('/')
    expect(plain.status).toBe(200)
    const before = contents(apache().dataFolder)
    for (const query of QUERIES) {
      const answer = await apache().send(`/?${query}`)
      expect([query, answer.status, answer.text]).toEqual([query, 200, plain.text])
      // A list takes parameters, and says which word is none of them.
      const parameter = decodeURIComponent(query.replaceAll('+', ' '))
      const refused = await apache().send(`/events?${query}`)
      expect([refused.status, JSON.parse(refused.text)]).toMatchObject([
        400,
        { code: 'bad-query', parameter },
      ])
    }
    expect(contents(apache().dataFolder)).toEqual(before)
    // With the length of an answer its client has all of it while the process still ends.
    await expect.poll(() => apache().processes()).toEqual([])
  })

  it('takes none from 170 queries of words that commands are made of', async () => {
    // Other ones for each kind of Apache.
    const random = randomFrom(variant.name.length)
    const queries = Array.from({ length: 170 }, () =>
      Array.from({ length: 1 + Math.floor(random() * 5) }, () => pick(random, WORDS)).join('+'),
    )
    const plain = await apache().send('/')
    const before = contents(apache().dataFolder)
    await inParallel(queries, 4, async (query) => {
      const answer = await apache().send(`/?${query}`)
      expect([query, answer.status, answer.text]).toEqual([query, 200, plain.text])
    })
    expect(contents(apache().dataFolder)).toEqual(before)
    // With the length of an answer its client has all of it while the process still ends.
    await expect.poll(() => apache().processes()).toEqual([])
  })

  it('ignores NODE_OPTIONS', async () => {
    expect((await apache().send('/')).status).toBe(200)
  })
})

describeVariants('a stub that names the executable', (variant) => {
  const apache = useApache({ variant, shape: 'stub' })

  it('serves the data folder it names, and ignores the words of the query', async () => {
    const body = '{"eventType":"t","body":1}'
    expect((await apache().send('/events', { method: 'POST', body })).status).toBe(200)
    expect((await apache().send('/?serve+--port+9')).status).toBe(200)
    expect(JSON.parse((await apache().send('/events')).text)).toHaveLength(1)
  })
})

describe('the way in', () => {
  const withInput = (
    redirection: string,
    words: string,
  ): Promise<{ status: number | null; out: string }> =>
    run('/bin/sh', ['-c', `exec ${EXECUTABLE} ${words} ${redirection}`])

  it('is CGI where GATEWAY_INTERFACE is set, whatever the rest', async () => {
    const variables = { APIE_STORE: 'memory:', APIE_ANONYMOUS: 'admin' }
    expect(await runCgi(EXECUTABLE, { target: '/', variables })).toMatchObject({
      status: 0,
      code: 200,
    })
  })

  it.each([
    ['a pipe', ''],
    ['/dev/null', '< /dev/null'],
    ['nothing', '<&-'],
  ])('is the command line where standard input is %s', async (_name, redirection) => {
    const { status, out } = await withInput(redirection, 'version')
    expect(status).toBe(0)
    expect(out).toMatch(/\d+\.\d+\.\d+/)
  })

  it('is the command line under a terminal', async () => {
    const { out } = await run('script', ['-qec', `${EXECUTABLE} version`, '/dev/null'])
    expect(out).toMatch(/\d+\.\d+\.\d+/)
  })
})
