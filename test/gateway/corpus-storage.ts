/** Cases about the content store. */
import { expect } from 'vitest'
import {
  type CorpusAnswer,
  type CorpusCase,
  EMPTY,
  expectError,
  get,
  json,
  type Send,
  serverCase,
  signedInCase,
} from './corpus-request.ts'

/** SHA-256 of `hello`. */
const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'

const put = (
  send: Send,
  name: string,
  body: string | Uint8Array,
  contentType = 'text/plain',
): Promise<CorpusAnswer> =>
  send({ method: 'PUT', path: `/storage/${name}`, headers: { 'content-type': contentType }, body })

export const STORAGE_CASES: readonly CorpusCase[] = [
  signedInCase('an upload without a file name is 400 that says so', async (send) => {
    for (const path of ['/storage', '/storage/']) {
      const answer = await send({ method: 'PUT', path, body: 'hello' })
      expectError(answer, 400, 'bad-name', { field: 'filename' })
    }
  }),
  signedInCase('an upload answers with hash, address, size, type and name', async (send) => {
    const answer = await put(send, 'hello.txt', 'hello')
    expect(answer.status, answer.body.toString()).toBe(200)
    expect(json(answer)).toEqual({
      status: 'ok',
      hash: HELLO,
      url: expect.stringMatching(new RegExp(`(^|/)storage/2c/${HELLO}/hello\\.txt$`)),
      size: 5,
      contentType: 'text/plain',
      filename: 'hello.txt',
    })
  }),
  signedInCase('the same bytes keep their first name', async (send) => {
    await put(send, 'hello.txt', 'hello')
    const other = await send({ method: 'POST', path: '/storage/other.txt', body: 'hello' })
    expect([other.status, json(other)]).toMatchObject([
      200,
      { hash: HELLO, filename: 'hello.txt', url: expect.stringMatching(/\/hello\.txt$/) },
    ])
  }),
  signedInCase('a download has the type of the upload and may be kept', async (send) => {
    await put(send, 'hello.txt', 'hello', 'text/plain; charset=utf-8')
    const answer = await get(send, `/storage/${HELLO}`)
    expect([answer.status, answer.body.toString()]).toEqual([200, 'hello'])
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      etag: expect.stringContaining(HELLO),
      'cache-control': 'private, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
      'cross-origin-resource-policy': 'same-origin',
      'accept-ranges': 'bytes',
      'content-disposition': 'inline; filename="hello.txt"',
    })
    const known = await get(send, `/storage/${HELLO}`, { 'if-none-match': `"${HELLO}"` })
    expect([known.status, known.body.length]).toEqual([304, 0])
  }),
  serverCase('HEAD of content has the headers and no body', async (send) => {
    await put(send, 'hello.bin', 'hello', 'application/octet-stream')
    const answer = await send({ method: 'HEAD', path: `/storage/${HELLO}` })
    expect(answer).toMatchObject({ status: 200, body: Buffer.alloc(0) })
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      etag: expect.stringContaining(HELLO),
    })
  }),
  signedInCase('what a browser might run is an attachment', async (send) => {
    const active = ['text/html', 'image/svg+xml', 'application/xml', 'application/pdf', 'x/y']
    for (const type of active) {
      const { hash } = json(await put(send, 'a.bin', type, type)) as { hash: string }
      const answer = await get(send, `/storage/${hash}`)
      expect(answer.headers).toMatchObject({
        'content-type': type,
        'content-disposition': 'attachment; filename="a.bin"',
        'content-security-policy': 'sandbox',
      })
    }
  }),
  signedInCase('content is also found under the address the upload gave', async (send) => {
    await put(send, 'na%C3%AFve%20%22100%25%22.txt', 'hello')
    const tail = `/storage/2c/${HELLO}/na%C3%AFve%20%22100%25%22.txt`
    const { url } = json(await put(send, 'x', 'hello')) as { url: string }
    expect(url.endsWith(tail)).toBe(true)
    const answer = await get(send, tail)
    expect([answer.status, answer.body.toString()]).toEqual([200, 'hello'])
    expect(answer.headers['content-disposition']).toBe(
      'inline; filename="na_ve _100__.txt"; ' + "filename*=UTF-8''na%C3%AFve%20%22100%25%22.txt",
    )
    for (const wrong of [`/storage/2c/${HELLO}/other.txt`, `/storage/2d/${HELLO}/x`]) {
      expectError(await get(send, wrong), 404, 'content-not-found')
    }
  }),
  serverCase('a range of content is 206', async (send) => {
    await put(send, 'hello.bin', 'hello', 'application/octet-stream')
    const range = (value: string, more: Record<string, string> = {}) =>
      get(send, `/storage/${HELLO}`, { range: value, ...more })
    const rows: [string, string, string][] = [
      ['bytes=1-3', 'ell', 'bytes 1-3/5'],
      ['bytes=2-', 'llo', 'bytes 2-4/5'],
      ['bytes=-2', 'lo', 'bytes 3-4/5'],
      ['bytes=0-99', 'hello', 'bytes 0-4/5'],
    ]
    for (const [value, body, contentRange] of rows) {
      const answer = await range(value)
      expect([value, answer.status, answer.body.toString()]).toEqual([value, 206, body])
      expect(answer.headers['content-range']).toBe(contentRange)
    }
    const beyond = await range('bytes=5-')
    expectError(beyond, 416, 'range-not-satisfiable')
    expect(beyond.headers['content-range']).toBe('bytes */5')
    const fresh = await range('bytes=1-3', { 'if-range': `"${HELLO}"` })
    expect([fresh.status, fresh.body.toString()]).toEqual([206, 'ell'])
    for (const other of [`"${HELLO}-gzip"`, `W/"${HELLO}"`]) {
      const whole = await range('bytes=1-3', { 'if-range': other })
      expect([other, whole.status, whole.body.toString()]).toEqual([other, 200, 'hello'])
    }
  }),
  serverCase('content that is deleted is gone', async (send) => {
    await put(send, 'hello.txt', 'hello')
    const remove = () => send({ method: 'DELETE', path: `/storage/${HELLO}` })
    const first = await remove()
    expect([first.status, json(first)]).toEqual([200, { status: 'ok' }])
    expectError(await remove(), 404, 'content-not-found')
    expectError(await get(send, `/storage/${HELLO}`), 404, 'content-not-found')
  }),
  signedInCase('content that was never there is 404', async (send) => {
    for (const hash of ['0'.repeat(64), HELLO.toUpperCase(), 'hello.txt']) {
      expectError(await get(send, `/storage/${hash}`), 404, 'content-not-found')
    }
  }),
  signedInCase('a name that is no file name is refused', async (send) => {
    for (const name of ['.htaccess', 'a%5Cb', '%E2%80%AEtxt.exe']) {
      expectError(await put(send, name, 'hello'), 400, 'bad-name')
    }
    expect((await put(send, '%2e%2e', 'hello')).status).toBe(400)
    expectError(await get(send, `/storage/${HELLO}`), 404, 'content-not-found')
  }),
  signedInCase('a media type that is none is refused', async (send) => {
    for (const type of ['text', 'text/plain; x', 'a b/c', 'text/plain, text/html']) {
      expectError(await put(send, 'a.txt', 'hello', type), 400, 'bad-header')
    }
  }),
  signedInCase('nothing at all can be stored', async (send) => {
    const answer = await put(send, 'empty', '')
    expect([answer.status, json(answer)]).toMatchObject([200, { hash: EMPTY, size: 0 }])
    const read = await get(send, `/storage/${EMPTY}`)
    expect([read.status, read.body.length]).toEqual([200, 0])
  }),
  serverCase('a megabyte of any bytes comes back as it was', async (send) => {
    const bytes = Buffer.alloc(
      1_000_003,
      Uint8Array.from({ length: 256 }, (_, n) => n),
    )
    const { hash } = json(await put(send, 'a.bin', bytes, 'application/octet-stream')) as {
      hash: string
    }
    expect((await get(send, `/storage/${hash}`)).body.equals(bytes)).toBe(true)
  }),
  signedInCase('verifying sound content says ok and how much was checked', async (send) => {
    await put(send, 'hello.txt', 'hello')
    const answer = await send({ method: 'POST', path: '/storage/verify' })
    expect([answer.status, json(answer)]).toMatchObject([200, { status: 'ok' }])
  }),
]
