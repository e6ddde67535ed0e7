/** Members that objects of the runtime have themselves: data as any other, wherever they stand. */
import { expect, it } from 'vitest'
import { basic } from '../support/executable.ts'
import { openTestApp } from '../support/test-app.ts'

const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  '__defineGetter__',
  '__lookupSetter__',
  'hasOwnProperty',
  'toString',
  'valueOf',
  'then',
  'toJSON',
]
const EVIL = ['{"isAdmin":true}', '{"prototype":{"isAdmin":true}}', 'null', '[{"isAdmin":true}]']
/** Where a name may stand in a body. */
const PLACES: readonly ((name: string, value: string) => string)[] = [
  (name, value) => `{"${name}":${value}}`,
  (name, value) => `{"a":{"${name}":${value}}}`,
  (name, value) => `[{"b":1},{"${name}":${value}}]`,
  (name, value) => `{"${name}":{"${name}":${value}}}`,
  (name, value) => `{"a":[[{"c":{"${name}":${value}}}]],"b":2}`,
  (name, value) => `{"\\u005f${name.slice(1)}":${value}}`,
]
const SHAPES = NAMES.flatMap((name) =>
  EVIL.flatMap((value) => PLACES.map((place) => place(name, value))),
)

const authorization = basic('a@b.c', 'pw')
const uuidOf = (n: number) => `0190b7a2-0000-7000-8000-${String(n).padStart(12, '0')}`

const ownNames = () =>
  [Object.prototype, Array.prototype, Function.prototype, String.prototype].map((one) =>
    Object.getOwnPropertyNames(one),
  )

it(`of ${SHAPES.length} shapes in each API are stored as they came, and change nothing`, async () => {
  expect(new Set(SHAPES).size).toBeGreaterThanOrEqual(200)
  const before = ownNames()
  const { send, reports } = await openTestApp()
  const post = (path: string, type: string, body: string, more = {}) =>
    send({ method: 'POST', path, headers: { authorization, 'content-type': type, ...more }, body })
  for (const [n, shape] of SHAPES.entries()) {
    const apie = await post(
      '/events',
      'application/json',
      `{"eventType":"t","stream":"s","metadata":${shape},"body":${shape}}`,
    )
    expect([shape, apie.status]).toEqual([shape, 200])
    expect(apie.body.toString()).toContain(`"body":${shape},"metadata":${shape}`)
    const id = uuidOf(n)
    const batch = `[{"eventId":"${id}","eventType":"t","data":${shape},"metadata":${shape}}]`
    const atom = await post('/streams/a', 'application/vnd.eventstore.events+json', batch)
    expect([shape, atom.status]).toEqual([shape, 201])
    const document =
      '{"event":{"name":"t","version":1},"system":{"id":"S","name":"s","time":"2026-01-31 12:00:00",' +
      `"timezone":"Europe/Berlin"},"trigger":{"type":"manual","name":"c"},"payload":{"a":${shape}}}`
    const server = await post(
      '/api/v1/streams/b/events',
      'application/json; charset=utf-8',
      document,
      {
        'x-producer-id': uuidOf(1),
      },
    )
    expect([shape, server.status]).toEqual([shape, 200])
    const stored = await send({
      method: 'GET',
      path: `/streams/a/${n}`,
      headers: { authorization, accept: 'application/json' },
    })
    expect([shape, JSON.parse(stored.body.toString())]).toEqual([shape, JSON.parse(shape)])
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined()
  }
  expect(ownNames()).toEqual(before)
  expect(reports).toEqual([])
})

it('as names, parameters and members of requests are refused or names as any other', async () => {
  const before = ownNames()
  const { send, reports } = await openTestApp()
  for (const name of NAMES) {
    const headers = { authorization, 'content-type': 'application/json' }
    const body = `{"eventType":"${name}","stream":"${name}","body":1,"${name}":{"isAdmin":true}}`
    const told = await send({ method: 'POST', path: '/events', headers, body })
    expect([name, told.status]).toEqual([name, expect.toBeOneOf([200, 400])])
    for (const path of [
      `/streams/${name}`,
      `/streams/${name}/0`,
      `/streams/${name}/metadata`,
      `/storage/${name}`,
      `/users/${name}`,
      `/api/v1/streams/${name}/events`,
      `/api/v1/consumers/${name}`,
      `/subscriptions/${name}/${name}/info`,
      `/${name}`,
    ]) {
      const query = `${name}=1&${name}[isAdmin]=true&eventName=${name}&limit=1`
      const answer = await send({
        method: 'GET',
        path,
        query,
        headers: { ...headers, [name]: 'x' },
      })
      expect([path, answer.status < 500]).toEqual([path, true])
    }
  }
  expect(ownNames()).toEqual(before)
  expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined()
  expect(reports).toEqual([])
})
