/** Root at work on somebody else's data folder: what it makes there belongs to that somebody. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readSettings } from '../../src/config.ts'
import { isRoot } from '../support/apache-variants.ts'
import { runWords } from '../support/command-line.ts'
import { PROJECT, run } from '../support/executable.ts'

/** A user that the machine has no name for. */
const STRANGER = 54_321

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'apie-root-'))
  if (isRoot) chownSync(home, STRANGER, STRANGER)
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const apie = (...words: string[]) =>
  run(process.execPath, [join(PROJECT, 'src/main.ts'), ...words, '--data', join(home, 'data')])
const add = (name: string) => apie('user', 'add', name, '--role', 'admin', '--generate')

const ownersBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => {
    const { uid, gid } = lstatSync(join(folder, name))
    return `${uid}:${gid}`
  })

describe.runIf(isRoot)('root', () => {
  test('makes the data folder in a home for the owner of that home', async () => {
    expect((await add('ann')).status).toBe(0)
    expect(new Set(ownersBelow(home))).toEqual(new Set([`${STRANGER}:${STRANGER}`]))
  })

  test('leaves no file of its own in a data folder, whatever command it runs', async () => {
    await add('ann')
    await add('bob')
    for (const command of ['verify', 'reindex', 'export'])
      expect((await apie(command)).status).toBe(0)
    expect(new Set(ownersBelow(home))).toEqual(new Set([`${STRANGER}:${STRANGER}`]))
  })

  test('is told when the new data folder is its own', async () => {
    chownSync(home, 0, 0)
    const { status, err } = await add('ann')
    expect(status).toBe(0)
    expect(err).toContain(`the new data folder ${join(home, 'data')} belongs to root`)
    expect((await add('bob')).err).not.toContain('belongs to root')
  })

  test('is told by the doctor what is right for the owner of the data, as whom root works', async () => {
    await add('ann')
    const owner = async (program: number) => {
      const file = join(home, 'cgi-bin', 'apie')
      mkdirSync(join(home, 'cgi-bin'), { recursive: true })
      writeFileSync(file, '')
      chownSync(file, program, program)
      const settings = readSettings({ environment: { APIE_STORE: `file:${join(home, 'data')}` } })
      const { out } = await runWords(['doctor', '--json'], {
        settings: () => settings,
        programPath: file,
        openStore: async () => Promise.reject(new Error('not looked at')),
      })
      const { checks } = JSON.parse(out) as { checks: { name: string }[] }
      return checks.find(({ name }) => name === 'executable owner')
    }
    expect(await owner(STRANGER)).toMatchObject({
      verdict: 'ok',
      message: `user ${STRANGER}, who also runs this`,
    })
    expect(await owner(0)).toMatchObject({
      verdict: 'warning',
      message: `user root (0) owns it, user ${STRANGER} runs this`,
    })
  })

  test("is told by the doctor of every file that is not the owner's or is open to others", async () => {
    await add('ann')
    const checks = async (): Promise<{ name: string; verdict: string; message: string }[]> =>
      JSON.parse((await apie('doctor', '--json')).out).checks
    const clean = await checks()
    expect(clean.find(({ name }) => name === 'owner of data files')?.verdict).toBe('ok')
    expect(clean.find(({ name }) => name === 'mode of data files')?.verdict).toBe('ok')
    const lost = join(home, 'data', 'records', 'lost')
    mkdirSync(lost, { mode: 0o700 })
    writeFileSync(join(lost, 'file'), '')
    chmodSync(join(lost, 'file'), 0o644)
    const found = await checks()
    expect(found.find(({ name }) => name === 'owner of data files')).toMatchObject({
      verdict: 'problem',
      message:
        expect.stringContaining(`2 of `) &&
        expect.stringContaining(`${lost} belongs to user root (0)`),
    })
    expect(found.find(({ name }) => name === 'mode of data files')).toMatchObject({
      verdict: 'problem',
      message: expect.stringContaining(`${join(lost, 'file')} has mode 644`),
    })
  })
})
