/** What the Apie API does at its limits, where a gateway would get in the way of the test. */
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import type { LogEngine } from '../../../src/domain/ports.ts'
import { basic, expectError, putEvent, signedIn } from '../../gateway/corpus-request.ts'
import { httpRequest, pieces, wholeBody } from '../../support/app-send.ts'
import { openTestApp } from '../../support/test-app.ts'

const open = async (options: Parameters<typeof openTestApp>[0] = {}) => {
  const test = await openTestApp(options)
  return { ...test, send: signedIn(test.send) }
}

describe('an upload', () => {
  it.each(['%2e%2e', 'a%2Fb', '..%2F..%2Fetc%2Fpasswd', 'a%00b', 'a%0Ab', 'n'.repeat(256)])(
    'under the name %s is 400',
    async (name) => {
      const { send, store } = await open()
      const answer = await send({ method: 'PUT', path: `/storage/${name}`, body: 'x' })
      expectError(answer, 400, 'bad-name')
      expect((await store.content.verify()).counts).toMatchObject({ contents: 0 })
    },
  )

  it('beyond the limit is 413, announced or not, and leaves nothing behind', async () => {
    const { app, send } = await open({ environment: { APIE_MAX_CONTENT_BYTES: '10' } })
    expectError(
      await send({ method: 'PUT', path: '/storage/a', body: 'x'.repeat(11) }),
      413,
      'body-too-large',
    )
    const request = httpRequest({
      method: 'PUT',
      path: '/storage/a',
      headers: basic('a@b.c', 'pw'),
      body: pieces([Buffer.alloc(6), Buffer.alloc(6)]),
    })
    expect((await app(request)).status).toBe(413)
    expect((await send({ method: 'PUT', path: '/storage/a', body: 'x'.repeat(10) })).status).toBe(
      200,
    )
  })
})

describe('a list of events', () => {
  /** A log of 100 000 events of a kilobyte that exists only while it is read. */
  const endless = (log: LogEngine, onRun: () => void): LogEngine => ({
    head: async () => ({ count: 100_000, hash: (await log.head()).hash }),
    append: (request) => log.append(request),
    read: async () => log.read(0),
    findHash: (hash) => log.findHash(hash),
    findEventId: (stream, id) => log.findEventId(stream, id),
    findEventIdAnywhere: (id) => log.findEventIdAnywhere(id),
    sequenceHead: (sequence) => log.sequenceHead(sequence),
    sequenceNumber: (...all) => log.sequenceNumber(...all),
    streamState: (stream) => log.streamState(stream),
    waitForMore: (...all) => log.waitForMore(...all),
    readSequence: (...all) => log.readSequence(...all),
    readLog: async function* () {
      const event = await log.read(0)
      for (let n = 0; event && n < 1000; n++) {
        onRun()
        yield Array.from({ length: 100 }, () => event)
      }
    },
    verify: () => log.verify(),
    importEvents: (events) => log.importEvents(events),
    scavenge: (drop) => log.scavenge(drop),
    close: () => log.close(),
  })

  it('is read no further than it is asked for', async () => {
    const first = await open()
    await putEvent(first.send, { eventType: 't', body: 'x'.repeat(800) })
    let runs = 0
    const log = endless(first.store.log, () => runs++)
    const { app } = await open({ store: { ...first.store, log } })
    const request = httpRequest({ path: '/events', headers: basic('a@b.c', 'pw') })
    const { body } = await app(request)
    expect(runs).toBeLessThan(5)
    let bytes = 0
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      expect(piece.length).toBeLessThanOrEqual(64 * 1024)
      bytes += piece.length
      if (bytes > 1_000_000) break
    }
    expect(runs).toBeLessThan(20)
  })

  it('that cannot be begun is an error response', async () => {
    const first = await open()
    await putEvent(first.send, { eventType: 't', body: 1 })
    const log = endless(first.store.log, () => {
      throw new AppError('index-behind', 'The index is being rebuilt')
    })
    const { send } = await open({ store: { ...first.store, log } })
    const answer = await send({ method: 'GET', path: '/events' })
    expectError(answer, 503, 'index-behind')
    expect(answer.headers['retry-after']).toBe('2')
  })

  it('needs no reading for HEAD', async () => {
    const first = await open()
    await putEvent(first.send, { eventType: 't', body: 1 })
    let runs = 0
    const { app } = await open({
      store: { ...first.store, log: endless(first.store.log, () => runs++) },
    })
    const headers = basic('a@b.c', 'pw')
    const response = await app(httpRequest({ method: 'HEAD', path: '/events', headers }))
    expect([response.status, (await wholeBody(response.body)).length, runs]).toEqual([200, 0, 0])
  })
})
