import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Check } from '../../src/cli/doctor/check.ts'
import { checkDataFolder } from '../../src/cli/doctor/data-folder.ts'
import { checkClock, checkDurability } from '../../src/cli/doctor/durability.ts'
import { checkGlibc, checkOwnership } from '../../src/cli/doctor/executable.ts'
import { checkFileSystem } from '../../src/cli/doctor/file-system.ts'
import { checkLimitsText } from '../../src/cli/doctor/limits.ts'
import { checkLastTime } from '../../src/cli/doctor/store.ts'
import { readSettings } from '../../src/config.ts'
import { AppError } from '../../src/domain/app-error.ts'
import { syncDisk } from '../../src/storage/file/disk.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { isForeignFolder, migrateStore, openCommandStore } from '../../src/wire.ts'
import { runWords } from '../support/command-line.ts'
import { makeDataFolder } from '../support/data-folder.ts'
import { appendTo, draft } from '../support/drafts.ts'
import { postgresUrl } from '../support/postgres-cluster.ts'
import { inDatabase } from '../support/postgres-store.ts'

const uid = process.getuid?.() ?? 0
const verdicts = (checks: readonly Check[]) =>
  Object.fromEntries(checks.map(({ name, verdict }) => [name, verdict]))

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'apie-doctor-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

describe('the data folder', () => {
  test('that is private and writable is fine, and nothing is left in it', () => {
    const folder = join(root, 'data')
    mkdirSync(folder, { mode: 0o700 })
    expect(verdicts(checkDataFolder(folder, uid))).toEqual({
      'data folder': 'ok',
      'data folder mode': 'ok',
      'data folder owner': 'ok',
      'outside the document root': 'ok',
    })
    expect(verdicts(checkDurability(folder, Date.now))).toEqual({
      lock: 'ok',
      sync: 'ok',
      clock: 'ok',
    })
    expect(readdirSync(folder)).toEqual([])
  })

  test('that is missing is made by the first use', () => {
    expect(checkDataFolder(join(root, 'data'), uid)[0]).toMatchObject({ verdict: 'ok' })
  })

  test('below a file, or a file itself, is a problem', () => {
    writeFileSync(join(root, 'file'), '')
    expect(checkDataFolder(join(root, 'file'), uid)[0]).toMatchObject({ verdict: 'problem' })
    expect(checkDataFolder(join(root, 'file', 'data'), uid)[0]).toMatchObject({
      verdict: 'problem',
      message: expect.stringContaining('ENOTDIR'),
    })
  })

  test('that others may read is a problem with the command that helps', () => {
    const folder = join(root, 'data')
    mkdirSync(folder)
    chmodSync(folder, 0o755)
    expect(checkDataFolder(folder, uid)[1]).toEqual({
      name: 'data folder mode',
      verdict: 'problem',
      message: '755: other users of this machine may look into it',
      fix: `chmod 700 ${folder}`,
    })
  })

  test('of another user, below a document root: two warnings', () => {
    const folder = join(root, 'public_html', 'data')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    expect(verdicts(checkDataFolder(folder, uid + 1))).toMatchObject({
      'data folder owner': 'warning',
      'outside the document root': 'warning',
    })
  })
})

test('a lock that cannot be tried is skipped, not passed', () => {
  expect(verdicts(checkDurability(join(root, 'missing'), Date.now))).toMatchObject({
    lock: 'skipped',
    sync: 'skipped',
  })
})

describe('the clock', () => {
  const now = Date.UTC(2026, 5, 1)
  test.each([
    [now, now - 1500, 'ok'],
    [now, now - 60_000, 'warning'],
    [Date.UTC(1970, 0, 1), undefined, 'problem'],
  ])('at %d with the file system at %d: %s', (time, onDisk, verdict) => {
    expect(checkClock(time, onDisk).verdict).toBe(verdict)
  })
})

describe('the file system', () => {
  const local = { type: 0xef53, freeBytes: 2 ** 40, inodes: 10, freeInodes: 1e6 }
  test.each([
    [{}, { 'file system': 'ok', 'free space': 'ok', 'free inodes': 'ok' }],
    [{ type: 0x6969 }, { 'file system': 'warning' }],
    [{ type: 0xff534d42 | 0 }, { 'file system': 'warning' }],
    [{ type: 0x65735546 }, { 'file system': 'warning' }],
    [{ freeBytes: 1e8 }, { 'free space': 'warning' }],
    [{ freeBytes: 1000 }, { 'free space': 'problem' }],
    [{ freeInodes: 10 }, { 'free inodes': 'warning' }],
    [{ inodes: 0, freeInodes: 0 }, { 'free inodes': 'ok' }],
  ])('%j', (difference, expected) => {
    expect(verdicts(checkFileSystem({ ...local, ...difference }, root))).toMatchObject(expected)
  })
})

