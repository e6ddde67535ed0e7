/** Commands on a real data folder, each as a process of its own: `node src/main.ts …`. */
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSettings } from '../../src/config.ts'
import { TOMBSTONE_TYPE } from '../../src/domain/event.ts'
import { openCommandStore } from '../../src/wire.ts'
import { runWords } from '../support/command-line.ts'
import { appendTo, draft, jsonBody, uuid } from '../support/drafts.ts'
import { PROJECT, type Run, run, start } from '../support/executable.ts'

let root = ''
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'apie-cli-'))
  const settings = readSettings({ environment: { APIE_STORE: `file:${join(root, 'data')}` } })
  const store = await openCommandStore(settings, 'create')
  for (const n of [1, 2, 3]) await store.log.append(appendTo(`stream-${n}`, [draft(n)]))
  const bytes = (async function* () {
    yield Buffer.from('hello')
  })()
  await store.content.put(bytes, { filename: 'a.txt', mediaType: 'text/plain' })
  await store.close()
}, 30_000)
afterAll(() => rmSync(root, { recursive: true, force: true }))

const apie = (...words: string[]): Promise<Run> =>
  run(process.execPath, [join(PROJECT, 'src/main.ts'), ...words], { limitMs: 30_000 })
const inData = (command: string, ...words: string[]) =>
  apie(command, ...words, '--data', join(root, 'data'))

