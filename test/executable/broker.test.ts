/** The session of docs/broker.md, line by line, and processors as processes of their own. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { type ScriptedApi, scriptedApi, until } from '../support/broker.ts'
import { EXECUTABLE, PROJECT, requireExecutable, run, start } from '../support/executable.ts'
import { freePort } from '../support/http-client.ts'

type Line = { readonly command: string; readonly output: string }

/** The commands of the `console` blocks that follow a line `<!-- session -->`, each with what it prints. */
function session(): Line[] {
  const text = readFileSync(join(PROJECT, 'docs/broker.md'), 'utf8')
  const blocks = text.matchAll(/^<!-- session -->\n+```console\n([\s\S]*?)^```$/gm)
  return Array.from(blocks, ([, block = '']) => block)
    .join('')
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n')
      return { command: part.slice(0, end), output: part.slice(end + 1) }
    })
}

/** Times, and the one UUID that is made by chance. */
const masked = (text: string): string =>
  text
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME')
    .replaceAll(/(?<=configuration {7}0 {2})[0-9a-f-]{36}/g, 'UUID')

const made: string[] = []
const apis: ScriptedApi[] = []
afterEach(async () => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true })
  for (const api of apis.splice(0)) await api.close()
})

/** A folder with a link `broker` to the executable, and the environment in which both are found. */
function installed() {
  requireExecutable()
  const folder = mkdtempSync(join(tmpdir(), 'apie-broker-'))
  made.push(folder)
  symlinkSync(EXECUTABLE, join(folder, 'broker'))
  const environment = {
    PATH: `${folder}:/usr/local/bin:/usr/bin:/bin`,
    HOME: folder,
    APIE_DATA: join(folder, 'data'),
  }
  return { folder, environment, broker: join(folder, 'broker') }
}

it('the session of the document prints what the document says', async () => {
  const { folder, environment } = installed()
  const lines = session()
  expect(lines.length).toBeGreaterThan(8)
  const port = await freePort()
  const script = lines.map(({ command }) => `${command}\necho "§"`).join('\n')
  const shell = await run(
    'bash',
    ['-ec', script.replaceAll('127.0.0.1:8001', `127.0.0.1:${port}`)],
    {
      folder,
      environment,
    },
  )
  expect(shell.status, shell.err).toBe(0)
  const printed = Buffer.from(shell.out, 'latin1').toString('utf8').split('§\n').slice(0, -1)
  expect(printed.map(masked)).toEqual(lines.map(({ output }) => masked(output)))
})

it.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends what goes on, with exit code 0',
  async (signal) => {
    const { environment, broker } = installed()
    const silent = await scriptedApi(() => {})
    apis.push(silent)
    await run(broker, ['insert', 'request', 'a'], { environment })
    const commands = [['watch'], ['watch-requests'], ['process', '--api-url', silent.url]]
    for (const words of commands) {
      const child = start(broker, words, { environment, limitMs: 60_000 })
      let told = ''
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on('data', (chunk: Buffer) => {
          told += chunk
        })
      }
      const ended = new Promise<unknown>((resolve) =>
        child.once('close', (code, by) => resolve({ code, by })),
      )
      await until('it runs', () => (words[0] === 'process' ? silent.calls.length > 0 : told !== ''))
      child.kill(signal)
      expect(await ended).toEqual({ code: 0, by: null })
    }
  },
)

it('a processor that was killed in a call leaves an attempt that the next one ends, and does not call again', async () => {
  const { environment, broker } = installed()
  const silent = await scriptedApi(({ key }, response) => {
    if (key.endsWith(':1')) response.end('answer')
  })
  apis.push(silent)
  await run(broker, ['configure', '--retries', '1'], { environment })
  await run(broker, ['insert', 'request', 'a'], { environment })
  const words = ['process', '--until-idle', '--api-url', silent.url]
  const child = start(broker, words, { environment, limitMs: 60_000 })
  const ended = new Promise((resolve) => child.once('close', resolve))
  await until('it calls', () => silent.calls.length > 0)
  child.kill('SIGKILL')
  await ended
  expect((await run(broker, words, { environment })).status).toBe(0)
  const { out } = await run(broker, ['status', '2', '--json'], { environment })
  expect(JSON.parse(out)).toMatchObject({
    state: 'success',
    attempts: [
      { state: 'failure', failure: 'interrupted' },
      { state: 'success', response: 'answer' },
    ],
  })
  expect(silent.calls.map(({ key }) => key.slice(-2))).toEqual([':0', ':1'])
})
