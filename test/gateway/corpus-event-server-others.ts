/** Cases about streams that the event server shares with the other APIs: metadata, access, deletion. */
import { expect } from 'vitest'
import { account, expectStatus, feed, postEvent, postMetadata, remove } from './atompub-request.ts'
import { type CorpusCase, get, json, signedInCase } from './corpus-request.ts'
import {
  acknowledge,
  C2,
  document,
  eventsFor,
  expectText,
  P1,
  P2,
  post,
  publish,
  published,
  read,
  sequencesFor,
} from './event-server-request.ts'

const as = (producer: string): Record<string, string> => ({ 'x-producer-id': producer })

export const EVENT_SERVER_OTHER_CASES: readonly CorpusCase[] = [
  signedInCase(
    'a published event is in the feed of its stream, which others may not write to',
    async (send) => {
      const id = await published(send, 'orders')
      const { entries } = await feed(send, '/streams/orders?embed=body')
      expect(entries).toMatchObject([
        { eventId: id, eventType: 'OrderPlaced', data: JSON.stringify(document()) },
      ])
      expect((await feed(send, '/streams/$all?embed=content')).entries.length).toBe(1)
      expectStatus(await postEvent(send, 'orders', 1), 423)
      expectStatus(await postEvent(send, 'orders', 1, as(P2)), 423)
      expectStatus(await postEvent(send, 'orders', 1, as(P1)), 201)
      const [event] = await eventsFor(send, 'orders', { name: 't' })
      expect(event).toMatchObject({
        payload: { n: 1 },
        sequence: 1,
        event: { name: 't', version: 1 },
      })
      expectText(await acknowledge(send, 'orders', event?.eventId ?? ''), 200, 'OK')
    },
  ),
  signedInCase('a body of another media type is text inside the payload', async (send) => {
    await postEvent(
      send,
      's',
      1,
      { 'content-type': 'application/octet-stream' },
      Buffer.from([255]),
    )
    const [event] = await eventsFor(send, 's', { name: 't' })
    expect(event?.payload).toEqual({
      body: '/w==',
      mediaType: 'application/octet-stream',
      encoding: 'base64',
    })
  }),
  signedInCase('what a stream no longer shows is passed over', async (send) => {
    const ids: string[] = []
    for (let n = 0; n < 4; n++) ids.push(await published(send, 'orders'))
    expectText(await acknowledge(send, 'orders', ids[0] ?? ''), 200, 'OK')
    expectStatus(await postMetadata(send, 'orders', { $tb: 2 }), 201)
    expect(await sequencesFor(send, 'orders')).toEqual([3, 4])
    expect(await sequencesFor(send, 'orders', { consumer: C2 })).toEqual([3, 4])
    expectText(await acknowledge(send, 'orders', ids[1] ?? ''), 200, 'OK')
    expectText(
      await acknowledge(send, 'orders', ids[3] ?? ''),
      400,
      'Bad Request - The event has the sequence 4, but 3 is to be acknowledged next',
    )
    expectText(await acknowledge(send, 'orders', ids[2] ?? ''), 200, 'OK')
    expect(await sequencesFor(send, 'orders')).toEqual([4])
    expectStatus(await postMetadata(send, 'orders', { $maxCount: 1 }), 201)
    await published(send, 'orders')
    expect(await sequencesFor(send, 'orders', { consumer: C2 })).toEqual([5])
  }),
  signedInCase('a deleted stream is there again with what is published next', async (send) => {
    await published(send, 'orders')
    expectStatus(await remove(send, 'orders', as(P1)), 204)
    expectText(await read(send, 'orders'), 404, /^Not Found/)
    expect(json(await post(send, '/event-period-search/orders?period=2day'))).toEqual([])
    expectText(
      await publish(send, 'orders', document(), as(P2)),
      423,
      'Locked - Second writers not allowed',
    )
    expectText(await read(send, 'orders'), 404, /^Not Found/)
    await published(send, 'orders')
    expect(await sequencesFor(send, 'orders')).toEqual([2])
  }),
  signedInCase('a stream that was deleted for ever is gone', async (send) => {
    const id = await published(send, 'orders')
    expectStatus(await remove(send, 'orders', { ...as(P1), 'es-harddelete': 'true' }), 204)
    expectText(await read(send, 'orders'), 404, /^Not Found/)
    expectText(await acknowledge(send, 'orders', id), 404, /^Not Found/)
    expectText(await publish(send, 'orders'), 410, /^Gone - /)
    expect(json(await get(send, '/api/v1/stats/events-per-stream'))).toEqual([])
  }),
  signedInCase('a stream that is closed to an account is closed here, too', async (send) => {
    const id = await published(send, 'plan')
    await published(send, 'orders')
    expectStatus(await postMetadata(send, 'plan', { $acl: { $r: 'bob', $w: 'bob' } }), 201)
    const anna = await account(send, 'anna')
    const refused = 'Forbidden - This account may not do that to this stream'
    expectText(await publish(anna, 'plan'), 403, refused)
    expectText(await read(anna, 'plan'), 403, refused)
    expectText(await acknowledge(anna, 'plan', id), 403, refused)
    expectText(await post(anna, `/plan/${C2}/OrderPlaced/change/0`), 403, refused)
    expectText(await get(anna, '/api/v1/consumers/plan'), 403, refused)
    expectText(await post(anna, '/event-period-search/plan?period=2day'), 403, refused)
    expectText(await get(anna, `/api/v1/events/${id}/payload`), 404, 'Not Found')
    expect(json(await get(anna, '/api/v1/stats/events-per-stream'))).toEqual([
      { label: 'orders', value: 1 },
    ])
    expect((await get(anna, '/api/v1/metrics')).body.toString()).not.toContain('plan')
    for (const text of ['plan', id])
      expect(json(await post(anna, `/search?_q=${text}`))).toEqual([])
    expect(json(await post(anna, '/search?_q=OrderPl'))).toHaveLength(1)
    expect(json(await post(send, '/search?_q=OrderPl'))).toHaveLength(2)
    const bob = await account(send, 'bob')
    expect(await sequencesFor(bob, 'plan')).toEqual([1])
    expect(await sequencesFor(anna, 'orders')).toEqual([1])
  }),
]
