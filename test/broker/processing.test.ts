/** What processors make of requests, on every engine, against an API that answers over real connections. */
import { afterEach, describe, expect, it } from 'vitest'
import { serveBrittleApi } from '../../src/broker/brittle-api.ts'
import { parseEventId, parseEventType } from '../../src/domain/event.ts'
import { engines } from '../contract/engines.ts'
import { type Answer, type Broker, brokerOn, scriptedApi, until } from '../support/broker.ts'
import { appendTo, jsonBody, uuid } from '../support/drafts.ts'
import { verifiedStores } from '../support/store.ts'

/** Nobody listens there: port 1 is reserved. */
const NOBODY = 'http://127.0.0.1:1'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function api(answer: Answer) {
  const served = await scriptedApi(answer)
  ends.push(served.close)
  return served
}

async function brittle(failureRate: number, silentFailureRate: number) {
  const options = { minLatency: 0, maxLatency: 0, failureRate, silentFailureRate, seed: 1 }
  const served = await serveBrittleApi({ host: '127.0.0.1', port: 0, ...options })
  ends.push(served.close)
  return `http://127.0.0.1:${served.port}`
}

/** A processor that is stopped when the test ends, at the latest. */
function started(broker: Broker, ...words: readonly string[]) {
  const going = broker.start('process', ...words)
  ends.push(going.stop)
  return going
}

/** Class, attempt and cause of what processors wrote. */
const steps = async (broker: Broker) =>
  (await broker.list())
    .filter((event) => event.class.startsWith('api-'))
    .map(
      (event) =>
        `${event.class} ${(event.data as { attempt: number }).attempt} of ${event.causation_id}`,
    )

const stateOf = async (broker: Broker, id: number) =>
  JSON.parse((await broker.run('status', `${id}`, '--json')).out).state

