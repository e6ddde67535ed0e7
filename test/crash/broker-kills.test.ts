/** Processors as processes of their own, several at once, killed at any moment of their work. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createBrokerStream } from '../../src/domain/broker/broker-stream.ts'
import { parseStreamName } from '../../src/domain/stream-name.ts'
import { asyncDisk } from '../../src/storage/file/disk.ts'
import { violations } from '../domain/broker/model/oracle.ts'
import { type ScriptedApi, scriptedApi } from '../support/broker.ts'
import { bundledProgram } from '../support/bundled-program.ts'
import { openTestStore } from '../support/file-store.ts'
import { verifyStore } from '../support/store.ts'
import { crashRun, scaled, tell } from './crash-run.ts'

const apis: ScriptedApi[] = []
afterEach(async () => {
  for (const api of apis.splice(0)) await api.close()
})

const REQUESTS = 60

async function openStore(root: string) {
  const store = await openTestStore(root, { disk: asyncDisk })
  return { store, stream: createBrokerStream(store.log, parseStreamName('broker')) }
}

async function insertRequests(root: string): Promise<void> {
  const { store, stream } = await openStore(root)
  for (let n = 0; n < REQUESTS; n++) {
    const timeout = n % 2 === 0 ? 0.3 : 0
    const payload = { class: 'configuration', retries: 3, timeout } as const
    await stream.insert({ payload, causation: 0 })
    await stream.insert({ payload: { class: 'request', request: `${n}` }, causation: 0 })
  }
  await store.close()
}

/** Answers a third of the calls, refuses a third, keeps silent on the rest for a while. */
async function unreliableApi(random: () => number): Promise<ScriptedApi> {
  const api = await scriptedApi((_, response) => {
    const fate = random()
    if (fate < 0.33) response.end('ok')
    else if (fate < 0.66) response.writeHead(503).end()
    else setTimeout(() => response.end('late'), 150 + random() * 400)
  })
  apis.push(api)
  return api
}

async function processUntilIdle(root: string, api: ScriptedApi): Promise<ChildProcess> {
  const { command, words } = await bundledProgram()
  return spawn(
    command,
    [...words, 'broker', 'process', '--until-idle', '--api-url', api.url, '--data', root],
    { stdio: 'ignore', env: { PATH: process.env['PATH'], EVENTSTORE_LOGLEVEL: 'error' } },
  )
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once('close', resolve))

test('every request reaches one final state, and no attempt is called twice', async () => {
  const run = crashRun()
  const root = join(run.folder(), 'data')
  await insertRequests(root)
  const api = await unreliableApi(run.random)
  const kills = scaled(60)
  let killed = 0
  const killing = async () => {
    while (killed < kills) {
      const child = await processUntilIdle(root, api)
      const timer = setTimeout(() => child.kill('SIGKILL'), 100 + run.random() * 900)
      if ((await ended(child)) === null) killed++
      clearTimeout(timer)
      if (api.calls.length >= REQUESTS * 4) break
    }
  }
  await Promise.all([killing(), killing(), killing()])
  const { store, stream } = await openStore(root)
  const status = async () => {
    const events = []
    for await (const event of stream.load(0)) events.push(event)
    return { events, found: violations(events, []) }
  }
  for (let round = 0; round < 20 && (await status()).found.length > 0; round++) {
    expect(await ended(await processUntilIdle(root, api))).toBe(0)
  }
  const { events, found } = await status()
  tell(`${killed} kills of processors, ${api.calls.length} calls, ${events.length} events`)
  expect(found).toEqual([])
  const started = events.filter((event) => event.className === 'api-request')
  const keys = api.calls.map(({ key }) => key)
  expect(new Set(keys).size).toBe(keys.length)
  expect(keys.length).toBeLessThanOrEqual(started.length)
  expect(killed).toBeGreaterThan(0)
  await verifyStore(store)
  await store.close()
})
