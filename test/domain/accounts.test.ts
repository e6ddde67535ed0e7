import { describe, expect, it } from 'vitest'
import type { RecordEngine } from '../../src/domain/ports.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { handClock } from '../support/store.ts'
import { BCRYPT_HASH, chosen, codeOf, testAccounts } from '../support/test-accounts.ts'

const ADDRESS = '192.0.2.1'
const memoryRecords = () => createMemoryStore({ clock: handClock() }).records

/** Records that fail at the n-th change with `code`, as a process that is killed there leaves them. */
function failingRecords(records: RecordEngine, failAt: number): RecordEngine {
  let changes = 0
  const count = () => {
    if (++changes >= failAt) throw new Error('killed here')
  }
  return {
    ...records,
    read: (...call) => records.read(...call),
    list: (...call) => records.list(...call),
    close: () => records.close(),
    write: async (...call) => {
      count()
      return records.write(...call)
    },
    remove: async (...call) => {
      count()
      return records.remove(...call)
    },
  }
}

describe('accounts', () => {
  it('are listed by name with what is known about them', async () => {
    const { accounts } = testAccounts()
    await accounts.add({ name: 'b', role: 'admin', password: chosen('pw'), info: 'the boss' })
    await accounts.add({ name: 'c', role: 'reader', password: { kind: 'generate' } })
    await accounts.add({ name: 'a', role: 'writer', password: chosen('pw') })
    const createdAtMs = 1_577_836_800_000
    expect(await accounts.list()).toMatchObject([
      { name: 'a', role: 'writer', info: '', password: { kind: 'scrypt' }, createdAtMs },
      { name: 'b', role: 'admin', info: 'the boss', password: { kind: 'scrypt' }, createdAtMs },
      { name: 'c', role: 'reader', info: '', password: { kind: 'generated' }, createdAtMs },
    ])
  })

  it('never hold a password that could be read', async () => {
    const { accounts } = testAccounts()
    await accounts.add({ name: 'a', role: 'writer', password: chosen('my secret') })
    const generated = await accounts.add({
      name: 'b',
      role: 'writer',
      password: { kind: 'generate' },
    })
    const text = JSON.stringify(await accounts.list())
    expect(text).not.toContain('my secret')
    expect(generated).toMatch(/^[A-Za-z0-9]{24}$/)
    expect(text).not.toContain(generated)
  })

  it.each(['reader', 'admin'] as const)('exist once by name, also a %s', async (role) => {
    const { accounts } = testAccounts()
    await accounts.add({ name: 'J\u00fcrgen', role, password: chosen('first') })
    for (const again of ['reader', 'admin'] as const) {
      const adding = accounts.add({ name: 'Ju\u0308rgen', role: again, password: chosen('x') })
      expect(await codeOf(adding)).toBe('account-exists')
    }
    expect(await accounts.list()).toHaveLength(1)
  })

  it('that are not there are neither changed nor removed', async () => {
    const { accounts } = testAccounts()
    const codes = await Promise.all([
      codeOf(accounts.changePassword('x', chosen('pw'))),
      codeOf(accounts.changeRole('x', 'admin')),
      codeOf(accounts.update('x', { info: 'i' })),
      codeOf(accounts.remove('x')),
    ])
    expect(codes).toEqual(Array(4).fill('account-not-found'))
    expect(await accounts.hasAny()).toBe(false)
  })

  it('are found in either Unicode form, and not by what cannot be a name', async () => {
    const { accounts } = testAccounts()
    await accounts.add({ name: 'J\u00fcrgen', role: 'reader', password: chosen('pw') })
    expect(await accounts.find('Ju\u0308rgen')).toMatchObject({ name: 'J\u00fcrgen' })
    for (const name of ['', 'j\u00fcrgen', 'a:b', '\u0000', 'x'.repeat(5000)]) {
      expect(await accounts.find(name)).toBeUndefined()
    }
  })

  it('change their info and password without touching the rest', async () => {
    const { accounts, signIn } = testAccounts()
    await accounts.add({ name: 'a', role: 'writer', password: chosen('old'), info: 'old' })
    await accounts.update('a', { info: 'new' })
    await accounts.update('a', {})
    expect(await signIn('a', 'old', ADDRESS)).toEqual({
      name: 'a',
      role: 'writer',
      isGuessable: true,
    })
    await accounts.update('a', { password: 'new' })
    expect(await codeOf(signIn('a', 'old', ADDRESS))).toBe('credentials-wrong')
    expect(await signIn('a', 'new', ADDRESS)).toEqual({
      name: 'a',
      role: 'writer',
      isGuessable: true,
    })
    expect(await accounts.find('a')).toMatchObject({ info: 'new', role: 'writer' })
  })

  it('refuse info and passwords that cannot be taken, and stay as they were', async () => {
    const { accounts, signIn } = testAccounts()
    await accounts.add({ name: 'a', role: 'writer', password: chosen('pw'), info: 'i' })
    expect(await codeOf(accounts.update('a', { info: 'x:y\nz', password: 'n' }))).toBe('bad-field')
    expect(await codeOf(accounts.update('a', { password: '' }))).toBe('bad-field')
    expect(await signIn('a', 'pw', ADDRESS)).toBeDefined()
  })

  it('are changed by several at once without losing a change', async () => {
    const { accounts, records } = testAccounts()
    const others = Array.from({ length: 6 }, () => testAccounts({ records }).accounts)
    const names = others.map((_, n) => `admin ${n}`)
    await Promise.all(
      others.map((service, n) =>
        service.add({ name: `admin ${n}`, role: 'admin', password: chosen('pw') }),
      ),
    )
    expect((await accounts.list()).map(({ name }) => name)).toEqual(names)
  })
})

