/** Paths: what the client wrote decides, not what the web server made of it. */
import { expect, it } from 'vitest'
import { describeVariants } from '../support/apache-variants.ts'
import { sendRaw } from '../support/http-client.ts'
import { useApache } from '../support/use-apache.ts'

/** Segment as it goes out, and the name that it stands for. */
const NAMES = [
  ['plain.txt', 'plain.txt'],
  ['a%20b', 'a b'],
  ['c$d@e', 'c$d@e'],
  ['x%3fy', 'x?y'],
  ['x%25y%26z', 'x%y&z'],
  ['%252e%252e', '%2e%2e'],
  ['a%252Fb', 'a%2Fb'],
  ['a;b,c', 'a;b,c'],
  ['a+b', 'a+b'],
  ['a%2Bb', 'a+b'],
  ['a:b', 'a:b'],
  ['%F0%9F%8E%89', '🎉'],
  ['e%CC%81', '\u00e9'],
  [`${'n'.repeat(196)}.txt`, `${'n'.repeat(196)}.txt`],
] as const

for (const shape of ['script-alias', 'exec-cgi', 'document-root'] as const) {
  describeVariants(`paths in shape ${shape}`, (variant) => {
    const apache = useApache({ variant, shape })
    const upload = (segment: string, body: string) =>
      apache().send(`/storage/${segment}`, { method: 'PUT', body })

    it.each(NAMES)('%s names %s', async (segment, name) => {
      const answer = await upload(segment, `content of ${name}`)
      expect(answer.status, answer.text).toBe(200)
      expect(JSON.parse(answer.text)).toMatchObject({ filename: name })
    })

    it.each(['a%ffb', 'a%C0%AEb', 'a%0Ab', '%2e%2e'])('%s is refused', async (segment) => {
      expect([400, 404]).toContain((await upload(segment, 'x')).status)
    })

    it.each(['//events', '/events//', '/./events', '/x/../events', '/%2e/events'])(
      '%s is not another way to write /events',
      async (path) => {
        expect([400, 404]).toContain((await apache().send(path)).status)
      },
    )

    it('with an encoded slash never reach another resource', async () => {
      expect((await apache().send('/storage%2Fplain.txt')).status).toBe(404)
      expect((await upload('a%2Fb', 'x')).status).toBe(404)
    })

    it('that begin like the script but are not below it are not ours', async () => {
      if (shape === 'document-root') return
      expect((await apache().send('.x/events')).status).toBe(404)
    })

    it('take a query of 8 KB, and a longer line gets 414', async () => {
      const long = await apache().send(`/events?limit=1&unused=${'q'.repeat(7500)}`)
      expect([200, 400]).toContain(long.status)
      expect((await apache().send(`/events?unused=${'q'.repeat(9000)}`)).status).toBe(414)
    })

    it('may be absolute, and a foreign host appears in no answer', async () => {
      const { port, path, authorization } = apache()
      const body = 'evil test'
      const answer = await sendRaw(
        port,
        `PUT http://evil.example${path}/storage/evil-free.txt HTTP/1.1\r\nHost: evil.example\r\n` +
          'X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\nForwarded: host=evil.example\r\n' +
          `Authorization: ${authorization}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      )
      expect(answer).toMatch(/^HTTP\/1\.1 200 /)
      expect(answer).not.toContain('evil.example')
    })
  })
}

for (const slashes of ['NoDecode', 'On']) {
  describeVariants(`a host with AllowEncodedSlashes ${slashes}`, (variant) => {
    const configuration = `AllowEncodedSlashes ${slashes}`
    const apache = useApache({ variant, shape: 'script-alias', configuration })

    it.each([
      '/storage/a%2Fb',
      '/storage/..%2F..%2Fetc',
      '/events/..%2Ftmp',
      '/storage/%2Fetc%2Fssh',
    ])('answers %s as a name that cannot be', async (path) => {
      expect([400, 404]).toContain((await apache().send(path)).status)
      expect([400, 404, 405]).toContain(
        (await apache().send(path, { method: 'PUT', body: 'x' })).status,
      )
    })
  })
}
