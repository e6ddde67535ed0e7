/** Which runs of processors live, and where a new one begins to read: records beside the log, on every engine. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { hostProcesses } from '../../src/broker/host-processes.ts'
import { createBrokerStream } from '../../src/domain/broker/broker-stream.ts'
import { createCheckpoint } from '../../src/domain/broker/checkpoint.ts'
import type { Payload } from '../../src/domain/broker/event-classes.ts'
import { createPresence, type ProcessMark } from '../../src/domain/broker/presence.ts'
import { Processor } from '../../src/domain/broker/processor.ts'
import { parseStreamName } from '../../src/domain/stream-name.ts'
import { engines } from '../contract/engines.ts'
import { verifiedStores } from '../support/store.ts'

const BROKER = parseStreamName('broker')

const ALL: readonly Payload[] = [
  { class: 'simple', message: 'ü€𝄞 "\\ \u0000 \u2028' },
  { class: 'configuration', retries: 2_147_483_647, timeout: 0.1 },
  { class: 'request', request: '' },
  { class: 'api-request', attempt: 0 },
  { class: 'api-response', attempt: 7, response: '{"a":[1,2]}\r\n' },
  { class: 'api-response', attempt: 8, response: '/wA=', encoding: 'base64' },
  { class: 'api-failure', attempt: 1, failure: '503' },
  { class: 'api-timeout', attempt: 2_147_483_646 },
]

describe.each(engines)('on the engine $name', (engine) => {
  const open = verifiedStores(engine)
  const opened = async () => {
    const test = await open()
    const { log, records } = test.store
    const stream = createBrokerStream(log, BROKER)
    return { test, records, stream, checkpoint: createCheckpoint(stream, records) }
  }

  it('the payloads of all classes come back as they were', async () => {
    const { test, stream } = await opened()
    for (const payload of ALL) await stream.insert({ payload, causation: 0 })
    const again = createBrokerStream((await test.reopen()).log, BROKER)
    const payloads = []
    for await (const event of again.load(0)) payloads.push(event.payload)
    expect(payloads).toEqual(ALL)
  })

  it('a checkpoint only moves forwards, and counts only for the log that it was made on', async () => {
    const { test, records, stream, checkpoint } = await opened()
    expect(await checkpoint.read()).toBe(0)
    await checkpoint.write(1)
    expect(await checkpoint.read()).toBe(0)
    for (let n = 0; n < 3; n++) await stream.insert({ payload: ALL[0] as Payload, causation: 0 })
    await checkpoint.write(2)
    await checkpoint.write(1)
    expect(await checkpoint.read()).toBe(2)
    const other = await open()
    const elsewhere = createBrokerStream(other.store.log, BROKER)
    expect(await createCheckpoint(elsewhere, records).read()).toBe(0)
    for (let n = 0; n < 3; n++) await elsewhere.insert({ payload: ALL[2] as Payload, causation: 0 })
    expect(await createCheckpoint(elsewhere, records).read()).toBe(0)
    expect((await test.store.log.head()).count).toBe(3)
  })

  it.each([['nonsense'], [null], [{ settled: 'x', hash: 1 }], [{ settled: -1 }], [[]]])(
    'a checkpoint that says %j counts as none',
    async (value) => {
      const { records, checkpoint } = await opened()
      await records.write('broker-checkpoint', 'broker', value, 'absent')
      expect(await checkpoint.read()).toBe(0)
    },
  )

  it('a new processor reads only what follows the requests that are settled', async () => {
    const { records, stream, checkpoint } = await opened()
    for (let n = 0; n < 50; n++) {
      const payload = { class: 'configuration', retries: n, timeout: 0 } as const
      await stream.insert({ payload, causation: 0 })
      await stream.insert({ payload: { class: 'request', request: `${n}` }, causation: 0 })
    }
    const start = (read: (id: number) => void) =>
      new Processor({
        stream: {
          ...stream,
          async *load(after) {
            for await (const event of stream.load(after)) {
              read(event.id)
              yield event
            }
          },
        },
        checkpoint,
        run: crypto.randomUUID(),
        presence: createPresence(records, hostProcesses(), crypto.randomUUID()),
        callApi: async () => ({ kind: 'response', text: 'x' }),
        clock: { now: () => Date.now() },
        timers: { now: () => performance.now(), after: () => () => {} },
        report: () => {},
        options: {
          maxParallel: 16,
          callLimitMs: 1000,
          graceMs: 0,
          backoffMs: 0,
          jitter: 0,
          lateResponses: false,
        },
      })
    const first = start(() => {})
    while ((await first.step()) || !first.isIdle) await new Promise(setImmediate)
    await first.noteCheckpoint()
    const head = await stream.head()
    expect(head).toBe(200)
    await stream.insert({ payload: { class: 'request', request: 'new' }, causation: 0 })
    const seen: number[] = []
    await start((id) => seen.push(id)).step()
    expect(seen).toEqual([head + 1])
    const status = await stream.read(head + 2)
    expect(status).toMatchObject({ className: 'api-request', causation: head + 1 })
  })

  it('a run is gone when it has ended in order, or when its process has', async () => {
    const { records } = await opened()
    const own: ProcessMark = { host: 'h', pid: 1, started: '1' }
    const gone = new Set<number>()
    const at = (run: string, mark: Partial<ProcessMark>) =>
      createPresence(records, { own: { ...own, ...mark }, isGone: ({ pid }) => gone.has(pid) }, run)
    const [one, two, far, blind] = [
      at('one', {}),
      at('two', { pid: 2 }),
      at('far', { host: 'other', pid: 3 }),
      at('blind', { host: '', pid: 4 }),
    ]
    expect(await one.stateOf('two')).toBe('gone')
    for (const run of [one, two, far, blind]) await run.announce()
    await two.announce()
    expect(await one.stateOf('one')).toBe('alive')
    expect(await one.stateOf('two')).toBe('alive')
    expect(await one.stateOf('far')).toBe('unknown')
    expect(await one.stateOf('blind')).toBe('unknown')
    expect(await blind.stateOf('one')).toBe('unknown')
    gone.add(2).add(3)
    expect(await far.stateOf('two')).toBe('unknown')
    expect(await one.stateOf('two')).toBe('gone')
    expect(await far.stateOf('two')).toBe('gone')
    await two.withdraw()
    await far.withdraw()
    await far.withdraw()
    expect(await one.stateOf('far')).toBe('gone')
    expect((await records.list('broker-run')).map(({ key }) => key)).toEqual(['one', 'blind'])
  })
})

describe('the processes of this machine', () => {
  it('are told apart by number and start, and are gone when they have ended', async () => {
    const { own, isGone } = hostProcesses()
    expect(own).toEqual({
      host: expect.stringMatching(/^[0-9a-f]{32}$/),
      pid: process.pid,
      started: expect.stringMatching(/^\d+$/),
    })
    expect(isGone(own)).toBe(false)
    expect(isGone({ ...own, started: '1' })).toBe(true)
    const child = spawn('cat')
    const pid = child.pid ?? 0
    expect(isGone({ ...own, pid, started: '' })).toBe(false)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(isGone({ ...own, pid, started: '' })).toBe(true)
  })
})