describe.each(engines)('a processor, $name', (engine) => {
  const open = verifiedStores(engine)
  const opened = async () => {
    const test = await open()
    const broker = brokerOn(() => test.store, { APIE_BROKER_GRACE_MS: '0' })
    const idle = (url: string, ...words: readonly string[]) =>
      broker.run('process', '--api-url', url, '--until-idle', ...words)
    return { test, broker, idle }
  }

  it('stores the answer of the API', async () => {
    const { broker, idle } = await opened()
    await broker.run('insert', 'request', 'abc')
    expect((await idle(await brittle(0, 0))).code).toBe(0)
    expect(await steps(broker)).toEqual(['api-request 0 of 1', 'api-response 0 of 1'])
    const [, start, response] = await broker.list()
    expect(start?.data).toEqual({ attempt: 0 })
    expect(response?.data).toEqual({ attempt: 0, response: 'cba' })
    expect(await stateOf(broker, 1)).toBe('success')
  })

  it('posts the text, and a key that is the same for an attempt for ever', async () => {
    const { broker, idle } = await opened()
    const served = await api((_, response) => response.end('ok'))
    await broker.run('insert', 'request', 'a=1&b=ü', '--external-uuid', uuid(7))
    await idle(`${served.url}/`)
    expect(served.calls).toMatchObject([
      {
        text: 'a=1&b=ü',
        key: `${uuid(7)}:0`,
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '8' },
      },
    ])
  })

  it('tries as often as the retries say, and then it has failed', async () => {
    const { broker, idle } = await opened()
    await broker.run('configure', '--retries', '2')
    await broker.run('insert', 'request', 'a')
    await idle(await brittle(1, 0))
    expect(await steps(broker)).toEqual([
      'api-request 0 of 2',
      'api-failure 0 of 2',
      'api-request 1 of 2',
      'api-failure 1 of 2',
      'api-request 2 of 2',
      'api-failure 2 of 2',
    ])
    const failures = (await broker.list()).filter((event) => event.class === 'api-failure')
    expect(failures.map(({ data }) => (data as { failure: string }).failure)).toEqual(
      Array(3).fill('503 Service Unavailable'),
    )
    expect(await stateOf(broker, 2)).toBe('failure')
  })

  it('tries once without retries', async () => {
    const { broker, idle } = await opened()
    await broker.run('insert', 'request', 'a')
    await idle(await brittle(1, 0))
    expect(await steps(broker)).toEqual(['api-request 0 of 1', 'api-failure 0 of 1'])
    expect(await stateOf(broker, 1)).toBe('failure')
  })

  it('ends an attempt when its timeout has elapsed', async () => {
    const { broker, idle } = await opened()
    const silent = await api(() => {})
    await broker.run('configure', '--retries', '1', '--timeout', '0.2')
    await broker.run('insert', 'request', 'a')
    await idle(silent.url)
    expect(await steps(broker)).toEqual([
      'api-request 0 of 2',
      'api-timeout 0 of 2',
      'api-request 1 of 2',
      'api-timeout 1 of 2',
    ])
    expect(await stateOf(broker, 2)).toBe('timeout')
  })

  it('ends an attempt as failed when nothing answers within the limit and there is no timeout', async () => {
    const { test, broker } = await opened()
    const silent = await api(() => {})
    const limited = brokerOn(() => test.store, { APIE_BROKER_CALL_LIMIT_MS: '100' })
    await broker.run('insert', 'request', 'a')
    await limited.run('process', '--api-url', silent.url, '--until-idle')
    expect((await broker.list()).at(-1)).toMatchObject({
      class: 'api-failure',
      data: { failure: 'no answer within 0.1 s' },
    })
  })

  it('stores that a connection was refused, or closed without an answer', async () => {
    const { broker, idle } = await opened()
    await broker.run('configure', '--retries', '1')
    await broker.run('insert', 'request', 'a')
    await idle(NOBODY)
    expect(await steps(broker)).toHaveLength(4)
    await broker.run('insert', 'request', 'b')
    await idle(await brittle(1, 1))
    const texts = (await broker.list()).flatMap(
      ({ data }) => (data as { failure?: string }).failure ?? [],
    )
    const refused = 'the connection was refused (ECONNREFUSED)'
    const closed = 'the connection was closed without an answer (ECONNRESET)'
    expect(texts).toEqual([refused, refused, closed, closed])
  })

  it('takes a response that comes after the timeout, where late ones are wanted', async () => {
    const { broker, idle } = await opened()
    let answerFirst = () => {}
    const served = await api(({ key }, response) => {
      if (key.endsWith(':0')) answerFirst = () => response.end('late')
      else answerFirst()
    })
    await broker.run('configure', '--retries', '3', '--timeout', '0.2')
    await broker.run('insert', 'request', 'a')
    const limited = ['--late-responses', '--max-parallel', '2']
    const processing = started(broker, '--api-url', served.url, ...limited)
    await until('it succeeds', async () => (await stateOf(broker, 2)) === 'success')
    await processing.stop()
    expect((await steps(broker)).slice(0, 4)).toEqual([
      'api-request 0 of 2',
      'api-timeout 0 of 2',
      'api-request 1 of 2',
      'api-response 0 of 2',
    ])
    expect(served.calls).toHaveLength(2)
    await idle(served.url)
    expect(served.calls).toHaveLength(2)
    expect(await stateOf(broker, 2)).toBe('success')
  })

  it('starts the next attempt once, also where timeout and failure come back to back', async () => {
    const { test, broker, idle } = await opened()
    const served = await api((_, response) => response.writeHead(500).end())
    await broker.run('configure', '--retries', '1', '--timeout', '60')
    await broker.run('insert', 'request', 'a')
    const caused = (n: number, type: string, body: string) => ({
      eventId: parseEventId(uuid(n)),
      eventType: parseEventType(type),
      body: jsonBody(body),
      metadata: '{"$causationId":2}' as never,
    })
    await test.store.log.append(
      appendTo('broker', [
        caused(1, 'api-request', '{"attempt":0}'),
        caused(2, 'api-timeout', '{"attempt":0}'),
        caused(3, 'api-failure', '{"attempt":0,"failure":"x"}'),
      ]),
    )
    await Promise.all([idle(served.url), idle(served.url)])
    expect(served.calls.map(({ key }) => key.slice(-2))).toEqual([':1'])
    expect((await steps(broker)).slice(3)).toEqual(['api-request 1 of 2', 'api-failure 1 of 2'])
  })

  it('leaves a success as it is when a failure of the same attempt follows', async () => {
    const { broker, idle } = await opened()
    const url = await brittle(0, 0)
    await broker.run('configure', '--retries', '2')
    await broker.run('insert', 'request', 'a')
    await idle(url)
    await broker.run('insert', 'failure', 'x', '--causation', '2')
    await idle(url)
    expect(await stateOf(broker, 2)).toBe('success')
    expect(await broker.list()).toHaveLength(5)
  })

  it('gives a request what was configured when it was made', async () => {
    const { broker, idle } = await opened()
    await broker.run('insert', 'request', 'first')
    await broker.run('configure', '--retries', '1', '--timeout', '5')
    await broker.run('insert', 'request', 'second')
    await broker.run('configure', '--timeout', '0')
    await broker.run('insert', 'request', 'third')
    await idle(NOBODY)
    const statusOf = async (id: number) =>
      JSON.parse((await broker.run('status', `${id}`, '--json')).out)
    expect(await statusOf(1)).toMatchObject({ retries: 0, timeout: 0, attempts: [{}] })
    expect(await statusOf(3)).toMatchObject({ retries: 1, timeout: 5, attempts: [{}, {}] })
    expect(await statusOf(5)).toMatchObject({ retries: 1, timeout: 0, attempts: [{}, {}] })
  })

  it('does nothing again when it is started again', async () => {
    const { test, broker, idle } = await opened()
    const served = await api((_, response) => response.end('x'))
    for (const text of ['a', 'b', 'c']) await broker.run('insert', 'request', text)
    await idle(served.url)
    const events = await broker.list()
    expect(served.calls).toHaveLength(3)
    for (const words of [[], ['--start-after', '0'], ['--start-after', '2']]) {
      await idle(served.url, ...words)
    }
    await test.reopen()
    await idle(served.url)
    expect(served.calls).toHaveLength(3)
    expect(await broker.list()).toEqual(events)
  })

  it('leaves requests alone up to the event that it is to start after, and knows the configuration', async () => {
    const { broker, idle } = await opened()
    await broker.run('configure', '--retries', '1')
    await broker.run('insert', 'request', 'a')
    await broker.run('insert', 'request', 'b')
    await idle(NOBODY, '--start-after', '2')
    expect((await steps(broker)).map((step) => step.slice(-1))).toEqual(['3', '3', '3', '3'])
    expect((await idle(NOBODY, '--start-after', '99')).code).toBe(1)
    await idle(NOBODY)
    expect(await stateOf(broker, 2)).toBe('failure')
  })

  it('runs each attempt once, however many of them there are', async () => {
    const { broker, idle } = await opened()
    const served = await api(({ key }, response) =>
      key.endsWith(':0') ? response.writeHead(500).end() : response.end('x'),
    )
    await broker.run('configure', '--retries', '1')
    for (let n = 0; n < 20; n++) await broker.run('insert', 'request', `${n}`)
    await Promise.all([1, 2, 3, 4].map(() => idle(served.url)))
    await idle(served.url)
    expect(new Set(served.calls.map(({ key }) => key)).size).toBe(40)
    expect(served.calls).toHaveLength(40)
    expect((await broker.run('status', '--json')).out).toContain('"open":0')
    expect(await broker.list()).toHaveLength(21 + 20 * 4)
  })

  it('calls as many at once as it may', async () => {
    const { broker, idle } = await opened()
    let running = 0
    let most = 0
    const served = await api((_, response) => {
      most = Math.max(most, ++running)
      setImmediate(() => {
        running--
        response.end('x')
      })
    })
    for (let n = 0; n < 10; n++) await broker.run('insert', 'request', `${n}`)
    await idle(served.url, '--max-parallel', '3')
    expect(served.calls).toHaveLength(10)
    expect(most).toBeLessThanOrEqual(3)
  })

  it('passes over events that it does not understand or that belong nowhere', async () => {
    const { test, broker, idle } = await opened()
    await broker.run('configure', '--retries', '1')
    await broker.run('insert', 'request', 'a')
    await broker.run('insert', 'failure', 'x')
    await broker.run('insert', 'failure', 'x', '--causation', '99')
    await broker.run('insert', 'response', 'x', '--causation', '1')
    await test.store.log.append(
      appendTo('broker', [
        {
          eventId: parseEventId(uuid(1)),
          eventType: parseEventType('api-response'),
          body: jsonBody('{"attempt":7,"response":"x"}'),
          metadata: '{"$causationId":2}' as never,
        },
        {
          eventId: parseEventId(uuid(2)),
          eventType: parseEventType('request'),
          body: jsonBody('7'),
        },
        { eventId: parseEventId(uuid(3)), eventType: parseEventType('else'), body: jsonBody('{}') },
      ]),
    )
    const ran = await idle(await brittle(0, 0))
    expect(ran.code).toBe(0)
    const ignored = ran.err.split('\n').filter((line) => line.includes('event ignored'))
    expect(ignored.map((line) => line.slice(line.indexOf('id=')))).toEqual([
      'id=3 reason="api-failure of no request that is open (0)"',
      'id=4 reason="api-failure of no request that is open (99)"',
      'id=5 reason="api-response of no request that is open (1)"',
      'id=6 reason="api-response of attempt 7, which request 2 does not have"',
      'id=7 reason="request: body must be a JSON object"',
      'id=8 reason="else: class is none of the broker’s"',
    ])
    expect(await stateOf(broker, 2)).toBe('success')
  })

  it('warns of nothing where it begins between the events of requests that are settled', async () => {
    const { broker, idle } = await opened()
    const half = await api(({ text }, response) => text === 'a' && response.end('x'))
    await broker.run('configure', '--retries', '1')
    for (const text of ['a', 'b']) await broker.run('insert', 'request', text)
    const first = started(broker, '--api-url', half.url)
    await until('one is answered', async () => (await stateOf(broker, 2)) === 'success')
    await first.stop()
    const quiet = ['--eventstore-loglevel', 'warn']
    expect(await idle(await brittle(0, 0), ...quiet)).toEqual({ code: 0, out: '', err: '' })
    const watch = broker.start('watch-requests', '--start-after', '2', ...quiet)
    await until('it was told', () => watch.lines().length >= 5)
    expect((await watch.stop()).err).toBe('')
  })

  it('is told from what it was told before the requests: pending until the last attempt, then failed', async () => {
    const { broker, idle } = await opened()
    await broker.run('configure', '--retries', '2')
    const watch = broker.start('watch-requests', '--json')
    ends.push(watch.stop)
    await broker.run('insert', 'request', 'a')
    await idle(await brittle(1, 0))
    await until('all was told', () => watch.lines().length >= 7)
    const { out, code } = await watch.stop()
    expect(code).toBe(0)
    const told = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(told.map(({ request, state, attempt }) => [request, state, attempt])).toEqual([
      [2, 'pending', null],
      [2, 'pending', 0],
      [2, 'pending', 0],
      [2, 'pending', 1],
      [2, 'pending', 1],
      [2, 'pending', 2],
      [2, 'failure', 2],
    ])
    expect(await broker.list()).toHaveLength(8)
    const replay = broker.start('watch-requests')
    await until('all was told again', () => replay.lines().length >= 7)
    expect((await replay.stop()).out.split('\n').at(-2)).toBe('     2  failure    2  api-failure')
  })

  it.each([
    [0, 0, 'api-failure', 'failure'],
    [60, 0, 'nothing', 'pending'],
    [60, 61_000, 'api-timeout', 'timeout'],
  ])(
    'ends an attempt whose run is gone: timeout %i s, %i ms later: %s',
    async (timeout, later, end, state) => {
      const { test, broker, idle } = await opened()
      test.clock.nowMs = Date.now() - later
      await broker.run('configure', '--timeout', `${timeout}`)
      await broker.run('insert', 'request', 'a')
      await test.store.log.append(
        appendTo('broker', [
          {
            eventId: parseEventId(uuid(1)),
            eventType: parseEventType('api-request'),
            body: jsonBody('{"attempt":0}'),
            metadata: '{"$causationId":2,"processor":"gone"}' as never,
          },
        ]),
      )
      await idle(NOBODY)
      expect((await broker.list())[3]?.class ?? 'nothing').toBe(end)
      const { out } = await broker.run('status', '2')
      expect(out).toContain(`state          ${state}\nretries        0\n`)
      expect(out).toContain(`attempt 0      ${state}`)
    },
  )

  it('is stopped in the middle of a call, and says so', async () => {
    const { broker } = await opened()
    const silent = await api(() => {})
    await broker.run('insert', 'request', 'a')
    const processing = started(broker, '--api-url', silent.url)
    await until('it calls', () => silent.calls.length === 1)
    expect((await processing.stop()).code).toBe(0)
    expect((await broker.list()).at(-1)).toMatchObject({
      class: 'api-failure',
      data: { attempt: 0, failure: 'interrupted: the processor was stopped' },
    })
  })

  it.each([
    [5000, 'ü€𝄞'],
    [1024 * 1024, 'x'],
  ])('stores an answer of %i bytes whole', async (size, letters) => {
    const { broker, idle } = await opened()
    const unit = Buffer.byteLength(letters)
    const text = letters.repeat(Math.floor(size / unit)) + '.'.repeat(size % unit)
    const served = await api((_, response) => response.end(text))
    await broker.run('insert', 'request', 'a')
    await idle(served.url)
    const [, , stored] = await broker.list()
    expect(JSON.stringify(stored?.data) === JSON.stringify({ attempt: 0, response: text })).toBe(
      true,
    )
  })

  it('refuses larger answers and empty ones, and keeps what is no text in Base64', async () => {
    const { broker, idle } = await opened()
    const bodies: Readonly<Record<string, string | Buffer>> = {
      large: Buffer.alloc(1024 * 1024 + 1, 120),
      empty: '',
      binary: Buffer.from([0xff, 0x00, 0x80]),
      moved: 'x',
    }
    const served = await api(({ text }, response) => {
      if (text === 'moved') response.writeHead(302, { location: '/api' })
      response.end(bodies[text])
    })
    for (const text of Object.keys(bodies)) {
      await broker.run('insert', 'request', text)
      await idle(served.url)
    }
    const data = (await broker.list()).filter(({ id }) => id % 3 === 0).map((event) => event.data)
    expect(data).toEqual([
      { attempt: 0, failure: 'the answer is larger than 1048576 bytes' },
      { attempt: 0, failure: 'the answer is empty' },
      { attempt: 0, response: '/wCA', encoding: 'base64' },
      { attempt: 0, failure: '302 Found' },
    ])
  })

  it('is not held up for ever by an event under an id of its own', async () => {
    const { broker, idle } = await opened()
    await broker.run('insert', 'request', 'a', '--external-uuid', uuid(7))
    // Version 5 UUID of `request 0` in the namespace of the request.
    const { attemptEventId } = await import('../../src/domain/broker/attempt-id.ts')
    const taken = attemptEventId(parseEventId(uuid(7)), { class: 'api-request', attempt: 0 })
    await broker.run('insert', 'simple', 'in the way', '--external-uuid', taken)
    const ran = await idle(await brittle(0, 0))
    expect(ran.err).toContain('error an event is in the way of this request id=2 request=1')
    expect(ran.code).toBe(0)
    expect(await broker.list()).toHaveLength(2)
  })
})
