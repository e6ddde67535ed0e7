/** Of two equal keys in one object different readers take different ones, so nobody takes either. */
import { expect, it } from 'vitest'
import { basic } from '../gateway/corpus-request.ts'
import { openTestApp } from '../support/test-app.ts'

const UUID = '0190b7a2-0000-7000-8000-0000000000aa'

async function openSend() {
  const { send } = await openTestApp()
  return (method: string, path: string, body: string) =>
    send({
      method,
      path,
      headers: {
        ...basic('a@b.c', 'pw'),
        'content-type': 'application/json',
        'x-consumer-id': UUID,
      },
      body,
    })
}

it('an acknowledgement that says its action twice is refused', async () => {
  const send = await openSend()
  const path = `/api/v1/streams/s/events/${UUID}`
  const twice = await send('POST', path, '{"action":"ACK","action":"ACK"}')
  expect([twice.status, twice.headers['x-apie-code']]).toEqual([400, 'bad-json'])
  for (const body of ['[]', '"ACK"', 'null', '{"action":"NACK"}', '{"action":["ACK"]}']) {
    const other = await send('POST', path, body)
    expect([body, other.status, other.headers['x-apie-code']]).toEqual([body, 400, 'bad-field'])
  }
  expect((await send('POST', path, ' {"action" : "\\u0041CK"} ')).status).toBe(404)
})

it('settings of a group that come twice are refused', async () => {
  const send = await openSend()
  const path = '/subscriptions/s/g'
  const twice = await send('PUT', path, '{"maxRetryCount":1,"maxRetryCount":2}')
  expect(twice.status).toBe(400)
  expect((await send('POST', path, '{}')).status).toBe(404)
  expect((await send('PUT', path, '\ufeff {"maxRetryCount": 1} ')).status).toBe(201)
})
