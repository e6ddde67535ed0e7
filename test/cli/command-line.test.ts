import { describe, expect, test } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import { SETTINGS } from '../../src/settings.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { runWords } from '../support/command-line.ts'

describe('a wrong call exits with 2 and names what is nearest', () => {
  test.each([
    [['verfy'], 'There is no command "verfy", the nearest is "verify". See "apie help". [usage]'],
    [['xyzzy'], 'There is no command "xyzzy". See "apie help". [usage]'],
    [
      ['serve', '--prot', '1'],
      '"apie serve" has no option "--prot", the nearest is "--port". See "apie help serve". [usage]',
    ],
    [['verify', '-x'], '"apie verify" has no option "-x". See "apie help verify". [usage]'],
    [
      ['verify', '--jsno=1'],
      '"apie verify" has no option "--jsno=1", the nearest is "--json". See "apie help verify". [usage]',
    ],
    [['import'], '"apie import" needs DIR. See "apie help import". [usage]'],
    [['version', 'now'], '"apie version" does not take "now". See "apie help version". [usage]'],
    [
      ['help', 'srve'],
      'There is no command "srve", the nearest is "serve". See "apie help". [usage]',
    ],
  ])('%j', async (words, sentence) => {
    expect(await runWords(words)).toEqual({ code: 2, out: '', err: `apie: ${sentence}\n` })
  })

  test('without its value an option is refused', async () => {
    const { code, err } = await runWords(['serve', '--port'])
    expect(code).toBe(2)
    expect(err).toContain('--port')
  })

  test('control characters of a wrong word do not reach the terminal', async () => {
    const { err } = await runWords(['\u001b[31mred'])
    expect(err).toBe('apie: There is no command "?[31mred". See "apie help". [usage]\n')
  })

  test('without words it prints its help on standard error', async () => {
    const { code, out, err } = await runWords([])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('Usage: apie COMMAND')
  })
})

describe('failures of a command', () => {
  test('are one sentence with their code, and exit code 1', async () => {
    const openStore = async () => {
      throw new AppError('storage-full', 'There is no space left to store this')
    }
    expect(await runWords(['verify'], { openStore })).toEqual({
      code: 1,
      out: '',
      err: 'apie: There is no space left to store this [storage-full]\n',
    })
  })

  test('that nobody foresaw show no stack', async () => {
    const openStore = async () => {
      throw new TypeError('x is not a function')
    }
    expect((await runWords(['verify'], { openStore })).err).toBe(
      'apie: unexpected failure: x is not a function [internal]\n',
    )
  })

  test('of a setting exit with 2', async () => {
    const { code, err } = await runWords(['serve', '--port', 'x'])
    expect(code).toBe(2)
    expect(err).toContain('[bad-setting]')
  })
})

describe('a store in memory', () => {
  const environment = { APIE_STORE: 'memory:' }
  const told = 'apie: the store "memory:" is empty when a command begins and gone when it ends\n'

  test.each([['verify'], ['serve', '--port', '0'], ['user', 'list'], ['scavenge']])(
    'is said to be gone after %s',
    async (...words) => {
      expect((await runWords(words, {}, '', { environment })).err).toContain(told)
    },
  )

  test('is not spoken of where another is opened', async () => {
    expect((await runWords(['verify'])).err).not.toContain(told)
  })
})

describe('a variable that is no setting', () => {
  const environment = { APIE_PORTT: '1', APIE_FROBNICATE: '1', APIE_CONFIG: '/x', APIE_PORT: '9' }
  const told = `apie: APIE_FROBNICATE is no setting and is ignored; see "apie help settings"
apie: APIE_PORTT is no setting and is ignored; did you mean APIE_PORT?
`

  test.each([['verify'], ['serve'], ['migrate']])(
    'is named once by %s, with the one that was probably meant',
    async (word) => {
      const { err } = await runWords([word], {}, '', { environment })
      expect(err.slice(0, told.length)).toBe(told)
      expect(err.split('APIE_PORTT')).toHaveLength(2)
    },
  )

  test.each([['version'], ['help'], ['verify', '--help']])(
    'is no business of %s %s',
    async (...words) => {
      expect((await runWords(words, {}, '', { environment })).err).toBe('')
    },
  )
})

describe('help', () => {
  test.each([['help'], ['--help'], ['-h']])(
    'apie %s lists the commands and says where the settings stand',
    async (word) => {
      const { code, out } = await runWords([word])
      expect(code).toBe(0)
      expect(out).toMatch(/^ {2}verify +check every hash, link and index entry$/m)
      expect(out).toContain('"apie help settings"')
    },
  )

  test('of the settings has every one of them with its default and its choices', async () => {
    const { code, out } = await runWords(['help', 'settings'])
    expect(code).toBe(0)
    expect(out).toContain(
      '  APIE_PORT (port, default 8000)\n      port that `apie serve` listens on',
    )
    expect(out).toContain('      `on`, `unsafe-off`: ')
    for (const { variable } of Object.values(SETTINGS)) expect(out).toContain(`  ${variable} (`)
  })

  test('of a command is the same by both ways and names its options and exit codes', async () => {
    const byHelp = await runWords(['help', 'verify'])
    expect(await runWords(['verify', '--help'])).toEqual(byHelp)
    expect(byHelp.out).toContain('Usage: apie verify [OPTIONS]\n')
    expect(byHelp.out).toContain('  --data DIR  data folder to work on\n')
    expect(byHelp.out).toContain('Exit codes: 0 done; 1 it found damage; 2 called wrongly.\n')
  })
})