describe('roles of accounts', () => {
  it('go up and down and keep the password', async () => {
    const { accounts, signIn } = testAccounts()
    await accounts.add({ name: 'boss', role: 'admin', password: chosen('pw') })
    await accounts.add({ name: 'a', role: 'reader', password: chosen('a') })
    for (const role of ['writer', 'admin', 'admin', 'reader', 'admin', 'writer'] as const) {
      await accounts.changeRole('a', role)
      expect(await signIn('a', 'a', ADDRESS)).toEqual({ name: 'a', role, isGuessable: true })
      expect(await accounts.list()).toHaveLength(2)
    }
  })

  it('the last admin is neither removed nor demoted', async () => {
    const { accounts } = testAccounts()
    await accounts.add({ name: 'a', role: 'admin', password: chosen('pw') })
    await accounts.add({ name: 'b', role: 'writer', password: chosen('pw') })
    expect(await codeOf(accounts.remove('a'))).toBe('last-admin')
    expect(await codeOf(accounts.changeRole('a', 'writer'))).toBe('last-admin')
    expect(await accounts.find('a')).toMatchObject({ role: 'admin' })
    await accounts.changeRole('b', 'admin')
    await accounts.remove('a')
    expect(await accounts.list()).toMatchObject([{ name: 'b', role: 'admin' }])
  })

  it('two admins who remove each other at once leave one', async () => {
    const { accounts, records } = testAccounts()
    for (const name of ['a', 'b']) {
      await accounts.add({ name, role: 'admin', password: chosen('pw') })
    }
    const codes = await Promise.all([
      codeOf(testAccounts({ records }).accounts.remove('a')),
      codeOf(testAccounts({ records }).accounts.changeRole('b', 'reader')),
    ])
    expect(codes.sort()).toEqual(['last-admin', undefined])
    expect((await accounts.list()).filter(({ role }) => role === 'admin')).toHaveLength(1)
  })

  it.each(['reader', 'admin', 'remove'] as const)(
    'a process killed during a change to %s leaves the old or the new account',
    async (to) => {
      for (let failAt = 1; ; failAt++) {
        const records = memoryRecords()
        const { accounts, signIn } = testAccounts({ records })
        await accounts.add({ name: 'boss', role: 'admin', password: chosen('pw') })
        const from = to === 'admin' ? 'writer' : 'admin'
        await accounts.add({ name: 'a', role: from, password: chosen('a') })
        const failing = testAccounts({ records: failingRecords(records, failAt) }).accounts
        const change = (service: typeof accounts) =>
          to === 'remove' ? service.remove('a') : service.changeRole('a', to)
        const failure = await codeOf(change(failing))
        const role = await signIn('a', 'a', ADDRESS).then(
          (signed) => signed.role,
          () => 'remove',
        )
        expect([from, to]).toContain(role)
        if (failure === undefined) {
          expect(role).toBe(to)
          expect(failAt).toBe(to === 'remove' ? 2 : 3)
          return
        }
        if (role !== to) await change(accounts)
        const found = await accounts.find('a')
        expect(found?.role ?? 'remove').toBe(to)
      }
    },
  )
})

