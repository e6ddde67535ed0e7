import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createAccounts } from '../../src/domain/accounts.ts'
import type { Store } from '../../src/domain/ports.ts'
import { createPasswordHasher } from '../../src/kit/password-hasher.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { runWords } from '../support/command-line.ts'
import { scratchFolders } from '../support/data-folder.ts'
import { handClock } from '../support/store.ts'
import { BCRYPT_HASH } from '../support/test-accounts.ts'

const newFolder = scratchFolders()

function open() {
  const clock = handClock()
  const store: Store = createMemoryStore({ clock })
  const opened: string[] = []
  const hasher = createPasswordHasher('blocking')
  const accounts = createAccounts({ records: store.records, clock, hasher })
  const openStore = async (mode: string) => {
    opened.push(mode)
    return store
  }
  const user = (words: string, input = '') =>
    runWords(['user', ...words.split(' ')], { openStore }, input)
  return { user, accounts, opened }
}

describe('apie user', () => {
  it('adds an account with a generated password, which is all that standard output gets', async () => {
    const { user, accounts, opened } = open()
    const { code, out, err } = await user('add a@b.c --role admin --generate')
    expect(code).toBe(0)
    expect(out).toMatch(/^[A-Za-z0-9]{24}\n$/)
    expect(err).toContain('made the account a@b.c with the role admin')
    expect(err).not.toContain(out.trim())
    expect(opened).toEqual(['create'])
    expect(await accounts.list()).toMatchObject([{ name: 'a@b.c', role: 'admin' }])
  })

  it('takes a password from the first line of standard input and repeats it nowhere', async () => {
    const { user, accounts } = open()
    const { code, out, err } = await user('add a --role writer --password-stdin', 'my pw\r\nrest\n')
    expect([code, out]).toEqual([0, ''])
    expect(err).not.toContain('my pw')
    const password = (await accounts.find('a'))?.password
    if (password?.kind !== 'scrypt') throw new Error('not a chosen password')
    expect(await createPasswordHasher('blocking').isScrypt('my pw', password)).toBe(true)
  })

  it('lists accounts for people and as JSON', async () => {
    const { user } = open()
    await user('add boss --role admin --generate')
    await user('add a --role reader --generate')
    expect((await user('list')).out).toBe('reader  a\nadmin   boss\n')
    const { out } = await user('list --json')
    expect(JSON.parse(out)[0]).toEqual({
      name: 'a',
      role: 'reader',
      groups: [],
      isDisabled: false,
      info: '',
      password: 'generated',
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    })
  })

  it('changes password and role, and removes', async () => {
    const { user, accounts, opened } = open()
    await user('add boss --role admin --generate')
    await user('add a --role reader --generate')
    const before = (await accounts.find('a'))?.password
    expect((await user('passwd a --generate')).out).toMatch(/^[A-Za-z0-9]{24}\n$/)
    expect((await accounts.find('a'))?.password).not.toEqual(before)
    expect((await user('role a --role writer')).code).toBe(0)
    expect(await accounts.find('a')).toMatchObject({ role: 'writer' })
    expect((await user('remove a')).code).toBe(0)
    expect(await accounts.find('a')).toBeUndefined()
    expect(opened.slice(2)).toEqual(['existing', 'existing', 'existing'])
  })

  it('takes over an htpasswd file, as writers unless told otherwise', async () => {
    const { user, accounts } = open()
    const file = join(newFolder(), 'htpasswd')
    fs.writeFileSync(file, `a:${BCRYPT_HASH}\nb:${BCRYPT_HASH}\n`)
    expect((await user(`import ${file}`)).err).toBe('took over 2 accounts with the role writer\n')
    const again = await user('import - --role reader', `b:${BCRYPT_HASH}\nc:${BCRYPT_HASH}\n`)
    expect(again.err).toBe(
      'left b as it is: it was there already\ntook over 1 account with the role reader\n',
    )
    expect((await accounts.list()).map(({ name, role }) => `${name} ${role}`)).toEqual([
      'a writer',
      'b writer',
      'c reader',
    ])
    expect(await user('import /no/such/file')).toMatchObject({
      code: 1,
      err: 'apie: The file cannot be read (ENOENT) [import-refused]\n',
    })
  })

  it.each([
    ['add a --role admin --generate', 'account-exists'],
    ['passwd x --generate', 'account-not-found'],
    ['role a --role reader', 'last-admin'],
    ['remove a', 'last-admin'],
    ['add a:b --role reader --generate', 'bad-name'],
    ['passwd a --password-stdin', 'bad-field'],
  ])('fails at "%s" with %s and exit code 1', async (words, code) => {
    const { user } = open()
    await user('add a --role admin --generate')
    const ran = await user(words)
    expect([ran.code, ran.out, ran.err]).toEqual([1, '', expect.stringContaining(`[${code}]`)])
  })

  it.each([
    ['dance', 'does add, list, passwd, role, remove, import, not "dance"'],
    ['toString', 'not "toString"'],
    [
      'add',
      '"apie user add" needs a NAME, --role ROLE (reader, writer or admin) and one of --password-stdin and --generate. See',
    ],
    [
      'add x',
      'needs --role ROLE (reader, writer or admin) and one of --password-stdin and --generate.',
    ],
    ['list a', 'does not take "a"'],
    ['add a --generate', '"apie user add" needs --role ROLE (reader, writer or admin). See'],
    ['add --role admin --generate', '"apie user add" needs a NAME. See'],
    ['add a --role root --generate', 'role must be one of'],
    ['import x --role root', 'role must be one of'],
    ['add a --role admin', 'needs one of --password-stdin and --generate.'],
    [
      'add a --role admin --generate --password-stdin',
      '"apie user add" takes --password-stdin or --generate, not both.',
    ],
    ['passwd a --generate --password-stdin', 'takes --password-stdin or --generate, not both.'],
    ['remove a --generate', 'does not take --generate'],
    ['role', '"apie user role" needs a NAME and --role ROLE (reader, writer or admin).'],
    ['passwd a --json --generate', 'does not take --json'],
  ])('is called wrongly as "%s": exit code 2, nothing opened', async (words, message) => {
    const { user, opened } = open()
    const ran = await user(words)
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining(message)])
    expect(opened).toEqual([])
  })
})
