/** Conditions of writes that were sent without a value: whoever sends one means to expect something. */
import { expect, it } from 'vitest'
import { basic } from '../gateway/corpus-request.ts'
import { openTestApp } from '../support/test-app.ts'

const ID = '0190b7a2-0000-7000-8000-0000000000aa'

async function openSend() {
  const { send, store } = await openTestApp()
  const post = (path: string, headers: Record<string, string>, method = 'POST') =>
    send({
      method,
      path,
      headers: { ...basic('a@b.c', 'pw'), 'content-type': 'application/json', ...headers },
      body: '{"eventType":"t","body":1}',
    })
  return { post, store }
}

it.each(['if-match', 'if-none-match'])('an append with an empty %s is refused', async (name) => {
  const { post, store } = await openSend()
  for (const value of ['', ' ']) {
    const { status, body } = await post('/events', { [name]: value })
    expect([status, JSON.parse(body.toString())]).toMatchObject([400, { code: 'bad-header' }])
  }
  expect((await store.log.head()).count).toBe(0)
})

it.each(['es-expectedversion', 'kurrent-expectedversion'])(
  'a write to a stream with an empty %s is refused, and so is a deletion',
  async (name) => {
    const { post, store } = await openSend()
    const event = { 'es-eventtype': 't', 'es-eventid': ID }
    expect((await post('/streams/s', { ...event, [name]: '' })).status).toBe(400)
    expect((await store.log.head()).count).toBe(0)
    expect((await post('/streams/s', event)).status).toBe(201)
    expect((await post('/streams/s', { [name]: '' }, 'DELETE')).status).toBe(400)
    expect((await store.log.head()).count).toBe(1)
  },
)
