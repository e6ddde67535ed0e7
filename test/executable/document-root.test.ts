/** The `.htaccess` files as they are shipped: what a document root serves, and what it keeps to itself. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { describeVariants, VARIANTS } from '../support/apache-variants.ts'
import { send } from '../support/http-client.ts'
import { useApache } from '../support/use-apache.ts'

const SERVED = ['page.txt', 'site/page.txt', '.well-known/acme-challenge/token']
const KEPT = [
  '.git/config',
  '.env',
  'site/.git/config',
  '.well-known/.git/config',
  'site/.hidden/sub/page.txt',
  'apie.json',
  'cgi-bin/apie.map',
  'cgi-bin/.htaccess',
  '.htaccess',
]

/** Other spellings of what is kept, and paths that go on behind a file. */
const TRICKS = [
  '%2eenv',
  '%2Egit/config',
  './/.env',
  '//.env',
  '.env/',
  '.env/x',
  '.env/.x',
  '.env?x',
  '.env%00',
  '.env%2f',
  '.git',
  '.git/',
  '.git//config',
  'site/../.env',
  'site/%2e%2e/.env',
  'site/.git/../.git/config',
  'site/./.git/config',
  'site/.hidden/',
  'site/.hidden/sub',
  'site/.hidden/sub/page.txt/.x/y',
  '.linked',
  '.folder/secret.txt',
  'page.txt/.env',
  'page.txt/apie.json',
  'cgi-bin/.env',
  'cgi-bin/../.env',
  'apie.json/',
  'apie.json/x',
  'apie%2ejson',
]

/** Names that are streams and contents of the program, should no file stand at their path. */
const VIRTUAL = ['.foo', '.env', '.git', '.htaccess', '...', '.well-known', 'apie.json', 'cgi-bin']

/** Puts the files there; what is kept is told from what is served by its bytes. */
function fill(documentRoot: string): void {
  const put = (name: string, text: string) => {
    const path = join(documentRoot, name)
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    writeFileSync(path, text, { mode: 0o644 })
  }
  for (const name of SERVED) put(name, 'a file of the site\n')
  for (const name of KEPT) if (!name.endsWith('.htaccess')) put(name, 'a secret of the site\n')
  put('site/secret.txt', 'a secret of the site\n')
  symlinkSync('site/secret.txt', join(documentRoot, '.linked'))
  symlinkSync('site', join(documentRoot, '.folder'))
}

describeVariants('a document root with the shipped files', (variant) => {
  const apache = useApache({ variant, shape: 'document-root' })

  beforeAll(() => fill(apache().documentRoot))

  const get = (path: string) =>
    send(`${apache().origin}/${path}`, { headers: { authorization: apache().authorization } })

  it.each(SERVED)('serves the file %s itself', async (name) => {
    const { status, text } = await get(name)
    expect([status, text]).toEqual([200, 'a file of the site\n'])
  })

  it.each(KEPT)('keeps %s to itself', async (name) => {
    expect((await get(name)).status).toBe(403)
  })

  it.each(TRICKS)('serves no secret at /%s', async (path) => {
    const { status, text } = await get(path)
    expect(status).toBeOneOf([400, 401, 403, 404])
    expect(text).not.toContain('secret')
  })

  it.each(['', 'cgi-bin/apie/'])(
    'leaves names of streams and contents below /%s to the program',
    async (mount) => {
      for (const name of VIRTUAL) {
        const { authorization } = apache()
        const event = { 'content-type': 'application/json', 'es-eventtype': 't' }
        const url = `${apache().origin}/${mount}`
        const posted = await send(`${url}streams/${name}/`, {
          method: 'POST',
          headers: { authorization, ...event },
          body: '{}',
        })
        expect([name, posted.status]).toEqual([name, 307])
        for (const path of [`storage/${name}`, `events/${name}`, `nope/${name}/x`]) {
          const { status, text } = await get(mount + path)
          expect([path, status, text]).toEqual([path, 404, expect.stringMatching(/^\{"status":/)])
        }
      }
    },
  )

  it.each(['.nope', '.git2/config', 'site/.nope'])(
    'asks the program for /%s, which is not there',
    async (path) => {
      const { status, text } = await get(path)
      expect([status, text]).toEqual([404, expect.stringContaining('"route-not-found"')])
    },
  )

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

/** What a host may allow, each of which takes another path for one that names a file. */
const LENIENT = `AllowEncodedSlashes On
MergeSlashes Off
AcceptPathInfo On
`

describeVariants(
  'a document root on a server that takes nearly every path',
  (variant) => {
    const apache = useApache({ variant, shape: 'document-root', configuration: LENIENT })

    beforeAll(() => fill(apache().documentRoot))

    it.each([...KEPT, ...TRICKS])('keeps what stands at /%s to itself', async (path) => {
      const { text } = await send(`${apache().origin}/${path}`)
      expect(text).not.toContain('secret')
      expect(text).not.toContain('Rewrite')
    })
  },
  VARIANTS.slice(0, 1),
)
