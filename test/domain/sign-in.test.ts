import { describe, expect, it } from 'vitest'
import { BCRYPT_HASH, chosen, codeOf, testAccounts } from '../support/test-accounts.ts'

const ADDRESS = '192.0.2.1'
const DUMMY = 'isScrypt cost 32768'

async function withAccounts() {
  const test = testAccounts({ htpasswd: `web:${BCRYPT_HASH}\nboth:${BCRYPT_HASH}\nold:{SHA}x` })
  const { accounts } = test
  await accounts.add({ name: 'human', role: 'admin', password: chosen('pw') })
  const secret = await accounts.add({
    name: 'robot',
    role: 'writer',
    password: { kind: 'generate' },
  })
  await accounts.add({ name: 'both', role: 'reader', password: chosen('own') })
  await accounts.import(`imported:${BCRYPT_HASH}`, 'reader')
  test.hasher.calls.length = 0
  return { ...test, secret: secret ?? '' }
}

describe('signing in', () => {
  it('with a generated password takes no slow hash', async () => {
    const { signIn, hasher, secret } = await withAccounts()
    expect(await signIn('robot', secret, ADDRESS)).toEqual({
      name: 'robot',
      role: 'writer',
      isGuessable: false,
    })
    expect(hasher.calls).toEqual([])
  })

  it('with a chosen password takes one', async () => {
    const { signIn, hasher } = await withAccounts()
    expect(await signIn('human', 'pw', ADDRESS)).toEqual({
      name: 'human',
      role: 'admin',
      isGuessable: true,
    })
    expect(hasher.calls).toEqual([DUMMY])
  })

  it('is refused alike, in words and in work, whatever is wrong', async () => {
    const { signIn, hasher } = await withAccounts()
    const refusals = []
    for (const [name, password] of [
      ['human', 'wrong'],
      ['robot', 'wrong'],
      ['nobody', 'wrong'],
      ['no\nname', 'wrong'],
      ['', ''],
      ['old', 'x'],
    ] as const) {
      hasher.calls.length = 0
      const error = await signIn(name, password, '').catch((reason: unknown) => reason)
      const { code, message, facts } = error as { code: string; message: string; facts: object }
      refusals.push({ code, message, facts, work: [...hasher.calls] })
    }
    expect(refusals).toEqual(
      Array(6).fill({
        code: 'credentials-wrong',
        message: 'There is no such account, or the password is wrong',
        facts: {},
        work: [DUMMY],
      }),
    )
  })

  it('hashes a chosen password once for equal tries, until the stored one changes', async () => {
    const { signIn, hasher, accounts } = await withAccounts()
    await Promise.all(Array.from({ length: 50 }, () => signIn('human', 'pw', ADDRESS)))
    await signIn('human', 'pw', '192.0.2.77')
    expect(hasher.calls).toEqual([DUMMY])
    await accounts.changePassword('human', chosen('new'))
    expect(await codeOf(signIn('human', 'pw', ADDRESS))).toBe('credentials-wrong')
    await accounts.changePassword('human', chosen('pw'))
    await signIn('human', 'pw', ADDRESS)
    expect(hasher.calls).toEqual([DUMMY, 'scrypt', DUMMY, 'scrypt', DUMMY])
  })

  it('hashes it again in another network, and behind another try for the account', async () => {
    const { signIn, hasher } = await withAccounts()
    await signIn('human', 'pw', ADDRESS)
    await signIn('human', 'pw', '198.51.100.1')
    expect(hasher.calls).toEqual([DUMMY, DUMMY])
    expect(await codeOf(signIn('human', 'wrong', '198.51.100.1'))).toBe('credentials-wrong')
    await signIn('human', 'pw', ADDRESS)
    expect(hasher.calls).toEqual([DUMMY, DUMMY, DUMMY])
    await signIn('human', 'pw', '198.51.100.1')
    expect(hasher.calls).toEqual([DUMMY, DUMMY, DUMMY, DUMMY])
  })

  it.each([
    ['another network', '198.51.100.1'],
    ['the same network', ADDRESS],
  ])('tells somebody who guesses from %s nothing, once he has to wait', async (_, address) => {
    const { signIn } = await withAccounts()
    await signIn('human', 'pw', ADDRESS)
    for (let n = 0; n < 10; n++) await codeOf(signIn('human', `wrong ${n}`, address))
    const guesses = ['wrong', 'pw', 'wrong', 'pw'].map((guess) => signIn('human', guess, address))
    for (const guess of guesses) expect(await codeOf(guess)).toBe('too-many-attempts')
    expect(await codeOf(signIn('human', 'pw', address))).toBe('too-many-attempts')
  })

  it('lets the owner in where somebody guesses from elsewhere', async () => {
    const { signIn, hasher } = await withAccounts()
    await signIn('human', 'pw', ADDRESS)
    for (let n = 0; n < 20; n++) await codeOf(signIn('human', `wrong ${n}`, '198.51.100.1'))
    hasher.calls.length = 0
    expect(await signIn('human', 'pw', ADDRESS)).toMatchObject({ name: 'human' })
    expect(hasher.calls).toEqual([])
  })

  it('ends at once for an account that is removed or has another role', async () => {
    const { signIn, accounts, secret } = await withAccounts()
    await accounts.add({ name: 'second', role: 'admin', password: chosen('pw') })
    await signIn('human', 'pw', ADDRESS)
    await accounts.changeRole('human', 'reader')
    expect(await signIn('human', 'pw', ADDRESS)).toMatchObject({ role: 'reader' })
    await accounts.remove('human')
    await accounts.remove('robot')
    expect(await codeOf(signIn('human', 'pw', ADDRESS))).toBe('credentials-wrong')
    expect(await codeOf(signIn('robot', secret, ADDRESS))).toBe('credentials-wrong')
  })

  it('takes a name and a password in either Unicode form', async () => {
    const { signIn, accounts } = await withAccounts()
    await accounts.add({ name: 'J\u00fcrgen', role: 'reader', password: chosen('\u00fc') })
    expect(await signIn('Ju\u0308rgen', 'u\u0308', ADDRESS)).toMatchObject({ name: 'J\u00fcrgen' })
  })

  it('turns an imported password into a stronger one, once', async () => {
    const { signIn, hasher, accounts } = await withAccounts()
    expect(await codeOf(signIn('imported', 'wrong', ADDRESS))).toBe('credentials-wrong')
    expect(await accounts.find('imported')).toMatchObject({ password: { kind: 'bcrypt' } })
    expect(await signIn('imported', 'password', ADDRESS)).toMatchObject({ role: 'reader' })
    expect(await accounts.find('imported')).toMatchObject({ password: { kind: 'scrypt' } })
    expect(await signIn('imported', 'password', ADDRESS)).toMatchObject({ role: 'reader' })
    expect(hasher.calls).toEqual(['isBcrypt', 'isBcrypt', 'scrypt', DUMMY])
  })

  it('works with an imported password also where nothing can be written', async () => {
    const test = await withAccounts()
    test.records.write = async () => {
      throw new Error('not here')
    }
    const failing = testAccounts({ records: test.records })
    failing.hasher.scrypt = async () => {
      const { AppError } = await import('../../src/domain/app-error.ts')
      throw new AppError('storage-read-only', 'The data folder does not allow this')
    }
    expect(await failing.signIn('imported', 'password', ADDRESS)).toMatchObject({ role: 'reader' })
  })

  it('knows accounts of the htpasswd file, as writers, and prefers its own', async () => {
    const { signIn } = await withAccounts()
    expect(await signIn('web', 'password', ADDRESS)).toEqual({
      name: 'web',
      role: 'writer',
      isGuessable: true,
    })
    expect(await signIn('both', 'own', ADDRESS)).toEqual({
      name: 'both',
      role: 'reader',
      isGuessable: true,
    })
    expect(await codeOf(signIn('both', 'password', ADDRESS))).toBe('credentials-wrong')
    expect(await codeOf(signIn('old', 'x', ADDRESS))).toBe('credentials-wrong')
  })
})
