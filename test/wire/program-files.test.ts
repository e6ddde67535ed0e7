import { describe, expect, test } from 'vitest'
import {
  defaultDataFolder,
  loadSettings,
  programPathOf,
  stubPathOf,
} from '../../src/program-files.ts'
import type { FileStatus } from '../../src/storage/file/disk.ts'
import { diskError } from '../../src/storage/file/disk-error.ts'

const ALICE = 1000
const owned = (uid: number): FileStatus => ({
  kind: 'folder',
  size: 0,
  modifiedMs: 0,
  mode: 0o755,
  uid,
})

/** A disk with these texts, on which everything below `/home/alice` belongs to Alice. */
function diskOf(texts: Readonly<Record<string, string>> = {}) {
  return {
    readText: (path: string) => texts[path],
    status: (path: string) => owned(path.startsWith('/home/alice') ? ALICE : 0),
  }
}

describe('the data folder without a setting', () => {
  test.each([
    ['/home/alice/public_html/cgi-bin/apie', '/home/alice/apie-data'],
    ['/home/alice/public_html/blog/apie.cgi', '/home/alice/apie-data'],
    ['/home/alice/public_html/www/html/apie.cgi', '/home/alice/apie-data'],
    [
      '/home/alice/domains/a.example/htdocs/cgi-bin/apie',
      '/home/alice/domains/a.example/apie-data',
    ],
    ['/var/www/html/cgi-bin/apie', '/var/www/apie-data'],
    ['/var/www/clients/client1/web1/web/cgi-bin/apie', '/var/www/clients/client1/web1/apie-data'],
    ['/home/web/public_html/cgi-bin/apie', '/home/web/apie-data'],
    ['/home/alice/a.example/cgi-bin/apie', '/home/alice/apie-data'],
    ['/home/alice/cgi-bin/apie', '/home/alice/apie-data'],
    ['/home/alice/bin/apie', '/home/alice/apie-data'],
  ])('of %s is %s', (program, folder) => {
    expect(defaultDataFolder(program, diskOf())).toBe(folder)
  })
})

describe('the path of the program', () => {
  test('is the executable, however it was called', () => {
    expect(programPathOf('/home/alice/bin/apie', ['/home/alice/bin/apie', 'apie'])).toBe(
      '/home/alice/bin/apie',
    )
  })

  test('is the script where the sources run as they are', () => {
    expect(programPathOf('/usr/bin/node', ['/usr/bin/node', '/src/main.ts', 'serve'])).toBe(
      '/src/main.ts',
    )
  })
})

describe('a stub', () => {
  test('counts where it is the script that the web server names', () => {
    expect(stubPathOf('apie.cgi', '/home/alice/public_html/apie.cgi')).toBe(
      '/home/alice/public_html/apie.cgi',
    )
  })

  test.each([
    ['serve', '/home/alice/public_html/apie.cgi'],
    [undefined, '/home/alice/public_html/apie.cgi'],
    ['/etc/passwd', '/home/alice/public_html/apie.cgi'],
    ['apie.cgi', undefined],
    ['', ''],
  ])('word %j is none where the script is %j', (word, script) => {
    expect(stubPathOf(word, script)).toBeUndefined()
  })
})

