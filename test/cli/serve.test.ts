/** `apie serve` as a process of its own: what it prints, and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { type ClientRequest, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readSettings } from '../../src/config.ts'
import { runWords } from '../support/command-line.ts'
import { basic, PROJECT, run } from '../support/executable.ts'
import { send } from '../support/http-client.ts'

let root = ''
let child: ChildProcess | undefined
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'apie-serve-'))
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

type Started = {
  readonly url: string
  readonly port: number
  readonly said: () => string
  readonly ended: Promise<unknown[]>
}

async function serve(...words: string[]): Promise<Started> {
  const data = join(root, 'data')
  const main = join(PROJECT, 'src/main.ts')
  const started = spawn(process.execPath, [main, 'serve', '--data', data, ...words], {
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child = started
  let said = ''
  const ended = once(started, 'close')
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said += chunk.toString()
      const found = /listens on (http:\S+[^/\s])\n/.exec(said)?.[1]
      if (found !== undefined) resolve(found)
    }
    started.stdout?.on('data', hear)
    started.stderr?.on('data', hear)
    started.once('exit', () => reject(new Error(said)))
  })
  return { url, port: Number(new URL(url).port), said: () => said, ended }
}

/** A request whose body is not sent yet; the server has its head when this resolves. */
async function begun(url: string, authorization: string): Promise<ClientRequest> {
  const sent = request(`${url}/events`, {
    method: 'POST',
    headers: { authorization, 'content-length': 28, expect: '100-continue' },
  })
  sent.flushHeaders()
  await once(sent, 'continue')
  return sent
}

const passwordIn = (said: string) => /not shown again: (\S+)/.exec(said)?.[1] ?? ''
const event = '{"eventType":"t","body":"x"}'

