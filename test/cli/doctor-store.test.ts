/** `apie doctor` on stores that can be opened and yet answer nothing or take nothing. */
import { cpSync, existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Check } from '../../src/cli/doctor/check.ts'
import { readSettings } from '../../src/config.ts'
import { createAccountRecords } from '../../src/domain/account-records.ts'
import { isForeignFolder, openCommandStore } from '../../src/wire.ts'
import { runWords } from '../support/command-line.ts'
import { scratchFolders, tree } from '../support/data-folder.ts'
import { appendTo, draft } from '../support/drafts.ts'

const newFolder = scratchFolders()

const settingsOf = (folder: string, variables: Readonly<Record<string, string>> = {}) =>
  readSettings({ environment: { APIE_STORE: `file:${folder}`, ...variables } })

async function doctor(folder: string, variables: Readonly<Record<string, string>> = {}) {
  const settings = settingsOf(folder, variables)
  const { code, out } = await runWords(['doctor', '--json'], {
    settings: () => settings,
    programPath: process.execPath,
    openStore: (mode) => openCommandStore(settings, mode),
    isForeignFolder,
  })
  const { checks } = JSON.parse(out) as { checks: Check[] }
  return { code, about: (name: string) => checks.find((check) => check.name === name) }
}

async function addAccount(folder: string, name: string): Promise<void> {
  const store = await openCommandStore(settingsOf(folder), 'existing')
  await createAccountRecords(store.records).change(name as never, () => ({
    name: name as never,
    role: 'writer',
    password: { kind: 'bcrypt', hash: '' } as never,
    info: '',
    createdAtMs: 0,
  }))
  await store.close()
}

/** With two events and an account. */
async function madeStore(): Promise<string> {
  const folder = newFolder()
  const store = await openCommandStore(settingsOf(folder), 'create')
  await store.log.append(appendTo('s', [draft(1), draft(2)]))
  await store.close()
  await addAccount(folder, 'ann')
  return folder
}

test('a store that is whole is fine, and looking changes nothing in it', async () => {
  const folder = await madeStore()
  const before = tree(folder)
  const { about } = await doctor(folder)
  expect(about('store')?.verdict).toBe('ok')
  expect(about('accounts')).toMatchObject({ verdict: 'ok', message: '1 account can be read' })
  expect(about('appends')?.verdict).toBe('ok')
  expect(about('changes of records')?.verdict).toBe('ok')
  expect(about('setup token')).toBeUndefined()
  expect(tree(folder)).toEqual(before)
})

test('an empty store is fine, and has no account', async () => {
  const folder = newFolder()
  await (await openCommandStore(settingsOf(folder), 'create')).close()
  const { about } = await doctor(folder)
  expect(about('accounts')).toMatchObject({ verdict: 'ok', message: '0 accounts can be read' })
})

const noAccounts = {
  name: 'accounts',
  verdict: 'problem',
  message: expect.stringContaining('[log-damaged]'),
  fix: expect.stringMatching(/apie verify.*apie reindex.*backup/),
}

test.each([
  ['cut', (path: string) => truncateSync(path, 100)],
  ['not what it was', (path: string) => writeFileSync(path, Buffer.alloc(5000, 'x'))],
])('records whose log is %s are a problem', async (_what, damage) => {
  const folder = await madeStore()
  damage(join(folder, 'records', 'log', '00000001.log'))
  const { code, about } = await doctor(folder)
  expect(code).toBe(1)
  expect(about('store')?.verdict).toBe('ok')
  expect(about('accounts')).toMatchObject(noAccounts)
})

test('records whose log is of an older backup than their index are a problem', async () => {
  const folder = await madeStore()
  const log = join(folder, 'records', 'log')
  const backup = join(newFolder(), 'log')
  cpSync(log, backup, { recursive: true })
  await addAccount(folder, 'bob')
  rmSync(log, { recursive: true })
  cpSync(backup, log, { recursive: true })
  const { code, about } = await doctor(folder)
  expect(code).toBe(1)
  expect(about('accounts')).toMatchObject(noAccounts)
})

test('an index in which no stream is found is a problem', async () => {
  const folder = await madeStore()
  const [index = ''] = readdirSync(join(folder, 'index'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  truncateSync(join(folder, 'index', index, 'sequences'), 0)
  const { code, about } = await doctor(folder)
  expect(code).toBe(1)
  expect(about('store')).toMatchObject({
    verdict: 'problem',
    message: expect.stringContaining('[index-damaged]'),
    fix: 'Run "apie reindex", then "apie verify".',
  })
  expect(about('accounts')?.verdict).toBe('ok')
})

test.each([
  ['appends', 'log'],
  ['changes of records', 'records/log'],
])('a mark that refuses all %s is a problem, and stays', async (name, place) => {
  const folder = await madeStore()
  const mark = join(folder, place, 'suspect')
  writeFileSync(mark, '', { mode: 0o600 })
  const { code, about } = await doctor(folder)
  expect(code).toBe(1)
  expect(about(name)).toMatchObject({
    verdict: 'problem',
    message: expect.stringContaining('[storage-unavailable]'),
    fix: expect.stringContaining('"apie verify"'),
  })
  expect(existsSync(mark)).toBe(true)
})

test.each(['an empty', 'no'])(
  'in %s store a setup token that is too short is a problem',
  async (which) => {
    const folder = newFolder()
    if (which === 'an empty') await (await openCommandStore(settingsOf(folder), 'create')).close()
    const token = join(folder, 'setup-token')
    writeFileSync(token, 'x\n', { mode: 0o600 })
    expect((await doctor(folder)).about('setup token')).toMatchObject({
      verdict: 'problem',
      message: expect.stringContaining('has 1 character; at least 20'),
      fix: expect.stringContaining(`rm ${token}`),
    })
    const chosen = { APIE_SETUP_TOKEN: 'x'.repeat(20) }
    expect((await doctor(folder, chosen)).about('setup token')).toBeUndefined()
    writeFileSync(token, 'x'.repeat(20))
    expect((await doctor(folder)).about('setup token')?.verdict).toBe('ok')
  },
)

test('with an account nobody needs the setup token', async () => {
  const folder = await madeStore()
  writeFileSync(join(folder, 'setup-token'), 'x', { mode: 0o600 })
  expect((await doctor(folder)).about('setup token')).toBeUndefined()
})
