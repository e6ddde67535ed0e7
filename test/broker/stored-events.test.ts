/** What the commands store, find and refuse, on every engine. */
import { describe, expect, it } from 'vitest'
import { parseEventId, parseEventType } from '../../src/domain/event.ts'
import { engines } from '../contract/engines.ts'
import { type Broker, brokerOn, until } from '../support/broker.ts'
import { appendTo, draft, jsonBody, uuid } from '../support/drafts.ts'
import { verifiedStores } from '../support/store.ts'

const ID = '5f0c8f4e-3e0b-4b8e-9d5a-0d6f3f1c2a7b'
const NIL = '00000000-0000-0000-0000-000000000000'

describe.each(engines)('the events of the broker, $name', (engine) => {
  const open = verifiedStores(engine)
  const opened = async () => {
    const opened = await open()
    return { opened, broker: brokerOn(() => opened.store) }
  }
  const summary = async (broker: Broker) =>
    (await broker.list()).map(({ id, class: name, data, causation_id }) => [
      id,
      name,
      data,
      causation_id,
    ])

  it('are configurations, which change nothing where no option is given', async () => {
    const { broker } = await opened()
    expect(await broker.run('configure', '--retries', '2', '--timeout', '3')).toEqual({
      code: 0,
      out: '1\n',
      err: '',
    })
    await broker.run('configure')
    await broker.run('configure', '--retries', '-1', '--timeout', '0')
    expect(await summary(broker)).toEqual([
      [1, 'configuration', { retries: 2, timeout: 3 }, 0],
      [2, 'configuration', { retries: -1, timeout: -1 }, 0],
      [3, 'configuration', { retries: -1, timeout: 0 }, 0],
    ])
    expect((await broker.run('status')).out).toBe(
      'events         3\nopen requests  0\nretries        2\ntimeout        none\n',
    )
  })

  it('are requests, responses, failures and others, each with the id of what caused it', async () => {
    const { broker } = await opened()
    expect((await broker.run('insert', 'request', 'test')).out).toBe('1\n')
    await broker.run('insert', '--causation', '1', 'failure', 'boom')
    await broker.run('insert', 'response', 'late', '--causation=1')
    await broker.run('insert', 'simple', 'hello')
    expect(await summary(broker)).toEqual([
      [1, 'request', { request: 'test' }, 0],
      [2, 'api-failure', { attempt: 0, failure: 'boom' }, 1],
      [3, 'api-response', { attempt: 0, response: 'late' }, 1],
      [4, 'simple', { message: 'hello' }, 0],
    ])
  })

  it('are ordinary events of the stream "broker", with their cause in the metadata', async () => {
    const { opened: test, broker } = await opened()
    await broker.run('insert', 'request', 'test', '--external-uuid', ID)
    await broker.run('insert', '--causation', '1', 'failure', 'boom')
    const events = []
    for await (const run of test.store.log.readLog(0, 2, 'forwards')) {
      for (const { json } of run) events.push(JSON.parse(Buffer.from(json).toString()))
    }
    expect(events).toMatchObject([
      { stream: 'broker', eventId: ID, eventType: 'request', metadata: {}, createdBy: 'broker' },
      { stream: 'broker', eventType: 'api-failure', metadata: { $causationId: 1 } },
    ])
  })

  it('stand in another stream where a setting names one', async () => {
    const { opened: test, broker } = await opened()
    await broker.run('insert', 'simple', 'a')
    const other = brokerOn(() => test.store, { APIE_BROKER_STREAM: 'calls' })
    expect((await other.run('insert', 'simple', 'b')).out).toBe('1\n')
    expect((await broker.run('insert', 'simple', 'c', '--stream', 'calls')).out).toBe('2\n')
    expect(await summary(broker)).toHaveLength(1)
  })

  it.each([
    [['insert', 'simple', 'x']],
    [['configure', '--retries', '1']],
    [['process', '--until-idle', '--api-url', 'http://127.0.0.1:1']],
    [['list']],
  ])('never stand in a stream of the system: %j', async (words) => {
    const { opened: test, broker } = await opened()
    await test.store.log.append(appendTo('secret', [draft(1)]))
    const refused = (from: string, name: string) => ({
      code: 2,
      out: '',
      err: `apie: ${from}: expected the name of a stream that does not begin with "$", found "${name}" [bad-setting]\n`,
    })
    for (const name of ['$$secret', '$streams', '$all', '$ce-x', '$settings']) {
      expect(await broker.run(...words, '--stream', name)).toEqual(
        refused('option for brokerStream', name),
      )
      const set = brokerOn(() => test.store, { APIE_BROKER_STREAM: name })
      expect(await set.run(...words)).toEqual(refused('APIE_BROKER_STREAM', name))
    }
    expect((await test.store.log.head()).count).toBe(1)
  })

  it('warn of a cause that is not there, and are stored', async () => {
    const { broker } = await opened()
    const ran = await broker.run('insert', '--causation', '9', 'failure', 'boom')
    expect(ran).toEqual({
      code: 0,
      out: '1\n',
      err: 'there is no event 9 yet, which this one is caused by\n',
    })
  })

  it.each([
    [['configure', 'x']],
    [['configure', '--retries', '1.5']],
    [['configure', '--retries', 'NaN']],
    [['configure', '--retries', '99999999999']],
    [['configure', '--retries', '-2']],
    [['configure', '--timeout', 'Infinity']],
    [['configure', '--timeout', '-0.5']],
    [['configure', '--external-uuid', 'x']],
    [['configure', '--causation', '1']],
    [['insert', 'request']],
    [['insert', 'bogus', 'x']],
    [['insert', 'api-request', '0']],
    [['insert', 'request', 'a', 'b']],
    [['insert', 'request', 'a', '--causation', 'x']],
    [['insert', 'request', 'a', '--causation', '-1']],
    [['insert', 'request', 'a', '--external-uuid', '123']],
    [['process']],
    [['process', '--api-url', 'nonsense']],
    [['process', '--api-url', 'ftp://127.0.0.1']],
    [['list', '--start-after', 'abc']],
    [['resolve-external-uuid', 'abc']],
    [['lists']],
    [['list', '--eventstore-driver', 'oracle']],
  ])('refuses %j as a wrong call and stores nothing', async (words) => {
    const { opened: test, broker } = await opened()
    const ran = await broker.run(...words)
    expect([ran.code, ran.out]).toEqual([2, ''])
    expect(ran.err).toMatch(/^apie: .*\[(usage|bad-setting)\]\n$/)
    expect((await test.store.log.head()).count).toBe(0)
  })

  it('have an external UUID only once', async () => {
    const { broker } = await opened()
    expect((await broker.run('insert', '--external-uuid', ID, 'request', 'a')).code).toBe(0)
    expect(await broker.run('insert', '--external-uuid', ID, 'request', 'a')).toEqual({
      code: 1,
      out: '',
      err: 'apie: There is an event with this UUID already [event-id-conflict]\n',
    })
    expect(await summary(broker)).toHaveLength(1)
  })

  it('need none: without one, with an empty one and with the nil one each is stored', async () => {
    const { broker } = await opened()
    for (const words of [[], [], ['--external-uuid', ''], ['--external-uuid', NIL]]) {
      expect((await broker.run('insert', 'request', 'a', ...words)).code).toBe(0)
    }
    const ids = (await broker.list()).map(({ external_uuid }) => external_uuid)
    expect(new Set(ids).size).toBe(4)
    expect(ids).not.toContain(NIL)
  })

  it('are found by their UUID, whatever the case of its letters', async () => {
    const { broker } = await opened()
    await broker.run('insert', 'simple', 'a')
    await broker.run('insert', '--external-uuid', ID.toUpperCase(), 'request', 'a')
    expect(await broker.run('resolve-external-uuid', ID)).toEqual({ code: 0, out: '2\n', err: '' })
    for (const unknown of [uuid(1), NIL]) {
      expect(await broker.run('resolve-external-uuid', unknown)).toEqual({
        code: 1,
        out: '',
        err: 'apie: No event has this UUID [event-not-found]\n',
      })
    }
  })

  it('are listed behind an id that is there', async () => {
    const { broker } = await opened()
    for (const text of ['a', 'b', 'c', 'd']) await broker.run('insert', 'simple', text)
    const ids = (await broker.list()).map(({ id }) => id)
    expect(ids).toEqual([1, 2, 3, 4])
    const behind = await broker.run('list', '--start-after', '2', '--json')
    expect(behind.out.match(/"id":\d+/g)).toEqual(['"id":3', '"id":4'])
    expect((await broker.run('list', '--start-after', '+4')).out).toBe('')
    for (const id of ['5', '9999999999']) {
      expect(await broker.run('list', '--start-after', id)).toEqual({
        code: 1,
        out: '',
        err: `apie: There is no event ${id} [event-not-found]\n`,
      })
    }
  })

  it('are shown in columns, or a member a line', async () => {
    const { broker } = await opened()
    await broker.run('insert', 'request', 'a\u001b[31m\u202e', '--external-uuid', ID)
    const time = '2020-01-01T00:00:00.000Z'
    const data = '{"request":"a\\u001b[31m\\u202e"}'
    expect((await broker.run('list')).out).toBe(
      `     1  ${time}  request             0  ${ID}  ${data}\n`,
    )
    expect((await broker.run('show', '1')).out).toBe(
      `id             1\nexternal_uuid  ${ID}\nclass          request\ncreated        ${time}\n` +
        `causation_id   0\ndata           ${data}\n`,
    )
    expect((await broker.run('show', '2')).code).toBe(1)
    expect((await broker.run('show', '0')).code).toBe(1)
  })

  it('that others wrote are listed with what is wrong with them', async () => {
    const { opened: test, broker } = await opened()
    const alien = (n: number, type: string, body: string, metadata = '{}') => ({
      eventId: parseEventId(uuid(n)),
      eventType: parseEventType(type),
      body: jsonBody(body),
      metadata: metadata as never,
    })
    await test.store.log.append(
      appendTo('broker', [
        alien(1, 'order-placed', '{"sku":1}'),
        alien(2, 'request', '{"request":7}'),
        alien(3, 'request', '{"request":"ok"}'),
        alien(4, 'api-failure', '{"attempt":0,"failure":"x"}', `{"$causationId":"${uuid(3)}"}`),
      ]),
    )
    const { out } = await broker.run('list', '--json')
    const lines = out.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { id: 1, class: 'order-placed', problem: 'class is none of the broker’s' },
      { id: 2, data: { request: 7 }, problem: 'request must be text' },
      { id: 3 },
      { id: 4, causation_id: uuid(3) },
    ])
    const status = JSON.parse((await broker.run('status', '3', '--json')).out)
    expect(status).toMatchObject({ request: 3, state: 'failure', attempts: [{ failure: 'x' }] })
    expect((await broker.run('status', '1')).code).toBe(1)
    expect((await broker.run('status', '9')).code).toBe(1)
  })

  it('are watched from now on: their ids alone, in their order', async () => {
    const { broker } = await opened()
    await broker.run('insert', 'simple', 'before')
    const watch = broker.start('watch')
    await until('it watches', () => watch.err() !== '')
    await broker.run('insert', 'simple', 'a')
    await broker.run('insert', 'request', 'b')
    await until('it has told', () => watch.lines().length >= 2)
    expect(await watch.stop()).toMatchObject({ code: 0, out: '2\n3\n' })
  })

  it('are all followed, while four writers insert two hundred', async () => {
    const { broker } = await opened()
    const watch = broker.start('watch')
    await until('it watches', () => watch.err() !== '')
    const write = async (name: string) => {
      for (let n = 0; n < 50; n++) await broker.run('insert', 'simple', `${name}${n}`)
    }
    await Promise.all(['a', 'b', 'c', 'd'].map(write))
    await until('all were told', () => watch.lines().length >= 200)
    await watch.stop()
    expect(watch.lines()).toEqual(Array.from({ length: 200 }, (_, n) => `${n + 1}`))
  })
})
