/** Cases about appending events. */
import { expect } from 'vitest'
import { ATOM_JSON, read, remove } from './atompub-request.ts'
import {
  append,
  type CorpusCase,
  EMPTY,
  type EventJson,
  expectError,
  get,
  HEX64,
  hashesOf,
  json,
  putEvent,
  serverCase,
  signedInCase,
} from './corpus-request.ts'

const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const ID = '0190b7a2-0000-7000-8000-0000000000aa'

export const APPEND_CASES: readonly CorpusCase[] = [
  ...['PUT', 'POST'].map((method) =>
    serverCase(`${method} appends an event and answers with it`, async (send) => {
      const answer = await send({
        method,
        path: '/events',
        headers: { 'content-type': 'application/json' },
        body: '{"eventType":"t","body":{"x":1}}',
      })
      expect(answer.status, answer.body.toString()).toBe(200)
      const event = json(answer) as EventJson
      expect(event).toEqual({
        eventId: expect.stringMatching(UUID4),
        eventType: 't',
        stream: 'default',
        version: 0,
        position: 0,
        body: { x: 1 },
        createdBy: 'a@b.c',
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        hash: expect.stringMatching(HEX64),
      })
      expect(answer.headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        etag: expect.stringContaining(event.hash),
        'x-apie-hash': event.hash,
      })
    }),
  ),
  signedInCase('the writer is the account, whatever the body says', async (send) => {
    const answer = await putEvent(send, { eventType: 't', body: 1, createdBy: 'evil', hash: 'x' })
    expect(json(answer)).toMatchObject({ createdBy: 'a@b.c', hash: expect.stringMatching(HEX64) })
  }),
  signedInCase(
    'a producer that is no UUID is 400, and one that is changes nothing',
    async (send) => {
      const headers = { 'content-type': 'application/json', 'x-producer-id': 'P1' }
      const put = { method: 'PUT', path: '/events', body: '{"eventType":"t","body":1}' }
      expectError(await send({ ...put, headers }), 400, 'bad-header')
      const named = { ...headers, 'x-producer-id': ID.toUpperCase() }
      const answer = await send({ ...put, headers: named })
      expect(answer.status).toBe(200)
      expect(json(answer)).not.toHaveProperty('producer')
    },
  ),
  signedInCase(
    'an expected version that the stream has not is 409 with the one it has',
    async (send) => {
      const put = (expectedVersion: unknown) =>
        putEvent(send, { eventType: 't', stream: 's', body: 1, expectedVersion })
      expectError(await put(0), 409, 'wrong-expected-version', {
        current: -1,
      })
      expect((await put(-1)).status).toBe(200)
      expectError(await put(-1), 409, 'wrong-expected-version', {
        current: 0,
      })
      expect((await put(0)).status).toBe(200)
      expect(json(await put(null))).toMatchObject({ version: 2 })
      for (const wrong of [-2, 1.5, '1', true, [], 1e300]) {
        expectError(await put(wrong), 400, 'bad-field', {
          field: 'expectedVersion',
        })
      }
      expect(json(await put(2))).toMatchObject({ version: 3 })
    },
  ),
  signedInCase('a body that is no event is 400 that names the trouble', async (send) => {
    const refused: [string, string, string][] = [
      ['[]', 'bad-field', ''],
      ['{}', 'bad-field', 'eventType'],
      ['{"eventType":"t"}', 'bad-field', 'body'],
      ['{"eventType":5,"body":1}', 'bad-field', 'eventType'],
      ['{"eventType":"","body":1}', 'bad-field', 'eventType'],
      ['{"eventType":"$streamDeleted","body":1}', 'bad-field', 'eventType'],
      ['{"eventType":"t","body":1,"eventId":"x"}', 'bad-field', 'eventId'],
      ['{"eventType":"t","body":1,"stream":"a/b"}', 'bad-name', 'stream'],
      ['{"eventType":"t","body":1,"stream":"$all"}', 'bad-name', 'stream'],
    ]
    for (const [body, code, field] of refused) {
      const answer = await putEvent(send, body)
      expectError(answer, 400, code)
      expect(json(answer)).toMatchObject({ field })
    }
    expectError(await putEvent(send, 'not json'), 400, 'bad-json')
    expect(json(await putEvent(send, '{"eventType":"t",}'))).toMatchObject({ character: 18 })
    expect(await hashesOf(send, '/events')).toEqual([])
  }),
  signedInCase('null is a body like any other', async (send) => {
    const answer = await putEvent(send, '{"eventType":"t","body":null,"eventId":null}')
    expect([answer.status, json(answer)]).toMatchObject([200, { body: null }])
  }),
  serverCase('numbers, metadata and stream are kept as they were sent', async (send) => {
    const sent =
      '{"eventType":"t","stream":"Läden","body":{"n":12345678901234567890.50},"metadata":{"m":1e3}}'
    const answer = await putEvent(send, sent)
    expect(answer.body.toString()).toContain(
      '"stream":"Läden","version":0,"position":0,"body":{"n":12345678901234567890.50},"metadata":{"m":1e3},',
    )
  }),
  serverCase('a compressed body is 415', async (send) => {
    const event = { eventType: 't', body: 1 }
    const answer = await putEvent(send, event, { 'content-encoding': 'br' })
    expectError(answer, 415, 'media-type-unsupported')
  }),
  signedInCase('the hash of nothing expects an empty log', async (send) => {
    const event = { eventType: 't', body: 1 }
    const first = await putEvent(send, event, { 'if-match': EMPTY })
    expect(first.status).toBe(200)
    const { hash } = json(first) as EventJson
    const second = await putEvent(send, event, { 'if-match': EMPTY })
    expectError(second, 412, 'head-mismatch')
    expect(second.headers['x-apie-hash']).toBe(hash)
    expect(await hashesOf(send, '/events')).toEqual([hash])
  }),
  serverCase('If-None-Match: * expects an empty log, If-Match: * the opposite', async (send) => {
    const event = { eventType: 't', body: 1 }
    expect((await putEvent(send, event, { 'if-match': '*' })).status).toBe(412)
    expect((await putEvent(send, event, { 'if-none-match': '*' })).status).toBe(200)
    expect((await putEvent(send, event, { 'if-none-match': '*' })).status).toBe(412)
    expect((await putEvent(send, event, { 'if-match': '*' })).status).toBe(200)
  }),
  signedInCase('If-Match takes the head bare, quoted, weak and in a list', async (send) => {
    const [event] = await append(send, 1)
    let head = event?.hash ?? ''
    const forms = [
      (hash: string) => hash,
      (hash: string) => `"${hash}"`,
      (hash: string) => `W/"${hash}"`,
      (hash: string) => `"${hash}-gzip"`,
      (hash: string) => `"${'0'.repeat(64)}", "${hash}"`,
    ]
    for (const form of forms) {
      const answer = await putEvent(send, { eventType: 't', body: 1 }, { 'if-match': form(head) })
      expect([form(head), answer.status]).toEqual([form(head), 200])
      head = (json(answer) as EventJson).hash
    }
    expect(await hashesOf(send, '/events')).toHaveLength(6)
  }),
  serverCase('fifty appends at once all go through and the chain verifies', async (send) => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => putEvent(send, { eventType: 't', body: n })),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200))
    const hashes = await hashesOf(send, '/events')
    expect(new Set(hashes).size).toBe(50)
    const verify = await send({ method: 'POST', path: '/events/verify' })
    expect([verify.status, json(verify)]).toMatchObject([200, { status: 'ok' }])
  }),
  serverCase('of fifty appends with the same If-Match exactly one goes through', async (send) => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        putEvent(send, { eventType: 't', body: n }, { 'if-match': EMPTY }),
      ),
    )
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([200, ...Array(49).fill(412)])
    expect(await hashesOf(send, '/events')).toHaveLength(1)
  }),
  signedInCase('a repeated event is answered as before and not stored again', async (send) => {
    const event = { eventId: ID, eventType: 't', body: { x: 1 } }
    const first = await putEvent(send, event)
    const again = await putEvent(send, event, { 'if-match': EMPTY })
    expect([again.status, again.body.toString()]).toEqual([200, first.body.toString()])
    for (const header of ['"abc"', 'W/"xy"', '""', '"a", "b"']) {
      const also = await putEvent(send, event, { 'if-match': header })
      expect([also.status, also.body.toString()]).toEqual([200, first.body.toString()])
    }
    expect(await hashesOf(send, '/events')).toHaveLength(1)
  }),
  serverCase('an append to a stream that was deleted softly brings it back', async (send) => {
    const put = (n: number, headers: Record<string, string> = {}, expectedVersion?: number) =>
      putEvent(send, { eventType: 't', stream: 's', body: { n }, expectedVersion }, headers)
    const head = async () => `"${(await get(send, '/events')).headers['x-apie-hash']}"`
    const titles = async () => {
      const answer = await read(send, '/streams/s', { accept: ATOM_JSON })
      if (answer.status !== 200) return answer.status
      return (json(answer) as { entries: { title: string }[] }).entries.map(({ title }) => title)
    }
    await put(0)
    expect((await remove(send, 's')).status).toBe(204)
    expectError(await put(1, { 'if-match': '"other"' }), 412, 'head-mismatch')
    expectError(await put(1, {}, -1), 409, 'wrong-expected-version', { current: 0 })
    expect(await titles()).toBe(404)
    const answer = await put(1, { 'if-match': await head() }, 0)
    expect([answer.status, json(answer)]).toMatchObject([200, { version: 1 }])
    expect(await titles()).toEqual(['1@s'])
    expect((await remove(send, 's')).status).toBe(204)
    expect(json(await put(2))).toMatchObject({ version: 2 })
    expect(await titles()).toEqual(['2@s'])
    expect((await remove(send, 's', { 'es-harddelete': 'true' })).status).toBe(204)
    expectError(await put(3), 410, 'stream-deleted')
  }),
  signedInCase('If-Match with a tag that is no hash is 412', async (send) => {
    for (const header of ['"abc"', '"a", "b"', '""', 'W/""', '"", ""', '"*"', '"a,b"']) {
      const answer = await putEvent(send, { eventType: 't', body: 1 }, { 'if-match': header })
      expectError(answer, 412, 'head-mismatch')
    }
    expect(await hashesOf(send, '/events')).toEqual([])
  }),
  signedInCase('a condition that says nothing is 400, not an append without one', async (send) => {
    const event = { eventType: 't', body: 1 }
    for (const header of [',', 'W/', '"', '"a', '"a" "b"']) {
      const answer = await putEvent(send, event, { 'if-match': header })
      expectError(answer, 400, 'bad-header')
    }
    for (const header of ['""', '"a"', ',']) {
      const answer = await putEvent(send, event, { 'if-none-match': header })
      expectError(answer, 400, 'bad-header')
    }
  }),
  signedInCase('a known event id with other content is 409', async (send) => {
    await putEvent(send, { eventId: ID, eventType: 't', body: { x: 1 } })
    const other = await putEvent(send, { eventId: ID, eventType: 't', body: { x: 2 } })
    expectError(other, 409, 'event-id-conflict')
    expect((await get(send, '/events')).headers['x-apie-hash']).toMatch(HEX64)
    expect(await hashesOf(send, '/events')).toHaveLength(1)
  }),
]