describe('help by other ways', () => {
  test.each([
    [['help', 'user', 'add'], 'user'],
    [['user', 'help'], 'user'],
    [['help', 'broker', 'brittle-api', 'serve'], 'broker'],
    [['broker', 'help'], 'broker'],
    [['broker', 'help', 'process'], 'broker'],
  ])('%j is the page of the command', async (words, command) => {
    const page = await runWords(['help', command])
    expect(page.out).toContain(`Usage: apie ${command} `)
    expect(await runWords(words)).toEqual(page)
  })

  test.each([
    [['help', '--markdown', 'extra'], '"apie help --markdown" does not take "extra"'],
    [['help', 'verify', 'now'], '"apie help" does not take "now"'],
    [['help', 'settings', 'port'], '"apie help" does not take "port"'],
  ])('%j is refused', async (words, message) => {
    const err = `apie: ${message}. See "apie help". [usage]\n`
    expect(await runWords(words)).toEqual({ code: 2, out: '', err })
  })
})

describe('version', () => {
  test.each(['-v', '--version'])('is what %s asks for, too', async (word) => {
    expect(await runWords([word])).toEqual(await runWords(['version']))
  })

  test('says which Node it runs on, as text and as JSON', async () => {
    const node = process.versions.node
    expect((await runWords(['version'])).out).toBe(
      `apie development (commit unknown, Node ${node})\n`,
    )
    expect(JSON.parse((await runWords(['version', '--json'])).out)).toEqual({
      version: 'development',
      commit: 'unknown',
      node,
    })
  })
})

describe('verify', () => {
  const memory = () => createMemoryStore({ clock: { now: () => 0 } })

  test('exits 0 where the store is clean', async () => {
    const { code, out } = await runWords(['verify'], { openStore: async () => memory() })
    expect(code).toBe(0)
    expect(out).toMatch(/^log: 0 events\n[\s\S]*clean\n$/)
  })

  test('exits 1 and tells each finding with its place', async () => {
    const store = memory()
    store.log.verify = async () => ({
      counts: { events: 3, voidLines: 1 },
      findings: [
        { kind: 'notice', message: 'a void line' },
        { kind: 'damage', message: 'the hash is wrong', position: 2, hash: 'abc' },
      ],
    })
    const { code, out } = await runWords(['verify'], { openStore: async () => store })
    expect(code).toBe(1)
    expect(out).toContain(
      'log: 3 events, 1 void line\n' +
        '  notice: a void line\n' +
        '  damage at position 2 (abc): the hash is wrong\n',
    )
    expect(out).toMatch(/not clean: 1 finding; only a backup brings back what is damaged\n$/)
    const json = await runWords(['verify', '--json'], { openStore: async () => store })
    expect(json.code).toBe(1)
    expect(JSON.parse(json.out)).toMatchObject({
      clean: false,
      log: { counts: { events: 3 }, findings: [{}, { position: 2 }] },
    })
  })

  test('says where there may be more findings than are listed', async () => {
    const store = memory()
    const findings = [{ kind: 'damage', message: 'the hash is wrong' }] as const
    store.log.verify = async () => ({ counts: { events: 3 }, findings, mayHaveMore: true })
    const openStore = async () => store
    expect((await runWords(['verify'], { openStore })).out).toBe(
      'log: 3 events\n' +
        '  damage: the hash is wrong\n' +
        '  there may be more: no further ones are listed\n' +
        'content: 0 contents\n' +
        'not clean: at least 1 finding; only a backup brings back what is damaged\n',
    )
    expect(JSON.parse((await runWords(['verify', '--json'], { openStore })).out)).toMatchObject({
      log: { mayHaveMore: true },
    })
  })

  test('takes a notice for clean and closes the store', async () => {
    let closed = 0
    const store = memory()
    store.log.verify = async () => ({
      counts: {},
      findings: [{ kind: 'notice', message: 'a void line' }],
    })
    store.close = async () => {
      closed += 1
    }
    expect((await runWords(['verify'], { openStore: async () => store })).code).toBe(0)
    expect(closed).toBe(1)
  })
})

test('reindex says that an engine without index has nothing to rebuild', async () => {
  const openStore = async () => createMemoryStore({ clock: { now: () => 0 } })
  const { code, err } = await runWords(['reindex'], { openStore })
  expect(code).toBe(2)
  expect(err).toBe('apie: This engine has no index to rebuild [usage]\n')
})