describe('apie serve', () => {
  test('prints its address and the first admin once, and works with them', async () => {
    const { url, said } = await serve('--port', '0', '--first-admin', 'ann')
    const authorization = basic('ann', passwordIn(said()))
    const put = await send(`${url}/events`, {
      method: 'PUT',
      headers: { authorization },
      body: event,
    })
    expect(put.status).toBe(200)
    expect(said()).not.toContain('There is no account yet')
    child?.kill('SIGTERM')
    const again = await serve('--port', '0', '--first-admin', 'bob')
    expect(passwordIn(again.said())).toBe('')
    expect((await send(`${again.url}/events`, { headers: { authorization } })).status).toBe(200)
    child?.kill('SIGTERM')
    await again.ended
    expect(again.said()).toContain('--first-admin bob: accounts exist already; none was made\n')
  })

  test('says how to make an account while there is none', async () => {
    const { url, said } = await serve('--port', '0')
    expect((await send(`${url}/events`)).status).toBe(503)
    expect(said()).toContain(`There is no account yet: open ${url}/setup`)
    expect(existsSync(join(root, 'data', 'setup-token'))).toBe(true)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s lets a running request finish, refuses new ones and exits with 0',
    async (signal) => {
      const { url, said, ended } = await serve('--port', '0', '--first-admin', 'ann')
      const sent = await begun(url, basic('ann', passwordIn(said())))
      child?.kill(signal)
      await refused(url)
      sent.end(event)
      const [response] = await once(sent, 'response')
      expect(response.statusCode).toBe(200)
      response.resume()
      expect(await ended).toEqual([0, null])
    },
  )

  test('SIGHUP does nothing where there is no terminal, as under nohup', async () => {
    const { url, ended } = await serve('--port', '0')
    child?.kill('SIGHUP')
    expect((await fetch(`${url}/ping`)).status).toBe(200)
    child?.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })

  test.skipIf(!existsSync('/usr/bin/script'))('SIGHUP stops it on a terminal', async () => {
    const words = `${join(PROJECT, 'src/main.ts')} serve --port 0 --data ${join(root, 'data')}`
    const onTerminal = `echo "pid $$"; exec ${process.execPath} ${words}`
    child = spawn('/usr/bin/script', ['-qec', onTerminal, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const ended = once(child, 'close')
    let said = ''
    for await (const chunk of child.stdout ?? []) {
      said += String(chunk)
      if (said.includes('listens on')) break
    }
    process.kill(Number(/pid ([0-9]+)/.exec(said)?.[1]), 'SIGHUP')
    expect(await ended).toEqual([0, null])
  })

  test('a stop gives those that wait for events the empty answer at once', async () => {
    const { url, said, ended } = await serve('--port', '0', '--first-admin', 'ann')
    const authorization = basic('ann', passwordIn(said()))
    const headers = { authorization, accept: 'application/json', 'es-longpoll': '30' }
    const get = (path: string) => send(`${url}${path}`, { headers })
    const put = await send(`${url}/events`, {
      method: 'PUT',
      headers: { authorization },
      body: event,
    })
    expect(put.status).toBe(200)
    const startedAt = performance.now()
    const ends = ['default/1', `$all/${'0000000000000001'.repeat(2)}`]
    const waiting = ends.map((end) => get(`/streams/${end}/forward/20`))
    // A connection that comes later is taken later: both have come in by then.
    await get('/streams/default')
    child?.kill('SIGTERM')
    for (const { status, text } of await Promise.all(waiting)) {
      expect([status, JSON.parse(text).entries]).toEqual([200, []])
    }
    expect(await ended).toEqual([0, null])
    expect(performance.now() - startedAt).toBeLessThan(20_000)
  })

  test('takes an IPv6 address with and without its brackets', async () => {
    const { url } = await serve('--port', '0', '--host', '[::1]')
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/)
    expect((await fetch(`${url}/ping`)).status).toBe(200)
  })

  test('says at the start that a file which a setting names is of no use', async () => {
    const ended = new AbortController()
    ended.abort()
    const variables = { APIE_HTPASSWD: join(root, 'no'), APIE_LOG_FILE: join(root, 'no', 'log') }
    const { code, err } = await runWords(['serve', '--port', '0'], {
      settings: () => readSettings({ options: { port: '0' }, environment: variables }),
      untilStopped: () => ended.signal,
      openApp: async () => ({
        app: async () => ({ status: 200, headers: {} }),
        accounts: { addFirstAdmin: async () => undefined },
        setup: { isOpen: async () => false, tokenPlace: '' },
        endWaits: () => undefined,
        close: async () => undefined,
      }),
    })
    expect(code).toBe(0)
    expect(err).toBe(
      `apie: the htpasswd file ${root}/no cannot be read (not there); who stands only there cannot sign in
apie: the log file ${root}/no/log cannot be written (not there); its lines go to standard error
`,
    )
  })

  test('exits with 1 where the store cannot be opened, after it has listened', async () => {
    mkdirSync(join(root, 'data'), { mode: 0o755 })
    await expect(serve('--port', '0')).rejects.toThrow('[data-folder-unsafe]')
    expect(child?.exitCode).toBe(1)
  })

  test('sees at the next request what another process has done to an account', async () => {
    const { url } = await serve('--port', '0', '--first-admin', 'ann')
    const change = async (words: readonly string[], input = '') => {
      const all = [join(PROJECT, 'src/main.ts'), 'user', ...words, '--data', join(root, 'data')]
      expect(await run(process.execPath, all, { input })).toMatchObject({ status: 0 })
    }
    const status = async (password: string, method = 'GET') => {
      const headers = { authorization: basic('bob', password) }
      const body = method === 'PUT' ? event : ''
      const answers = []
      for (const _ of [1, 2]) answers.push(await send(`${url}/events`, { method, headers, body }))
      expect(new Set(answers.map((answer) => answer.status)).size).toBe(1)
      return answers[0]?.status
    }
    await change(['add', 'bob', '--role', 'writer', '--password-stdin'], 'first secret')
    expect(await status('first secret', 'PUT')).toBe(200)
    await change(['role', 'bob', '--role', 'reader'])
    expect(await status('first secret', 'PUT')).toBe(403)
    expect(await status('first secret')).toBe(200)
    await change(['passwd', 'bob', '--password-stdin'], 'second secret')
    expect(await status('first secret')).toBe(401)
    expect(await status('second secret')).toBe(200)
    await change(['remove', 'bob'])
    expect(await status('second secret')).toBe(401)
  })

  test('a second signal ends it at once', async () => {
    const { url, said, ended } = await serve('--port', '0', '--first-admin', 'ann')
    const sent = await begun(url, basic('ann', passwordIn(said())))
    sent.on('error', () => undefined)
    child?.kill('SIGTERM')
    await refused(url)
    child?.kill('SIGTERM')
    expect(await ended).toEqual([143, null])
  })

  test('exits with 1 and a reason, and makes nothing, where another program has the port', async () => {
    const { port } = await serve('--port', '0')
    const first = child
    const other = join(root, 'other')
    await expect(serve('--port', String(port), '--data', other)).rejects.toThrow(
      `apie: Cannot listen on port ${port} of 127.0.0.1: the address is in use by another program [cannot-listen]\n`,
    )
    expect(child?.exitCode).toBe(1)
    expect(existsSync(join(root, 'other'))).toBe(false)
    first?.kill('SIGKILL')
  })
})

/** Resolves when the server takes no more connections. */
async function refused(url: string): Promise<void> {
  const deadline = Date.now() + 5000
  while (
    await send(`${url}/ping`).then(
      () => true,
      () => false,
    )
  ) {
    if (Date.now() > deadline) throw new Error('it still answers')
  }
}