test('where there is little space, what takes it and what makes it smaller is told', () => {
  const full = { type: 0xef53, freeBytes: 1000, inodes: 10, freeInodes: 1e6 }
  const fixOf = (folder: string) =>
    checkFileSystem(full, folder).find(({ name }) => name === 'free space')?.fix ?? ''
  mkdirSync(join(root, 'content', 'ab'), { recursive: true })
  writeFileSync(join(root, 'content', 'ab', 'blob'), Buffer.alloc(3 * 2 ** 20, 'x'))
  mkdirSync(join(root, 'log'))
  expect(fixOf(root)).toMatch(new RegExp(`^${root} takes 3\\.\\d MiB in content\\. Remove files`))
  expect(fixOf(root)).toContain('"apie scavenge"')
  expect(fixOf(join(root, 'none'))).toMatch(/^Remove files/)
})

test('limits are read as Linux writes them', () => {
  const text = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max file size             unlimited            unlimited            bytes     ',
    'Max processes             8                    100                  processes ',
    'Max open files            1024                 4096                 files     ',
    'Max address space         1073741824           unlimited            bytes     ',
  ].join('\n')
  expect(verdicts(checkLimitsText(text))).toEqual({
    'limit of address space': 'warning',
    'limit of processes and threads': 'problem',
    'limit of file size': 'ok',
    'limit of open files': 'ok',
  })
})

describe('the executable', () => {
  const good = { mode: 0o755, uid: 7, isLink: false }
  const judge = (file: object, folder: object = {}) =>
    verdicts(checkOwnership('/cgi-bin/apie', { ...good, ...file }, { ...good, ...folder }, 7))

  test('with mode 755 of its own user is fine', () => {
    expect(new Set(Object.values(judge({})))).toEqual(new Set(['ok']))
  })

  test.each([
    [{ mode: 0o644 }, {}, 'executable bit', 'problem'],
    [{ mode: 0o775 }, {}, 'executable mode', 'problem'],
    [{}, { mode: 0o777 }, 'executable folder', 'problem'],
    [{ isLink: true }, {}, 'executable file', 'warning'],
    [{ uid: 8 }, {}, 'executable owner', 'warning'],
  ])('%j in %j: %s is a %s', (file, folder, name, verdict) => {
    expect(judge(file, folder)[name]).toBe(verdict)
  })
})

test.each([
  ['2.27', 'problem'],
  ['2.28', 'ok'],
  ['2.41', 'ok'],
  ['3.0', 'ok'],
])('glibc %s: %s', (version, verdict) => {
  expect(checkGlibc(version).verdict).toBe(verdict)
})

test.each([
  [0, 'ok'],
  [-86_400_000, 'ok'],
  [300_000, 'ok'],
  [300_001, 'warning'],
  [86_400_000, 'warning'],
])('a last event %d ms ahead of the clock: %s', (aheadMs, verdict) => {
  const now = Date.UTC(2026, 5, 1)
  const { name, ...check } = checkLastTime(new Date(now + aheadMs).toISOString(), now)
  expect([name, check.verdict]).toEqual(['time of the last event', verdict])
})

test('how far a clock was ahead is told in minutes, and a time that is none is let alone', () => {
  expect(checkLastTime('2026-06-02T00:00:00.000Z', Date.UTC(2026, 5, 1)).message).toContain(
    '2026-06-02T00:00:00.000Z is 1440 minutes ahead of the clock of this machine;',
  )
  expect(checkLastTime('yesterday', Date.UTC(2026, 5, 1)).verdict).toBe('ok')
})