describe('a data folder', () => {
  test('that is clean passes verify, in words and as JSON', async () => {
    const { status, out, err } = await inData('verify')
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toMatch(/^log: 3 events/)
    const json = JSON.parse((await inData('verify', '--json')).out)
    expect(json).toMatchObject({ clean: true, log: { counts: { events: 3 } }, content: {} })
    expect(Object.keys(json)).toEqual(['clean', 'log', 'records', 'content'])
  })

  test('that is missing is not made by a command that only looks', async () => {
    const missing = join(root, 'missing')
    for (const command of ['verify', 'reindex', 'export']) {
      const { status, out, err } = await apie(command, '--data', missing)
      expect({ status, out }).toEqual({ status: 1, out: '' })
      const [what, where] = err.split('\n')
      expect(what).toBe(
        'apie: There is no store in the data folder; "apie user add" and "apie serve" make one, --data DIR (of "apie copy" also --from URL) names another folder [storage-unavailable]',
      )
      expect(where).toContain(`data folder: ${missing} (not there); this runs as user `)
    }
    expect(readdirSync(root)).not.toContain('missing')
  })

  test.each(['watch', 'watch-requests'])(
    'that is missing is not made by broker %s',
    async (word) => {
      const folder = join(root, 'unwatched')
      const settings = readSettings({ environment: { APIE_STORE: `file:${folder}` } })
      const { code, err } = await runWords(['broker', word], {
        settings: () => settings,
        openStore: (mode) => openCommandStore(settings, mode),
        untilStopped: () => AbortSignal.abort(),
      })
      expect([code, err]).toEqual([
        1,
        expect.stringContaining('apie: There is no store in the data folder;'),
      ])
      expect(readdirSync(root)).not.toContain('unwatched')
    },
  )

  test('that a failure is about is named, which of two it may be, and no other', async () => {
    const data = `file:${join(root, 'data')}`
    const missing = `file:${join(root, 'missing')}`
    const shared = join(root, 'shared')
    mkdirSync(shared)
    chmodSync(shared, 0o755)
    const from = await apie('copy', '--from', missing, '--to', data)
    expect(from.err).toContain(`data folder: ${join(root, 'missing')} (not there)`)
    const to = await apie('copy', '--from', data, '--to', `file:${shared}`)
    expect(to.err).toContain(`data folder: ${shared} (of user`)
    const damaged = join(root, 'damaged-source')
    await apie('copy', '--from', data, '--to', `file:${damaged}`)
    const segment = join(damaged, 'log', '00000001.log')
    writeFileSync(segment, readFileSync(segment, 'utf8').replace('{"n":2}', '{"n":9}'))
    const copied = await apie(
      'copy',
      '--from',
      `file:${damaged}`,
      '--to',
      `file:${root}/of-damaged`,
    )
    expect(copied.err).toContain('[log-damaged]')
    expect(copied.err).toContain(`data folder: ${damaged} (of user`)
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const none = await apie('broker', 'brittle-api', 'serve', `127.0.0.1:${port}`)
    server.close()
    expect(none.status).toBe(1)
    expect(none.err).not.toContain('data folder')
  })

  test('gets its indexes back from reindex', async () => {
    const index = join(root, 'data', 'index')
    for (const name of readdirSync(index)) rmSync(join(index, name), { recursive: true })
    const { status, out } = await inData('verify')
    expect([status, out]).toEqual([
      1,
      expect.stringContaining('There is no index; "apie reindex" repairs it'),
    ])
    expect(await inData('reindex')).toMatchObject({ status: 0, out: 'reindexed 3 events\n' })
    expect((await inData('verify')).status).toBe(0)
  })

  test('is exported as lines in the order of the log, each with its hash', async () => {
    const { status, out } = await inData('export')
    expect(status).toBe(0)
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.map(({ eventId, position }) => [eventId, position])).toEqual([
      [uuid(1), 0],
      [uuid(2), 1],
      [uuid(3), 2],
    ])
    expect(events[0].hash).toMatch(/^[0-9a-f]{64}$/)
  })

  test('goes to the original layout and back with the same hashes and content', async () => {
    const original = join(root, 'original')
    expect(await inData('export', original)).toMatchObject({
      status: 0,
      out: 'exported 3 events and 1 file\n',
    })
    const copy = join(root, 'copy')
    expect(await apie('import', original, '--data', copy)).toMatchObject({
      status: 0,
      out: 'events: 3 imported, 0 there before\ncontent: 1 imported, 0 there before\n',
      err: expect.stringContaining(
        'Accounts stay behind: "apie user import FILE" takes over those of a passwd file.\n',
      ),
    })
    expect((await apie('export', '--data', copy)).out).toBe((await inData('export')).out)
    expect((await apie('import', original, '--data', copy)).out).toBe(
      'events: 0 imported, 3 there before\ncontent: 0 imported, 1 there before\n',
    )
    expect((await inData('export', original)).status).toBe(2)
    const file = join(root, 'not-a-folder')
    writeFileSync(file, '')
    expect(await inData('export', join(file, 'below'))).toMatchObject({
      status: 1,
      err: 'apie: The folder to export to cannot be made or written (ENOTDIR) [output-failed]\n',
    })
    expect(await inData('export', join(root, 'not', 'there'))).toMatchObject({
      status: 1,
      err: expect.stringMatching(
        /\(ENOENT\): the folder that it is .* not there \[output-failed]\n$/,
      ),
    })
  })

  test('is no folder to import, nor is one that is not there; nothing is made for them', async () => {
    const target = join(root, 'never-made')
    const file = join(root, 'a-file')
    const empty = join(root, 'an-empty-folder')
    writeFileSync(file, '')
    mkdirSync(empty)
    const data = join(root, 'data')
    for (const [source, message] of [
      [data, `"${data}" is a data folder of apie: use "apie copy --from file:${data} --to URL"`],
      [join(root, 'no'), `There is no folder "${join(root, 'no')}"`],
      [file, `"${file}" is no folder`],
      [empty, `"${empty}" has neither "events/default/index" nor "index"`],
    ] as const) {
      expect(await apie('import', source, '--data', target)).toMatchObject({
        status: 1,
        out: '',
        err: `apie: ${message} [import-refused]\n`,
      })
    }
    expect(readdirSync(root)).not.toContain('never-made')
  })

  test('with a damaged event fails verify, and the finding says where', async () => {
    const damaged = join(root, 'damaged')
    await apie('import', join(root, 'original'), '--data', damaged)
    const segment = join(damaged, 'log', '00000001.log')
    writeFileSync(segment, readFileSync(segment, 'utf8').replace('{"n":2}', '{"n":9}'))
    const { status, out } = await apie('verify', '--json', '--data', damaged)
    expect(status).toBe(1)
    const { clean, log } = JSON.parse(out)
    expect(clean).toBe(false)
    expect(log.findings[0]).toMatchObject({ kind: 'damage' })
    rmSync(join(damaged, 'index'), { recursive: true })
    const told = await apie('verify', '--data', damaged)
    expect(told.out).toContain('There is no index; the damage comes first')
  })
})

test('a scavenge is told of as the last one, and that it frees nothing where it does not', async () => {
  const data = join(root, 'scavenged')
  const settings = readSettings({ environment: { APIE_STORE: `file:${data}` } })
  const store = await openCommandStore(settings, 'create')
  const batch = [1, 2, 3].map((n) => draft(n, { body: jsonBody('0') }))
  await store.log.append(appendTo('gone', batch))
  await store.log.append(appendTo('gone', [draft(4, { type: TOMBSTONE_TYPE })]))
  await store.close()
  const segment = join(data, 'log', '00000001.log')
  const before = statSync(segment).size
  const { status, out } = await apie('scavenge', '--json', '--data', data)
  expect([status, JSON.parse(out)]).toEqual([0, { events: 4, removed: 3, bytesFreed: 0 }])
  expect(statSync(segment).size).toBeGreaterThan(before)
  const again = await openCommandStore(settings, 'existing')
  const told = (await again.records.read('scavenge', 'run'))?.value
  await again.close()
  expect(told).toMatchObject({ state: 'done', startedBy: '', reclaimedBytes: 0 })
  expect((await apie('scavenge', '--data', data)).out).toBe(
    'removed the bodies of 0 of 1 event, 0 bytes freed; 3 events had been scavenged before\n',
  )
})

