/** The commands of docs/disk-format.md under "Copies", and what restoring their result takes. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readSettings } from '../../src/config.ts'
import { openCommandStore } from '../../src/wire.ts'
import { appendTo, draft, uuid } from '../support/drafts.ts'
import { PROJECT, type Run, run } from '../support/executable.ts'

const manual = readFileSync(`${PROJECT}/docs/disk-format.md`, 'utf8')
const BACKUPS = Array.from(
  manual.matchAll(/^<!-- backup -->\n```sh\n([\s\S]*?)^```$/gm),
  ([, script = '']) => script,
)
const hasRsync = spawnSync('rsync', ['--version']).status === 0

let root = ''
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'apie-backup-'))
  const store = await openStore('data')
  await store.log.append(
    appendTo(
      'orders',
      [0, 1, 2, 3].map((n) => draft(n, { type: 't' })),
    ),
  )
  await store.records.write('offset', OFFSET, { offset: 4, movedAt: '' }, 'absent')
  const bytes = (async function* () {
    yield Buffer.from('hello')
  })()
  await store.content.put(bytes, { filename: 'a.txt', mediaType: 'text/plain' })
  await store.close()
}, 30_000)
afterEach(() => rmSync(root, { recursive: true, force: true }))

const OFFSET = `orders/${uuid(7)}/t`

const openStore = (folder: string) =>
  openCommandStore(
    readSettings({ environment: { APIE_STORE: `file:${join(root, folder)}` } }),
    'create',
  )

const apie = (command: string, folder: string): Promise<Run> =>
  run(process.execPath, [join(PROJECT, 'src/main.ts'), command, '--data', join(root, folder)])

test('the manual has three ways to copy', () => {
  expect(BACKUPS.map((script) => /tar|rsync|cp -a/.exec(script)?.[0])).toEqual([
    'tar',
    'rsync',
    'cp -a',
  ])
})

test.each(BACKUPS)('%s is restored by reindex, and goes on', async (script) => {
  if (script.includes('rsync') && !hasRsync) return
  // Records before the log, and content behind it, whatever else stands between them.
  expect(script).toMatch(/records.*log.*content/)
  execFileSync('sh', ['-ec', script], { cwd: root })
  if (existsSync(join(root, 'backup.tar.gz'))) {
    const names = execFileSync('tar', ['-tzf', 'backup.tar.gz'], { cwd: root, encoding: 'utf8' })
    expect(names).not.toContain('/index')
    expect(names).toMatch(/data\/records\/[\s\S]*data\/log\/[\s\S]*data\/content\//)
    mkdirSync(join(root, 'backup'))
    const words = ['-xzf', 'backup.tar.gz', '-C', 'backup', '--strip-components=1']
    execFileSync('tar', words, { cwd: root })
    chmodSync(join(root, 'backup'), 0o700)
  }
  expect(existsSync(join(root, 'backup', 'records', 'index'))).toBe(false)
  expect(await apie('reindex', 'backup')).toMatchObject({ out: 'reindexed 4 events\n', status: 0 })
  expect(await apie('verify', 'backup')).toMatchObject({
    out: expect.stringMatching(/content: 1 .*\nclean\n$/),
    status: 0,
  })
  const store = await openStore('backup')
  const [event] = (await store.log.append(appendTo('orders', [draft(4)]))).events
  expect(event?.position).toBe(4)
  const bytes = (async function* () {
    yield Buffer.from('more')
  })()
  await store.content.put(bytes, { filename: 'b.txt', mediaType: 'text/plain' })
  await store.records.write('offset', OFFSET, { offset: 3, movedAt: '' }, 0)
  await store.close()
})

test('a copy whose records are ahead of its log is told by verify and set back by reindex', async () => {
  const copied = await openStore('data')
  await copied.records.write('offset', OFFSET, { offset: 7, movedAt: '' }, 0)
  await copied.close()
  const told = await apie('verify', 'data')
  expect([told.status, told.out]).toEqual([
    1,
    expect.stringContaining(`repairable: The consumer ${uuid(7)} has acknowledged 7 events "t"`),
  ])
  expect(await apie('reindex', 'data')).toMatchObject({
    status: 0,
    out: 'reindexed 4 events\nset back 1 position of consumers and groups to the end of the log\n',
  })
  expect((await apie('verify', 'data')).status).toBe(0)
})
