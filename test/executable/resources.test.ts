/** What a CGI process takes from its host: threads, files and their modes. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeVariants } from '../support/apache-variants.ts'
import { cgiVariables } from '../support/cgi-run.ts'
import { EXECUTABLE, run } from '../support/executable.ts'
import { send } from '../support/http-client.ts'
import { useApache } from '../support/use-apache.ts'
import { watch } from '../support/watch.ts'

describeVariants('one request', (variant) => {
  const apache = useApache({ variant, shape: 'script-alias' })

  it.each([
    ['an append', 'POST', '/events', '{"eventType":"t","body":1}'],
    ['a read', 'GET', '/events', undefined],
    ['an upload', 'PUT', '/storage/a.bin', 'x'.repeat(10_000_000)],
  ])('that is %s runs in three threads and 96 MiB', async (_name, method, path, body) => {
    const sent = apache().send(path, { method, ...(body === undefined ? {} : { body }) })
    const { answer, threads, grownKib } = await watch(apache().processes, sent)
    expect(answer.status, answer.text).toBe(200)
    expect(threads).toBeGreaterThan(0)
    expect(threads).toBeLessThanOrEqual(3)
    expect(grownKib).toBeLessThan(96 * 1024)
  })

  it('leaves folders of mode 0700 and files of mode 0600', () => {
    const { dataFolder } = apache()
    const names = ['', ...readdirSync(dataFolder, { recursive: true, encoding: 'utf8' })]
    const modes = names.map((name) => statSync(join(dataFolder, name)))
    for (const [n, stat] of modes.entries()) {
      expect([names[n], stat.mode & 0o777]).toEqual([names[n], stat.isDirectory() ? 0o700 : 0o600])
    }
    expect(names).toContain('.htaccess')
  })
})

for (const shape of ['script-alias', 'exec-cgi', 'document-root'] as const) {
  describeVariants(`a data folder below the document root (${shape})`, (variant) => {
    const apache = useApache({ variant, shape, dataInside: true })

    it('gives none of its files to the web', async () => {
      const body = '{"eventType":"secret","body":1}'
      expect((await apache().send('/events', { method: 'POST', body })).status).toBe(200)
      const names = readdirSync(apache().dataFolder, { recursive: true, encoding: 'utf8' })
      expect(names.length).toBeGreaterThan(5)
      const headers = { authorization: apache().authorization }
      for (const name of ['', ...names]) {
        const answer = await send(`${apache().origin}/data/${name}`, { headers })
        expect([name, [403, 404].includes(answer.status)]).toEqual([name, true])
      }
      const folder = shape === 'exec-cgi' ? 'store' : 'cgi-bin'
      const settings = await send(`${apache().origin}/${folder}/apie.json`, { headers })
      expect([403, 404]).toContain(settings.status)
    })
  })
}

describe('a host that allows little', () => {
  it('of address space still runs a request in 1300 MiB of it', async () => {
    const variables = { APIE_STORE: 'memory:', APIE_ANONYMOUS: 'admin' }
    const limited = await run('prlimit', [`--as=${1300 * 1024 * 1024}`, EXECUTABLE], {
      environment: cgiVariables({ target: '/events', variables }),
    })
    expect(limited.out, limited.err).toMatch(/^Status: 200 /)
  })
})
