/** Bad paths and headers: nothing outside the data folder is reached, and nothing is stored. */
import { existsSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { VARIANTS } from '../support/apache-variants.ts'
import { describeServers } from '../support/servers.ts'
import { inParallel } from '../support/use-apache.ts'

describeServers('bad paths and headers', VARIANTS, (server) => {
  it('as a path reaches nothing outside the store', async () => {
    const outside = join(dirname(server().dataFolder), 'outside.txt')
    writeFileSync(outside, 'shibboleth')
    const parts = [
      '..',
      '%2e%2e',
      '.%2e',
      '%252e%252e',
      '%c0%ae%c0%ae',
      '..%5c',
      '%00',
      'proc%2fself%2fenviron',
      '%2fetc%2fpasswd',
      'a'.repeat(2000),
      '..%2foutside.txt',
      '%2e%2e%2f%2e%2e%2foutside.txt',
      '..;',
    ]
    const targets = parts.flatMap((part) => [
      `/storage/${part}`,
      `/events/${part}`,
      `/storage/${part}/${part}`,
      `/${part}/events`,
    ])
    await inParallel(targets, 6, async (target) => {
      for (const method of ['GET', 'DELETE']) {
        const answer = await server().send(target, { method })
        expect([target, method, answer.status]).toEqual([
          target,
          method,
          expect.toBeOneOf([400, 403, 404, 405, 414]),
        ])
        expect(answer.text).not.toMatch(/shibboleth|root:|GATEWAY_INTERFACE=/)
      }
    })
    expect(existsSync(outside)).toBe(true)
    unlinkSync(outside)
  })

  it('as a symbolic link in the content store is not followed', async () => {
    const outside = join(dirname(server().dataFolder), 'linked.txt')
    writeFileSync(outside, 'shibboleth', { mode: 0o644 })
    const put = await server().send('/storage/real.txt', { method: 'PUT', body: 'real' })
    const { hash } = JSON.parse(put.text) as { hash: string }
    const link = server().contentPath(hash)
    renameSync(link, `${link}.real`)
    symlinkSync(outside, link)
    const answer = await server().send(`/storage/${hash}`)
    renameSync(`${link}.real`, link)
    unlinkSync(outside)
    expect(answer.text).not.toContain('shibboleth')
    expect(answer.status).toBeGreaterThanOrEqual(400)
  })

  it('in headers is answered, never obeyed', async () => {
    const before = await server().count()
    const values = ['"', '""', 'W/', '*, *', 'x'.repeat(5000), '\u00ff\u00fe']
    for (const name of [
      'if-match',
      'if-none-match',
      'range',
      'accept',
      'content-type',
      'cookie',
      'origin',
    ]) {
      await inParallel(values, 4, async (value) => {
        const answer = await server().send('/events?limit=1', { headers: { [name]: value } })
        expect([name, value, answer.status]).toEqual([
          name,
          value,
          expect.toBeOneOf([200, 304, 400, 403, 406, 416]),
        ])
      })
    }
    expect(await server().count()).toBe(before)
  })
})

describeServers('text that tries to become a header', [], (server) => {
  it('stays text: 1000 names and types, never a header of their own', async () => {
    const piece = fc.constantFrom(
      '\r\n',
      '\n',
      '\r',
      '\0',
      'X-Evil: 1',
      '"',
      ';',
      '\\',
      '%',
      'é',
      '\u2028',
      'a',
    )
    const text = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(''))
    const samples = fc.sample(text, { numRuns: 1000, seed: 20_260_102 })
    await inParallel(samples, 8, async (sample, n) => {
      const put = await server().send(`/storage/${encodeURIComponent(sample)}`, {
        method: 'PUT',
        body: String(n),
        headers: { 'content-type': sample.replace(/[^\x20-\x7e]/g, '') || 'a/b' },
      })
      expect(put.headers).not.toHaveProperty('x-evil')
      if (put.status !== 200) return expect([sample, put.status]).toEqual([sample, 400])
      const { hash } = JSON.parse(put.text) as { hash: string }
      const get = await server().send(`/storage/${hash}`)
      expect(get.headers).not.toHaveProperty('x-evil')
      expect([sample, get.status, get.text]).toEqual([sample, 200, String(n)])
    })
  })
})
