/** The `.htaccess` files as they are shipped: what a document root serves, and what it keeps to itself. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { describeVariants } from '../support/apache-variants.ts'
import { send } from '../support/http-client.ts'
import { useApache } from '../support/use-apache.ts'

const SERVED = ['page.txt', 'site/page.txt', '.well-known/acme-challenge/token']
const KEPT = [
  '.git/config',
  '.env',
  'site/.git/config',
  'data/log/0',
  'apie-data/log/0',
  'apie.json',
  'cgi-bin/apie.map',
  'cgi-bin/.htaccess',
  '.htaccess',
]

describeVariants('a document root with the shipped files', (variant) => {
  const apache = useApache({ variant, shape: 'document-root' })

  beforeAll(() => {
    for (const name of [...SERVED, ...KEPT.filter((name) => !name.endsWith('.htaccess'))]) {
      const path = join(apache().documentRoot, name)
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
      writeFileSync(path, 'a file of the site\n', { mode: 0o644 })
    }
  })

  const get = (path: string) =>
    send(`${apache().origin}/${path}`, { headers: { authorization: apache().authorization } })

  it.each(SERVED)('serves the file %s itself', async (name) => {
    const { status, text } = await get(name)
    expect([status, text]).toEqual([200, 'a file of the site\n'])
  })

  it.each(KEPT)('keeps %s to itself', async (name) => {
    expect((await get(name)).status).toBe(403)
  })

  it.each(['events', 'cgi-bin/apie/events'])('answers /%s with the log', async (path) => {
    const { status, text } = await get(path)
    expect([status, text]).toEqual([200, '[]'])
  })

  it('answers the root with the program', async () => {
    expect((await get('')).text).toMatch(/^apie \d+\.\d+\.\d+\n$/)
  })
})