describe('groups of accounts', () => {
  it('are the role admin where they name $admins, and are told to whoever signs in', async () => {
    const { accounts, signIn } = testAccounts()
    await accounts.add({ name: 'boss', role: 'admin', password: chosen('pw') })
    await accounts.add({ name: 'a', role: 'reader', password: chosen('a') })
    const steps = [
      { groups: ['$ops'], signed: { role: 'reader', groups: ['$ops'] } },
      { groups: ['x', '$admins', 'x'], signed: { role: 'admin', groups: ['x'] } },
      { groups: ['$admins'], signed: { role: 'admin' } },
      { groups: [], signed: { role: 'writer' } },
    ]
    for (const { groups, signed } of steps) {
      await accounts.describe('a', { fullName: 'Anna', groups })
      expect(await signIn('a', 'a', ADDRESS)).toEqual({ name: 'a', isGuessable: true, ...signed })
    }
    expect(await accounts.find('a')).toMatchObject({ fullName: 'Anna', groups: [] })
  })

  it('leave the last admin one', async () => {
    const { accounts } = testAccounts()
    await accounts.add({ name: 'boss', role: 'admin', password: chosen('pw') })
    const demoting = accounts.describe('boss', { fullName: '', groups: ['$ops'] })
    expect(await codeOf(demoting)).toBe('last-admin')
    expect(await accounts.find('boss')).toMatchObject({ role: 'admin' })
  })

  it.each([[['']], [['a\nb']], [['x'.repeat(129)]], [Array(101).fill('x')]])(
    'refuse %j, and stay as they were',
    async (groups) => {
      const { accounts } = testAccounts()
      await accounts.add({ name: 'a', role: 'writer', groups: ['g'], password: chosen('a') })
      const changing = accounts.describe('a', { fullName: 'n', groups })
      expect(await codeOf(changing)).toBe('bad-field')
      expect(await accounts.find('a')).toMatchObject({ groups: ['g'] })
      expect(await accounts.find('a')).not.toHaveProperty('fullName')
    },
  )
})

describe('disabled accounts', () => {
  it('cannot sign in until they are enabled again', async () => {
    const { accounts, signIn } = testAccounts()
    const secret = await accounts.add({ name: 'a', role: 'writer', password: { kind: 'generate' } })
    await accounts.changeDisabled('a', true)
    expect(await codeOf(signIn('a', secret ?? '', ADDRESS))).toBe('credentials-wrong')
    await accounts.changeDisabled('a', false)
    expect(await signIn('a', secret ?? '', ADDRESS)).toEqual({
      name: 'a',
      role: 'writer',
      isGuessable: false,
    })
  })

  it('are never all admins there are', async () => {
    const { accounts } = testAccounts()
    for (const name of ['a', 'b']) {
      await accounts.add({ name, role: 'admin', password: chosen('pw') })
    }
    await accounts.changeDisabled('a', true)
    expect(await codeOf(accounts.changeDisabled('b', true))).toBe('last-admin')
    expect(await codeOf(accounts.remove('b'))).toBe('last-admin')
    expect(await codeOf(accounts.changeRole('b', 'reader'))).toBe('last-admin')
    await accounts.remove('a')
    expect(await accounts.list()).toMatchObject([{ name: 'b', role: 'admin' }])
  })
})