describe('settings', () => {
  const load = (
    texts: Readonly<Record<string, string>>,
    environment: Readonly<Record<string, string>> = {},
    options: Readonly<Record<string, string>> = {},
    stubPath?: string,
  ) =>
    loadSettings({
      files: {
        programPath: '/home/alice/bin/apie',
        ...(stubPath === undefined ? {} : { stubPath }),
      },
      environment,
      options,
      folder: () => '/work',
      disk: diskOf(texts),
    })

  test('come from apie.json beside the executable, whose paths count from its folder', () => {
    const settings = load({
      '/home/alice/bin/apie.json': '{"data":"../events","logFile":"apie.log"}',
    })
    expect(settings.data).toBe('/home/alice/events')
    expect(settings.store).toBe('file:/home/alice/events')
    expect(settings.logFile).toBe('/home/alice/bin/apie.log')
  })

  test('of the environment and options win, and their paths count from the working folder', () => {
    const file = { '/home/alice/bin/apie.json': '{"data":"../events","port":1}' }
    expect(load(file, { APIE_DATA: 'd', APIE_PORT: '2' }).data).toBe('/work/d')
    const settings = load(file, { APIE_DATA: 'd', APIE_PORT: '2' }, { data: 'e', port: '3' })
    expect(settings.data).toBe('/work/e')
    expect(settings.port).toBe(3)
    const same = { '/home/alice/bin/apie.json': '{"data":"d","store":"file:s"}' }
    expect(load(same, { APIE_DATA: 'd', APIE_STORE: 'file:s' })).toMatchObject({
      data: '/work/d',
      store: 'file:/work/s',
    })
    expect(load(same, {})).toMatchObject({
      data: '/home/alice/bin/d',
      store: 'file:/home/alice/bin/s',
    })
  })

  test('refuse a folder of the environment beside another store of the file', () => {
    const file = { '/home/alice/bin/apie.json': '{"store":"file:s"}' }
    const refused = 'APIE_DATA names a data folder, but the setting "store" names another store'
    expect(() => load(file, { APIE_DATA: 'd' })).toThrow(refused)
    expect(() => load(file, { APIE_DATA: '/work/d', APIE_STORE: '' })).toThrow(refused)
    expect(load(file, { APIE_DATA: '/home/alice/bin/s' }).store).toBe('file:/home/alice/bin/s')
    expect(load(file, { APIE_DATA: 'd', APIE_STORE: 'file:s' }).store).toBe('file:/work/s')
    expect(load(file, { APIE_DATA: 'd' }, { store: 'file:s' }).store).toBe('file:/work/s')
  })

  test('refuse a folder of the command line beside another store', () => {
    const other = { APIE_STORE: 'postgresql://db/events' }
    expect(() => load({}, other, { data: 'd' })).toThrow('names another store')
    expect(() => load({}, { APIE_STORE: 'file:e' }, { data: 'd' })).toThrow('names another store')
    expect(load({}, { APIE_STORE: 'file:d' }, { data: 'd' }).store).toBe('file:/work/d')
    expect(load({}, { ...other, APIE_DATA: 'd' }).store).toBe('postgresql://db/events')
  })

  test('may be elsewhere, where APIE_CONFIG says', () => {
    const texts = { '/etc/apie.json': '{"data":"events"}' }
    expect(load(texts, { APIE_CONFIG: '/etc/apie.json' }).data).toBe('/etc/events')
    expect(() => load({}, { APIE_CONFIG: 'etc/apie.json' })).toThrow(
      'APIE_CONFIG: there is no file /work/etc/apie.json',
    )
  })

  test.each([
    ['EACCES', 'EACCES'],
    ['EISDIR', 'a folder'],
  ])('are refused where %s keeps their file from being read', (code, reason) => {
    const load = (environment: Record<string, string>, stubPath?: string) =>
      loadSettings({
        files: { programPath: '/home/alice/bin/apie', ...(stubPath && { stubPath }) },
        environment,
        folder: () => '/work',
        disk: {
          status: () => ({ ...owned(ALICE), kind: 'file' }),
          readText: () => {
            throw diskError(Object.assign(new Error(code), { code }), 'read')
          },
        },
      })
    const refusal = (message: string) =>
      expect.objectContaining({
        code: 'bad-setting',
        message: `${message} cannot be read (${reason})`,
      })
    expect(() => load({ APIE_CONFIG: '/etc/s.json' })).toThrow(
      refusal('APIE_CONFIG: the settings file /etc/s.json'),
    )
    expect(() => load({})).toThrow(refusal('the settings file /home/alice/bin/apie.json'))
    expect(() => load({}, '/cgi-bin/a')).toThrow(refusal('the settings file /cgi-bin/a'))
  })

  test('of an engine of files without a folder are refused', () => {
    expect(() => load({}, { APIE_STORE: 'file:' })).toThrow(
      'store: "file:" needs a folder, as in "file:/srv/apie-data"',
    )
  })

  test('of a stub win over apie.json, and the default folder counts from the stub', () => {
    const stub = '/home/alice/public_html/a.cgi'
    const json = { '/home/alice/bin/apie.json': '{"port":1}' }
    const texts = { ...json, [stub]: '#!/home/alice/bin/apie\n# a comment\nport: 2\n' }
    const settings = load(texts, {}, {}, stub)
    expect(settings.port).toBe(2)
    expect(settings.data).toBe('/home/alice/apie-data')
    const placed = load({ [stub]: '#!/home/alice/bin/apie\ndata: ../one\n' }, {}, {}, stub)
    expect(placed.data).toBe('/home/alice/one')
  })

  test('are not looked for in a large file or behind a symbolic link', () => {
    const stub = '/home/alice/public_html/a.cgi'
    const load = (difference: Partial<FileStatus>) =>
      loadSettings({
        files: { programPath: '/home/alice/bin/apie', stubPath: stub },
        environment: {},
        folder: () => '/work',
        disk: {
          readText: (path) => (path === stub ? '#!/home/alice/bin/apie\nport: 2\n' : undefined),
          status: () => ({ ...owned(ALICE), kind: 'file', ...difference }),
        },
      })
    expect(load({}).port).toBe(2)
    expect(load({ size: 100_000_000 }).port).toBe(8000)
    expect(() => load({ kind: 'link' })).toThrow('symbolic link')
  })

  test('name the file but not its folder when they are refused', () => {
    expect(() => load({ '/home/alice/bin/apie.json': '{"prot":1}' })).toThrow(
      'apie.json has an unknown setting "prot"',
    )
  })

  test('an engine URL with a path of its own moves the store', () => {
    expect(load({}, { APIE_STORE: 'file:x' }).store).toBe('file:/work/x')
    expect(load({}, { APIE_STORE: 'memory:' }).store).toBe('memory:')
  })
})