describe('a data folder whose records are', () => {
  const withAccount = async (name: string): Promise<string> => {
    const data = join(root, name)
    expect(
      (await apie('user', 'add', 'ann', '--role', 'admin', '--generate', '--data', data)).status,
    ).toBe(0)
    return data
  }

  test.each([
    ['records', 'The folder of the records of accounts and consumers is missing'],
    ['records/log', 'The folder of the records of accounts and consumers is missing'],
    ['log', 'The folder of the log is missing'],
  ])('gone (%s) does not pass verify', async (folder, message) => {
    const data = await withAccount(`gone-${folder.replace('/', '-')}`)
    rmSync(join(data, folder), { recursive: true })
    const { status, out } = await apie('verify', '--data', data)
    expect(status).toBe(1)
    expect(out).toContain(`damage at position 0: ${message}`)
  })

  test.each(['records', 'records/log'])('gone (%s) is no new store', async (folder) => {
    const data = await withAccount(`gone-not-new-${folder.replace('/', '-')}`)
    rmSync(join(data, folder), { recursive: true })
    for (const words of [['list'], ['add', 'eve', '--role', 'admin', '--generate']]) {
      const { status, err } = await apie('user', ...words, '--data', data)
      expect([words, status, err]).toEqual([words, 1, expect.stringContaining('[log-damaged]')])
    }
  })

  test('changed are named as what they are', async () => {
    const data = await withAccount('changed-records')
    const segment = join(data, 'records', 'log', '00000001.log')
    writeFileSync(
      segment,
      readFileSync(segment, 'utf8').replace('"role":"admin"', '"role":"admiN"'),
    )
    const { status, err } = await apie('user', 'list', '--data', data)
    expect(status).toBe(1)
    expect(err).toContain(
      'apie: The records of accounts and consumers are damaged: The entry at position 0 is damaged [log-damaged]\n',
    )
    const verified = await apie('verify', '--data', data)
    expect(verified.status).toBe(1)
    expect(verified.out).toMatch(/^records: .*\n {2}damage at position 0: /m)
  })
})

test('a folder that others can read is named, with its owner, its mode and who asks', async () => {
  const open = join(root, 'open')
  mkdirSync(open, { mode: 0o755 })
  const { status, err } = await apie('verify', '--data', open)
  expect(status).toBe(1)
  expect(err).toContain('[data-folder-unsafe]')
  const uid = process.getuid?.()
  expect(err).toMatch(
    new RegExp(
      `data folder: ${open} \\(of user .*\\b${uid}\\b.*, mode 755\\); this runs as user .*\\b${uid}\\b`,
    ),
  )
})

test.each([[['--data', '']], [['--data=']]])(
  '%j is a wrong call, not the default folder',
  async (words) => {
    const { status, err } = await apie('verify', ...words)
    expect({ status, err }).toEqual({
      status: 2,
      err: 'apie: The option for "data" is empty [bad-setting]\n',
    })
  },
)

test('a working folder that is gone is told where a relative path needs it', async () => {
  const gone = join(root, 'gone')
  const script = `mkdir '${gone}' && cd '${gone}' && rmdir '${gone}' && exec '${process.execPath}' '${join(PROJECT, 'src/main.ts')}' verify --data`
  const relative = await run('/bin/sh', ['-c', `${script} rel`])
  expect(relative).toMatchObject({
    status: 2,
    err: 'apie: The working directory is gone: change to another one, or name every path in full [bad-setting]\n',
  })
  expect((await run('/bin/sh', ['-c', `${script} '${join(root, 'data')}'`])).status).toBe(0)
})

test('a wrong call exits with 2 and one sentence', async () => {
  expect(await apie('vresion')).toEqual({
    status: 2,
    out: '',
    err: 'apie: There is no command "vresion", the nearest is "version". See "apie help". [usage]\n',
  })
})

test('a reader that has gone ends the program without a complaint', async () => {
  const child = start(process.execPath, [join(PROJECT, 'src/main.ts'), 'help'])
  child.stdout?.destroy()
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  expect(await once(child, 'close')).toEqual([141, null])
  expect(said).toBe('')
})
