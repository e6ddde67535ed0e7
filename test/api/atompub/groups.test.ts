/** Who may consume where requests without credentials have a role. */
import { expect, it } from 'vitest'
import { get, type Send } from '../../gateway/corpus-request.ts'
import { openTestApp } from '../../support/test-app.ts'

const put = (send: Send) =>
  send({
    method: 'PUT',
    path: '/subscriptions/orders/shipping',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })

it.each([
  ['reader', 401, 401],
  ['writer', 401, 404],
  ['admin', 201, 200],
])('without credentials a %s makes a group: %i, and consumes: %i', async (role, made, fetched) => {
  const { send } = await openTestApp({ environment: { APIE_ANONYMOUS: role } })
  expect((await put(send)).status).toBe(made)
  expect((await get(send, '/subscriptions/orders/shipping/1', { accept: '*/*' })).status).toBe(
    fetched,
  )
  const acknowledging = await send({
    method: 'POST',
    path: '/subscriptions/orders/shipping/ack/00000000-0000-4000-8000-000000000000',
  })
  expect(acknowledging.status).toBe(fetched === 200 ? 202 : fetched)
})

it('where everybody may do everything, credentials of nobody are as good as none', async () => {
  const { send } = await openTestApp({ environment: { APIE_ANONYMOUS: 'admin' } })
  const authorization = `Basic ${Buffer.from('admin:changeit').toString('base64')}`
  expect((await get(send, '/users', { authorization })).status).toBe(200)
  expect((await get(send, '/users/$current', { authorization })).status).toBe(401)
})

it.each([
  ['reader', 401],
  ['admin', 200],
])('without credentials a %s changes a password that is known: %i', async (role, status) => {
  const { send } = await openTestApp({ environment: { APIE_ANONYMOUS: role } })
  const change = await send({
    method: 'POST',
    path: '/users/a@b.c/command/change-password',
    headers: { 'content-type': 'application/json' },
    body: '{"currentPassword":"pw","newPassword":"other"}',
  })
  expect(change.status).toBe(status)
})
