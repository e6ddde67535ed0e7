/** Standard output that takes nothing, or not all: each command says so, and what has to be done about it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import { runWords } from '../support/command-line.ts'
import { PROJECT, type Run, run } from '../support/executable.ts'

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'apie-output-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const SCRIPT = `'${process.execPath}' '${join(PROJECT, 'src/main.ts')}'`

/** @param rest words of the command, and where its output goes, as a shell reads them */
const shell = (rest: string, before = ''): Promise<Run> =>
  run('/bin/sh', ['-c', `${before} exec ${SCRIPT} ${rest}`], {
    environment: { PATH: '/usr/bin:/bin', APIE_DATA: join(root, 'data') },
    limitMs: 30_000,
  })

const FULL = 'Standard output cannot be written (ENOSPC)'

test.each(['version', 'help', '--help', 'broker insert simple x', 'broker list', 'export'])(
  'a full disk behind it fails "%s", in one sentence',
  async (words) => {
    const { status, err } = await shell(`${words} > /dev/full`)
    const own = err.split('\n').filter((line) => !line.includes('belongs to root'))
    expect([status, own]).toEqual([1, [`apie: ${FULL} [output-failed]`, '']])
  },
)

test('a password that is lost that way is told as such, and another one can be made', async () => {
  const lost = `apie: ${FULL}; the password of ann is lost: "apie user passwd ann --generate" makes another one [output-failed]\n`
  for (const words of ['add ann --role admin', 'passwd ann']) {
    const { status, err } = await shell(`user ${words} --generate > /dev/full`)
    expect([status, err.slice(-lost.length)]).toEqual([1, lost])
  }
  const again = await shell('user passwd ann --generate')
  expect(again).toMatchObject({ status: 0, out: expect.stringMatching(/^\S{20,}\n$/) })
})

test('so is that of the first admin', async () => {
  const openApp = async () => ({
    app: () => Promise.reject(new Error('nobody asks')),
    accounts: { addFirstAdmin: async () => ({ generated: 'secret' }) },
    setup: { isOpen: async () => false, tokenPlace: '' },
    endWaits: () => undefined,
    close: async () => undefined,
  })
  const tell = (stream: string) => {
    if (stream === 'out') throw new AppError('output-failed', FULL)
  }
  const environment = { APIE_STORE: 'postgresql://127.0.0.1/events' }
  const words = ['serve', '--port', '0', '--first-admin', 'ann']
  expect(await runWords(words, { openApp }, '', { environment, tell })).toMatchObject({
    code: 1,
    err: `apie: ${FULL}; the password of ann is lost: "apie user passwd ann --generate" makes another one [output-failed]\n`,
  })
})

test('where neither can be written the exit code tells', async () => {
  expect(await shell('version > /dev/full 2>&1')).toEqual({ status: 1, out: '', err: '' })
})

test('a file that has room for the beginning alone is told, too', async () => {
  const file = join(root, 'help')
  const { status, err } = await shell(`help --markdown > '${file}'`, 'ulimit -f 8;')
  expect([status, err]).toEqual([
    1,
    'apie: Standard output cannot be written (EFBIG) [output-failed]\n',
  ])
  expect(readFileSync(file).length).toBeGreaterThan(0)
  expect((await shell(`help --markdown > '${file}'`)).status).toBe(0)
  expect(readFileSync(file, 'utf8')).toBe(
    readFileSync(join(PROJECT, 'docs/command-line.md'), 'utf8'),
  )
})
