/** Responses as Apache passes them on: conditional requests, HEAD, ranges, methods, compression. */
import { expect, it } from 'vitest'
import { describeVariants } from '../support/apache-variants.ts'
import { sendRaw } from '../support/http-client.ts'
import { useApache } from '../support/use-apache.ts'

const TEXT = '0123456789'.repeat(300)

describeVariants('responses', (variant) => {
  const apache = useApache({ variant, shape: 'document-root' })
  const append = async (): Promise<string> => {
    const answer = await apache().send('/events', {
      method: 'POST',
      body: JSON.stringify({ eventType: 't', body: TEXT }),
    })
    return (JSON.parse(answer.text) as { hash: string }).hash
  }

  it.each(['identity', 'gzip'])('revalidate with Accept-Encoding: %s', async (encoding) => {
    const hash = await append()
    const get = (headers: Record<string, string> = {}) =>
      apache().send('/events', { headers: { 'accept-encoding': encoding, ...headers } })
    const first = await get()
    expect(first.headers['content-encoding']).toBe(encoding === 'gzip' ? 'gzip' : undefined)
    const tag = first.headers['etag'] ?? ''
    expect(tag).toContain(hash)
    const matching = [
      tag,
      `"${hash}"`,
      hash,
      `W/"${hash}"`,
      `"${hash}-gzip"`,
      `"${hash}-br"`,
      `"x", "${hash}"`,
      '*',
    ]
    for (const value of matching) {
      const again = await get({ 'if-none-match': value })
      expect([value, again.status, again.text]).toEqual([value, 304, ''])
    }
    expect((await get({ 'if-none-match': '"x"' })).status).toBe(200)
  })

  it('refuse an append to another head with 412', async () => {
    await append()
    const body = '{"eventType":"t","body":1}'
    const headers = { 'if-match': `"${'0'.repeat(64)}"` }
    expect((await apache().send('/events', { method: 'POST', body, headers })).status).toBe(412)
  })

  it('to HEAD are those to GET without the body', async () => {
    const hash = await append()
    for (const path of [`/events/${hash}`, '/', '/nope']) {
      const get = await apache().send(path)
      const head = await apache().send(path, { method: 'HEAD' })
      expect(head.text).toBe('')
      expect(head.status).toBe(get.status)
      for (const name of ['content-type', 'etag', 'x-apie-hash', 'cache-control']) {
        expect([path, name, head.headers[name]]).toEqual([path, name, get.headers[name]])
      }
    }
  })

  it.each(['identity', 'gzip'])('give ranges of content, Accept-Encoding: %s', async (encoding) => {
    const upload = await apache().send('/storage/range.bin', {
      method: 'PUT',
      body: TEXT,
      headers: { 'content-type': 'application/octet-stream' },
    })
    const { hash } = JSON.parse(upload.text) as { hash: string }
    const get = (range: string) =>
      apache().send(`/storage/${hash}`, { headers: { range, 'accept-encoding': encoding } })
    expect(await get('bytes=0-99')).toMatchObject({ status: 206, text: TEXT.slice(0, 100) })
    expect(await get('bytes=-5')).toMatchObject({ status: 206, text: '56789' })
    expect(await get('bytes=2990-')).toMatchObject({ status: 206, text: '0123456789' })
    expect((await get('bytes=3000-')).status).toBe(416)
    expect([200, 206]).toContain((await get('bytes=0-1,5-6')).status)
    const whole = await apache().send(`/storage/${hash}`, {
      headers: { 'accept-encoding': encoding },
    })
    expect(whole.text).toBe(TEXT)
  })

  it.each(['TRACE', 'PROPFIND', 'LINK', 'FOO', 'PATCH'])(
    'to %s are 405 with Allow, and echo nothing',
    async (method) => {
      const { port, path, authorization } = apache()
      const answer = await sendRaw(
        port,
        `${method} ${path}/events HTTP/1.1\r\nHost: x\r\nX-Secret: shibboleth\r\n` +
          `Authorization: ${authorization}\r\nConnection: close\r\n\r\n`,
      )
      if (method === 'TRACE' && answer.startsWith('HTTP/1.1 200')) {
        // Apache answers TRACE itself unless the host says TraceEnable Off; the program never sees it.
        expect(answer).toContain('message/http')
        return
      }
      expect(answer).toMatch(/^HTTP\/1\.1 405 /)
      expect(answer).toMatch(/\r\nAllow: .*GET/i)
      expect(answer).not.toContain('shibboleth')
    },
  )

  it('leave at most one line a request in the error log', async () => {
    const lines = () => apache().errorLog().split('\n').length
    const before = lines()
    for (const path of ['/', '/events', '/nope', '/events?limit=x', '/storage/zz'])
      await apache().send(path)
    expect(lines() - before).toBeLessThanOrEqual(5)
    expect(apache().errorLog()).not.toMatch(/Warning|Deprecat|at .*\.(js|ts):\d+/)
  })
})