describe('the command', () => {
  test('works without a data folder and tells all as JSON', async () => {
    const store = `file:${join(root, 'data')}`
    const settings = () => readSettings({ environment: { APIE_STORE: store } })
    const { out } = await runWords(['doctor', '--json'], {
      settings,
      programPath: process.execPath,
    })
    const { checks } = JSON.parse(out) as { checks: (Check & { group: string })[] }
    expect(checks).toContainEqual({
      group: 'Data',
      name: 'data folder',
      verdict: 'ok',
      message: `${join(root, 'data')} is not there yet; the first use makes it`,
    })
  })

  test.each([
    { APIE_SETUP_TOKEN: 'short' },
    { APIE_CORS_ORIGINS: '*' },
    { APIE_STORE: 'sqlite:x' },
    { APIE_STORE: 'postgresql://localhost/x?pool=abc' },
  ])('finds the setting of %j, which every request would refuse', async (variables) => {
    const environment = { APIE_STORE: 'memory:', ...variables }
    const settings = () => readSettings({ environment })
    const { code, out } = await runWords(['doctor'], {
      settings,
      openStore: (mode) => openCommandStore(settings(), mode),
    })
    expect(code).toBe(1)
    expect(out).toMatch(/^ {2}PROBLEM {2}(settings|database): /m)
  })

  test('reports settings that cannot be read and looks at the rest', async () => {
    const settings = () => readSettings({ environment: { APIE_PORT: 'x' } })
    const { code, out } = await runWords(['doctor'], { settings, programPath: process.execPath })
    expect(code).toBe(1)
    expect(out).toContain('PROBLEM  settings: APIE_PORT: expected a whole number')
    expect(out).toContain('limit of open files')
  })

  test('warns of a store in memory', async () => {
    const settings = () => readSettings({ environment: { APIE_STORE: 'memory:' } })
    const { out } = await runWords(['doctor', '--json'], { settings })
    const { checks } = JSON.parse(out) as { checks: (Check & { group: string })[] }
    expect(checks.filter(({ group }) => group === 'Data')).toMatchObject([
      { name: 'store', verdict: 'warning', message: expect.stringContaining('gone') },
    ])
  })

  test('reports files that settings name and that cannot be used', async () => {
    const there = join(root, 'there')
    writeFileSync(there, '')
    symlinkSync(there, join(root, 'link'))
    const found = async (htpasswd: string, logFile: string) => {
      const variables = { APIE_STORE: 'memory:', APIE_HTPASSWD: htpasswd, APIE_LOG_FILE: logFile }
      const settings = () => readSettings({ environment: variables })
      const { out } = await runWords(['doctor', '--json'], { settings })
      const { checks } = JSON.parse(out) as { checks: Check[] }
      return checks
        .filter(({ name }) => /^(htpasswd|log) file$/.test(name))
        .map(({ verdict, message }) => [verdict, message.replaceAll(root, '')])
    }
    const unread = (reason: string) =>
      `cannot be read (${reason}); who stands only there cannot sign in`
    const unwritten = (reason: string) =>
      `cannot be written (${reason}); its lines go to standard error`
    expect(await found(join(root, 'no'), join(root, 'no', 'log'))).toEqual([
      ['problem', `/no ${unread('not there')}`],
      ['problem', `/no/log ${unwritten('not there')}`],
    ])
    expect(await found(root, root)).toEqual([
      ['problem', ` ${unread('a folder')}`],
      ['problem', ` ${unwritten('a folder')}`],
    ])
    expect(await found(there, join(root, 'link'))).toEqual([
      ['ok', '/there can be used'],
      ['problem', `/link ${unwritten('a symbolic link')}`],
    ])
    expect(await found('', join(root, 'made-later'))).toEqual([['ok', '/made-later can be used']])
    expect(readdirSync(root).sort()).toEqual(['link', 'there'])
  })

  test.each([
    ['format-unknown', 'Run "apie migrate"'],
    ['storage-unavailable', 'Compare host, port, user, password and TLS'],
  ] as const)('asks a database whether it can be used, and what %s means', async (code, fix) => {
    const { out } = await runWords(['doctor', '--json'], {
      settings: () => readSettings({ environment: { APIE_STORE: 'postgresql://localhost/x' } }),
      programPath: process.execPath,
      openStore: async () => {
        throw new AppError(code, 'why not')
      },
    })
    const { checks } = JSON.parse(out) as { checks: (Check & { group: string })[] }
    expect(checks.filter(({ group }) => group === 'Data')).toEqual([
      {
        group: 'Data',
        name: 'database',
        verdict: 'problem',
        message: 'why not',
        fix: expect.stringContaining(fix),
      },
    ])
  })

  test('names variables that are no settings, with those that were probably meant', async () => {
    const environment = {
      APIE_DAT: 'x',
      APIE_MAX_EVENTBYTES: '5',
      APIE_FROBNICATE: '1',
      apie_port: '8000',
      APIE_CONFIG: '/x.json',
      APIE_DEBUG: '1',
      APIE_PORT: '8000',
      EVENTSTORE_DRIVER: 'file',
      HOME: '/',
    }
    const settings = () => readSettings({ environment: { APIE_STORE: 'memory:' } })
    const { out } = await runWords(['doctor', '--json'], { settings, environment })
    const { checks } = JSON.parse(out) as { checks: (Check & { group: string })[] }
    const found = checks.filter(({ group }) => group === 'Settings')
    expect(found.map(({ verdict, message, fix }) => [verdict, message, fix])).toEqual([
      ['warning', 'APIE_DAT is no setting and is ignored', 'Did you mean APIE_DATA?'],
      [
        'warning',
        'APIE_FROBNICATE is no setting and is ignored',
        'docs/command-line.md lists all of them under "Settings".',
      ],
      [
        'warning',
        'APIE_MAX_EVENTBYTES is no setting and is ignored',
        'Did you mean APIE_MAX_EVENT_BYTES?',
      ],
      ['warning', 'apie_port is no setting and is ignored', 'Did you mean APIE_PORT?'],
    ])
  })

  const look = async (store: string) => {
    const settings = readSettings({ environment: { APIE_STORE: store } })
    const { code, out } = await runWords(['doctor', '--json'], {
      settings: () => settings,
      programPath: process.execPath,
      openStore: (mode) => openCommandStore(settings, mode),
      isForeignFolder,
    })
    const { checks } = JSON.parse(out) as { checks: Check[] }
    return { code, found: checks.find(({ name }) => ['store', 'database'].includes(name)) }
  }

  test('opens the store of the data folder, and makes none', async () => {
    const folder = join(root, 'data')
    mkdirSync(folder, { mode: 0o700 })
    const none = await look(`file:${folder}`)
    expect(none.found).toMatchObject({
      verdict: 'ok',
      message: expect.stringContaining('none yet'),
    })
    expect(readdirSync(folder)).toEqual([])
    await makeDataFolder(syncDisk, folder)
    expect((await look(`file:${folder}`)).found).toEqual({
      group: 'Data',
      name: 'store',
      verdict: 'ok',
      message: 'can be opened, and its log has 0 events',
    })
  })

  test('tells where a clock that was ahead has left its mark', async () => {
    const settings = readSettings({ environment: { APIE_STORE: 'memory:' } })
    const store = createMemoryStore({ clock: { now: () => Date.now() + 86_400_000 } })
    await store.log.append(appendTo('s', [draft(1)]))
    const { out } = await runWords(['doctor', '--json'], {
      settings: () => ({ ...settings, store: 'postgresql://localhost/x' }),
      programPath: process.execPath,
      openStore: async () => store,
    })
    const { checks } = JSON.parse(out) as { checks: Check[] }
    expect(checks.find(({ name }) => name === 'time of the last event')).toMatchObject({
      verdict: 'warning',
      message: expect.stringMatching(/^\d{4}-.*Z is 1440 minutes ahead/),
    })
  })

  test.each([
    ['an empty format file', 'format', '', 'Put the file "format"'],
    ['a format file of something else', 'format', 'odt', 'Put the file "format"'],
    ['events without a format file', 'log/00000001.log', '', 'Put the file "format"'],
  ])('finds a problem in a data folder with %s', async (_name, file, text, fix) => {
    const folder = join(root, 'data')
    mkdirSync(dirname(join(folder, file)), { recursive: true, mode: 0o700 })
    chmodSync(folder, 0o700)
    writeFileSync(join(folder, file), text, { mode: 0o600 })
    expect(await look(`file:${folder}`)).toMatchObject({
      code: 1,
      found: { name: 'store', verdict: 'problem', fix: expect.stringContaining(fix) },
    })
  })

  test.each(['700', '755'])(
    'of a folder of something else, mode %s, says only that, and tries nothing in it',
    async (mode) => {
      const folder = join(root, 'data')
      mkdirSync(folder)
      writeFileSync(join(folder, 'passwd'), '', { mode: 0o644 })
      utimesSync(folder, 1, 1)
      chmodSync(folder, Number.parseInt(mode, 8))
      const settings = () => readSettings({ environment: { APIE_STORE: `file:${folder}` } })
      const { code, out } = await runWords(['doctor', '--json'], {
        settings,
        programPath: process.execPath,
        openStore: (way) => openCommandStore(settings(), way),
        isForeignFolder,
      })
      const { checks } = JSON.parse(out) as { checks: (Check & { group: string })[] }
      expect(code).toBe(1)
      expect(checks.filter(({ group }) => group === 'Data')).toEqual([
        {
          group: 'Data',
          name: 'data folder',
          verdict: 'problem',
          message: `${folder} holds files of something else`,
          fix: 'Set `data` (APIE_DATA) to an empty or a new folder.',
        },
        expect.objectContaining({ name: 'store', verdict: 'skipped' }),
      ])
      expect(out).not.toMatch(/ch(mod|own) /)
      // Whatever is made in a folder, and removed again, sets its time.
      expect(statSync(folder).mtimeMs).toBe(1000)
    },
  )

  test('finds a problem where the log is gone and its index is not', async () => {
    const folder = join(root, 'data')
    const settings = readSettings({ environment: { APIE_STORE: `file:${folder}` } })
    const store = await openCommandStore(settings, 'create')
    await store.log.append(appendTo('s', [draft(1)]))
    await store.close()
    rmSync(join(folder, 'log', '00000001.log'))
    expect(await look(`file:${folder}`)).toMatchObject({
      code: 1,
      found: { verdict: 'problem', fix: expect.stringContaining('apie verify') },
    })
  })

  test.each([
    ['sqlite:x', 'docs/engines.md'],
    ['postgresql://127.0.0.1:1/x', 'Compare host, port'],
    ['mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=1', 'Compare host, port'],
  ])('finds a problem in the store %s, which cannot be', async (store, fix) => {
    expect(await look(store)).toMatchObject({
      code: 1,
      found: { name: 'database', verdict: 'problem', fix: expect.stringContaining(fix) },
    })
  })

  test.runIf(postgresUrl())('tells a database that is not migrated from one that is', async () => {
    const schema = `doctor_${process.pid}`
    const cluster = postgresUrl() ?? ''
    await inDatabase(cluster, `CREATE SCHEMA ${schema}`)
    try {
      const url = `${cluster}?options=${encodeURIComponent(`-c search_path=${schema}`)}`
      expect(await look(url)).toMatchObject({
        code: 1,
        found: { verdict: 'problem', fix: expect.stringContaining('Run "apie migrate"') },
      })
      await migrateStore(readSettings({ environment: { APIE_STORE: url } }))
      expect((await look(url)).found).toMatchObject({
        verdict: 'ok',
        message: 'postgresql: answers, and its log has 0 events',
      })
    } finally {
      await inDatabase(cluster, `DROP SCHEMA ${schema} CASCADE`)
    }
  })

  test.runIf(postgresUrl())(
    'tells a database that cannot be written from one that can',
    async () => {
      const cluster = postgresUrl() ?? ''
      const [schema, role] = [`doctor_w_${process.pid}`, `doctor_r_${process.pid}`]
      const options = `-c search_path=${schema}`
      const address = (more = '') => `${cluster}?options=${encodeURIComponent(options + more)}`
      const writes = async (store: string) => {
        const settings = readSettings({ environment: { APIE_STORE: store } })
        const { code, out } = await runWords(['doctor', '--json'], {
          settings: () => settings,
          programPath: process.execPath,
          openStore: (mode) => openCommandStore(settings, mode),
        })
        const { checks } = JSON.parse(out) as { checks: Check[] }
        return { code, ...checks.find(({ name }) => name === 'database writes') }
      }
      await inDatabase(cluster, `CREATE SCHEMA ${schema}`)
      try {
        const settings = readSettings({ environment: { APIE_STORE: address() } })
        await migrateStore(settings)
        expect(await writes(address())).toMatchObject({ verdict: 'ok' })
        const store = await openCommandStore(settings, 'existing')
        expect(await store.records.collections()).toEqual([])
        await store.close()
        expect(await writes(address(' -c default_transaction_read_only=on'))).toMatchObject({
          code: 1,
          verdict: 'problem',
          fix: expect.stringContaining('default_transaction_read_only'),
        })
        await inDatabase(
          cluster,
          `CREATE ROLE ${role}; GRANT USAGE ON SCHEMA ${schema} TO ${role};
         GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${role}`,
        )
        expect(await writes(address(` -c role=${role}`))).toMatchObject({
          code: 1,
          verdict: 'problem',
          fix: expect.stringContaining('SELECT, INSERT, UPDATE, DELETE'),
        })
      } finally {
        await inDatabase(cluster, `DROP SCHEMA ${schema} CASCADE; DROP ROLE IF EXISTS ${role}`)
      }
    },
  )

  test('refuses an address that is none', async () => {
    expect((await runWords(['doctor', '--url', 'localhost'])).code).toBe(2)
  })
})
