/** The `.htaccess` files as they are shipped: what a document root serves, and what it keeps to itself. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
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

  it.each(['data', 'apie-data'])(
    'serves the folder %s of the site, and keeps it to itself where it is a data folder',
    async (folder) => {
      const path = join(apache().documentRoot, folder)
      rmSync(path, { recursive: true, force: true })
      mkdirSync(join(path, 'log'), { recursive: true, mode: 0o755 })
      for (const name of ['x.txt', 'log/00000001.log', 'log/data'])
        writeFileSync(join(path, name), 'a file of the site\n', { mode: 0o644 })
      const statuses = async () => {
        const paths = ['x.txt', 'log/00000001.log', 'log/data', 'log//data', 'log/data/data']
        return Promise.all(paths.map(async (name) => (await get(`${folder}/${name}`)).status))
      }
      expect((await statuses()).slice(0, 4)).toEqual([200, 200, 200, 200])
      writeFileSync(join(path, 'format'), '{"format":1}\n', { mode: 0o644 })
      expect(await statuses()).toEqual([403, 403, 403, 403, 403])
      expect((await get(`${folder}/`)).status).toBe(403)
    },
  )

  it.each(['events', 'cgi-bin/apie/events'])('answers /%s with the log', async (path) => {
    const { status, text } = await get(path)
    expect([status, text]).toEqual([200, '[]'])
  })

  it('answers the root with the program', async () => {
    expect((await get('')).text).toMatch(/^apie \d+\.\d+\.\d+\n$/)
  })
})
