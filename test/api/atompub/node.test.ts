/** What a node tells of itself that is not the same through every gateway. */
import { expect, it, vi } from 'vitest'
import { basic, get, json, signedIn } from '../../gateway/corpus-request.ts'
import { uuid } from '../../support/drafts.ts'
import { openTestApp } from '../../support/test-app.ts'

it('statistics tell what the process knows of itself, as a tree and flat', async () => {
  const send = signedIn((await openTestApp()).send)
  expect(json(await get(send, '/stats'))).toEqual({
    proc: {
      startTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      upTime: expect.any(Number),
      mem: 1,
    },
    es: { events: 0 },
  })
  expect(json(await get(send, '/stats?group=false'))).toEqual({
    'proc-startTime': expect.any(String),
    'proc-upTime': expect.any(Number),
    'proc-mem': 1,
    'es-events': 0,
  })
})

it('options tell effects and numbers to operators, and neither paths nor accounts', async () => {
  const environment = { APIE_DATA: '/srv/secret', APIE_MAX_EVENT_BYTES: '1234' }
  const { send } = await openTestApp({ environment })
  await signedIn(send)({
    method: 'POST',
    path: '/users',
    headers: { 'content-type': 'application/json' },
    body: '{"loginName":"operator","groups":["$ops"],"password":"pw"}',
  })
  const answer = await get(send, '/info/options', basic('operator', 'pw'))
  expect(answer.status).toBe(200)
  const options = json(answer) as { name: string; value: string }[]
  expect(options[0]).toEqual({
    name: 'data',
    description: expect.any(String),
    group: 'Application Options',
    value: '********',
    possibleValues: null,
  })
  expect(Object.fromEntries(options.map(({ name, value }) => [name, value]))).toMatchObject({
    maxEventBytes: '1234',
    anonymous: 'none',
    store: '********',
    htpasswd: '********',
    baseUrl: '********',
    logFile: '********',
  })
  expect(answer.body.toString()).not.toContain('secret')
})

it('scavenging removes the body of an event of a stream that was deleted', async () => {
  const { send: anybody, store } = await openTestApp()
  const send = signedIn(anybody)
  await send({
    method: 'POST',
    path: '/streams/gone',
    headers: { 'content-type': 'application/json', 'es-eventtype': 't', 'es-eventid': uuid(1) },
    body: '{"secret":"of the body"}',
  })
  await send({ method: 'DELETE', path: '/streams/gone', headers: { 'es-harddelete': 'true' } })
  const { hash } = await store.log.head()
  await send({ method: 'POST', path: '/admin/scavenge' })
  await vi.waitFor(async () => {
    expect((await get(send, '/events')).body.toString()).not.toContain('of the body')
  })
  expect(await store.log.head()).toMatchObject({ hash })
  expect((await store.log.verify()).findings).toEqual([])
})

it('scavenging is told of by its id and as the last one', async () => {
  const send = signedIn((await openTestApp()).send)
  const started = await send({ method: 'POST', path: '/admin/scavenge' })
  const { scavengeId } = json(started) as { scavengeId: string }
  await vi.waitFor(async () => {
    expect(json(await get(send, `/admin/scavenge/${scavengeId}`))).toEqual({
      scavengeId,
      scavengeLink: `/admin/scavenge/${scavengeId}`,
      scavengeResult: 'Success',
      startedAt: expect.stringMatching(/^\d{4}-/),
      reclaimedBytes: 0,
    })
  })
  const last = json(await get(send, '/admin/scavenge/last'))
  expect(last).toMatchObject({ scavengeId })
  expect(json(await get(send, '/admin/scavenge/current'))).toEqual({})
})

it('while a run of scavenging goes on no other begins, and it can be stopped', async () => {
  const { send: anybody, store } = await openTestApp()
  const send = signedIn(anybody)
  const nowMs = Date.now()
  const run = { startedBy: 'x', startedAtMs: nowMs, aliveAtMs: nowMs, isToStop: false }
  const running = { ...run, id: uuid(9), state: 'running', reclaimedBytes: 5 }
  await store.records.write('scavenge', 'run', running, 'absent')
  const refused = await send({ method: 'POST', path: '/admin/scavenge' })
  expect([refused.status, refused.headers['content-type']]).toEqual([
    400,
    'text/plain; charset=utf-8',
  ])
  expect(refused.body.toString()).not.toBe('')
  expect(json(await get(send, '/admin/scavenge/current'))).toMatchObject({
    scavengeId: uuid(9),
    scavengeResult: 'InProgress',
    reclaimedBytes: 5,
  })
  const stopped = await send({ method: 'DELETE', path: `/admin/scavenge/${uuid(9)}` })
  expect([stopped.status, json(stopped)]).toEqual([200, { scavengeId: uuid(9) }])
})