it('tells when an account was changed, except for a hash that became stronger', async () => {
  const { accounts, clock, signIn } = testAccounts()
  await accounts.import(`a:${BCRYPT_HASH}`, 'writer')
  clock.nowMs += 1000
  await signIn('a', 'password', ADDRESS)
  expect(await accounts.find('a')).toMatchObject({ password: { kind: 'scrypt' } })
  expect(await accounts.find('a')).not.toHaveProperty('updatedAtMs')
  await accounts.update('a', { info: 'new' })
  expect(await accounts.find('a')).toMatchObject({ updatedAtMs: clock.nowMs })
})

it('tells whether a password is the one of an account', async () => {
  const { accounts } = testAccounts()
  const secret = await accounts.add({ name: 'a', role: 'writer', password: { kind: 'generate' } })
  await accounts.add({ name: 'b', role: 'writer', password: chosen('pw') })
  const [a, b] = await accounts.list()
  if (!a || !b) throw new Error('an account is missing')
  const answers = await Promise.all([
    accounts.isPassword(a, secret ?? ''),
    accounts.isPassword(a, 'pw'),
    accounts.isPassword(b, 'pw'),
    accounts.isPassword(b, 'x'),
  ])
  expect(answers).toEqual([true, false, true, false])
})

describe('the first admin', () => {
  it('is made once, also by two at once with one name', async () => {
    const { records, accounts } = testAccounts()
    const make = (name: string, password: string) =>
      testAccounts({ records }).accounts.addFirstAdmin({ name, password: chosen(password) })
    const made = await Promise.all([make('a', '1'), make('a', '2'), make('b', '3')])
    expect(made.filter((outcome) => outcome !== undefined)).toHaveLength(1)
    expect(await accounts.list()).toHaveLength(1)
    const [winner] = await accounts.list()
    const password = String(made.findIndex((outcome) => outcome !== undefined) + 1)
    const { signIn } = testAccounts({ records })
    expect(await signIn(winner?.name ?? '', password, ADDRESS)).toMatchObject({ role: 'admin' })
  })

  it('is not made where there is any account', async () => {
    const { accounts } = testAccounts()
    await accounts.add({ name: 'r', role: 'reader', password: chosen('pw') })
    const admin = { name: 'a', password: { kind: 'generate' } } as const
    expect(await accounts.addFirstAdmin(admin)).toBeUndefined()
    expect(await accounts.list()).toHaveLength(1)
  })
})

describe('import', () => {
  const lines = (...all: string[]) => all.join('\n')

  it('takes htpasswd and passwd lines, and keeps accounts that are there', async () => {
    const { accounts } = testAccounts()
    await accounts.add({ name: 'old', role: 'admin', password: chosen('pw') })
    const text = lines(
      '# made by htpasswd -B',
      `a@b.c:${BCRYPT_HASH}:likes: tea`,
      '',
      ` new:${BCRYPT_HASH}\r`,
      `old:${BCRYPT_HASH}`,
    )
    expect(await accounts.import(text, 'writer')).toEqual({
      added: ['a@b.c', 'new'],
      kept: ['old'],
    })
    expect(await accounts.list()).toMatchObject([
      { name: 'a@b.c', role: 'writer', info: 'likes: tea', password: { hash: BCRYPT_HASH } },
      { name: 'new', role: 'writer', info: '' },
      { name: 'old', role: 'admin', password: { kind: 'scrypt' } },
    ])
  })

  it.each([
    ['MD5', 'b:$apr1$8yAyQ5Tc$abc'],
    ['SHA-1', 'b:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g='],
    ['crypt', 'b:rqXexS6ZhobKA'],
    ['plain text', 'b:password'],
    ['no password', 'b'],
    ['a cost that takes minutes', `b:${BCRYPT_HASH.replace('$04$', '$20$')}`],
    ['a bad name', `b\u0007:${BCRYPT_HASH}`],
    ['bad info', `b:${BCRYPT_HASH}:\u0007`],
  ])('refuses %s, names the line, and takes nothing', async (_kind, line) => {
    const { accounts } = testAccounts()
    const importing = accounts.import(lines(`a:${BCRYPT_HASH}`, '', line), 'writer')
    await expect(importing).rejects.toMatchObject({ code: 'import-refused', facts: { line: 3 } })
    expect(await accounts.list()).toEqual([])
  })
})
