/** Who may keep an answer, where no proxy says otherwise what links begin with. */
import { expect, it } from 'vitest'
import { get, type Send, signedIn } from '../../gateway/corpus-request.ts'
import { uuid } from '../../support/drafts.ts'
import { openTestApp } from '../../support/test-app.ts'

const post = (send: Send, path: string, type: string, body: string, n: number) =>
  send({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', 'es-eventtype': type, 'es-eventid': uuid(n) },
    body,
  })

async function opened(anonymous: string): Promise<Send> {
  const { send } = await openTestApp({ environment: { APIE_ANONYMOUS: anonymous } })
  const admin = signedIn(send)
  expect((await post(admin, '/streams/s', 't', '{}', 1)).status).toBe(201)
  return admin
}

const cachingOf = async (send: Send, path: string, headers: Record<string, string> = {}) =>
  (await get(send, path, { accept: 'application/json', ...headers })).headers['cache-control']

it.each([
  ['/streams/s/0', 'public'],
  ['/streams/s/0/forward/1', 'public'],
  ['/streams/s/0/backward/1', 'public'],
  ['/streams/$streams/0', 'private'],
  ['/streams/$all/00000000000000000000000000000000/forward/1', 'private'],
])('where everybody may read, %s may be kept for a year, %s', async (path, scope) => {
  const send = await opened('reader')
  expect(await cachingOf(send, path)).toBe(`max-age=31536000, ${scope}`)
})

it('where nobody may read without an account, nothing is for all', async () => {
  const send = await opened('none')
  expect(await cachingOf(send, '/streams/s/0')).toBe('max-age=31536000, private')
})

it('a stream that is closed to some is private, and so is what a proxy has part in', async () => {
  const send = await opened('reader')
  const forwarded = { 'x-forwarded-host': 'other.example' }
  expect(await cachingOf(send, '/streams/s/0', forwarded)).toBe('max-age=31536000, private')
  const document = '{"$acl":{"$r":"$admins"},"$cacheControl":7}'
  expect((await post(send, '/streams/$$s', '$metadata', document, 2)).status).toBe(201)
  expect(await cachingOf(send, '/streams/s/0')).toBe('max-age=31536000, private')
  expect(await cachingOf(send, '/streams/s')).toBe('max-age=7, private')
})

it('the head may be kept as long as the metadata says, by all who may read', async () => {
  const send = await opened('reader')
  expect(await cachingOf(send, '/streams/s')).toBe('max-age=0, no-cache, must-revalidate')
  expect((await post(send, '/streams/$$s', '$metadata', '{"$cacheControl":7}', 2)).status).toBe(201)
  for (const path of ['/streams/s', '/streams/s/1/forward/5', '/streams/s/head']) {
    expect(await cachingOf(send, path)).toBe('max-age=7, public')
  }
})

it('the way from an address with a slash too many is for all', async () => {
  const send = await opened('none')
  for (const path of ['/streams/s/', '/streams/$all/', '/streams/s/metadata/']) {
    expect(await cachingOf(send, path)).toBe('max-age=31536000, public')
  }
})

it('where the setting says so, caches ask each time, and still learn that nothing is new', async () => {
  const environment = { APIE_ANONYMOUS: 'reader', APIE_FEED_CACHING: 'false' }
  const send = signedIn((await openTestApp({ environment })).send)
  expect((await post(send, '/streams/s', 't', '{}', 1)).status).toBe(201)
  expect((await post(send, '/streams/$$s', '$metadata', '{"$cacheControl":7}', 2)).status).toBe(201)
  const start = '00000000000000000000000000000000'
  for (const path of [
    '/s',
    '/s/0',
    '/s/0/forward/1',
    '/s/0/backward/1',
    `/$all/${start}/forward/1`,
  ]) {
    const caching = await cachingOf(send, `/streams${path}`)
    expect([path, caching]).toEqual([path, 'max-age=0, no-cache, must-revalidate'])
  }
  const known = { accept: 'application/json', 'if-none-match': '"0;-43840953"' }
  expect((await get(send, '/streams/s', known)).status).toBe(304)
})
