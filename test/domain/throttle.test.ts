import { describe, expect, it } from 'vitest'
import { createThrottle } from '../../src/domain/throttle.ts'
import { createMemoryAttempts } from '../../src/storage/memory/attempts.ts'
import { handClock } from '../support/store.ts'
import { chosen, codeOf, testAccounts } from '../support/test-accounts.ts'

const ATTACKER = '203.0.113.9'
const OWNER = '192.0.2.1'
const MINUTE = 60_000

async function withOwner() {
  const test = testAccounts()
  await test.accounts.add({ name: 'owner', role: 'admin', password: chosen('pw') })
  const secret = await test.accounts.add({
    name: 'robot',
    role: 'writer',
    password: { kind: 'generate' },
  })
  test.hasher.calls.length = 0
  const guess = (n: number, name = 'owner', address = ATTACKER) =>
    codeOf(test.signIn(name, `guess ${n}`, address))
  const guesses = async (count: number, name?: string, address?: string) => {
    for (let n = 0; n < count; n++) await guess(n, name, address)
  }
  return { ...test, secret: secret ?? '', guess, guesses }
}

describe('guessing passwords', () => {
  it('has to wait after ten failures, and is told how long', async () => {
    const { signIn, guesses, clock } = await withOwner()
    await guesses(10)
    clock.nowMs += 13_000
    await expect(signIn('owner', 'guess', ATTACKER)).rejects.toMatchObject({
      code: 'too-many-attempts',
      facts: { retryAfterSeconds: 47 },
    })
    clock.nowMs += 47_000
    expect(await codeOf(signIn('owner', 'guess', ATTACKER))).toBe('credentials-wrong')
    expect(await codeOf(signIn('owner', 'guess again', ATTACKER))).toBe('too-many-attempts')
  })

  it('10,000 times in a minute gets at most 100 checked', async () => {
    const { guess, hasher, clock } = await withOwner()
    for (let n = 0; n < 10_000; n++) {
      clock.nowMs += 6
      await guess(n, n % 2 === 0 ? 'owner' : `name ${n}`, `203.0.113.${n % 250}`)
    }
    expect(hasher.calls.length).toBeGreaterThanOrEqual(10)
    expect(hasher.calls.length).toBeLessThanOrEqual(100)
  })

  it('10,000 times at once gets at most 100 checked', async () => {
    const { guess, hasher } = await withOwner()
    await Promise.all(Array.from({ length: 10_000 }, (_, n) => guess(n)))
    expect(hasher.calls).toHaveLength(10)
  })

  it('waits for unknown accounts as for known ones', async () => {
    const { guess, guesses } = await withOwner()
    await guesses(10, 'nobody')
    expect(await guess(11, 'nobody')).toBe('too-many-attempts')
    expect(await guess(11, 'owner')).toBe('too-many-attempts')
  })

  it('is forgiven one failure a minute', async () => {
    const { guesses, guess, clock } = await withOwner()
    await guesses(10)
    clock.nowMs += 10 * MINUTE
    for (let n = 0; n < 10; n++) expect(await guess(n)).toBe('credentials-wrong')
    expect(await guess(10)).toBe('too-many-attempts')
  })

  it('is forgiven where a clock that was a year ahead is put right', async () => {
    const { guesses, guess, clock } = await withOwner()
    clock.nowMs += 365 * 24 * 60 * MINUTE
    await guesses(10)
    clock.nowMs -= 365 * 24 * 60 * MINUTE
    expect(await guess(10)).toBe('credentials-wrong')
  })
})

describe('the owner of an account', () => {
  it('signs in from elsewhere while somebody guesses', async () => {
    const { signIn, guesses } = await withOwner()
    await guesses(50)
    expect(await signIn('owner', 'pw', OWNER)).toMatchObject({ name: 'owner' })
  })

  it('signs in from a network where others guess at other accounts, having done so before', async () => {
    const { signIn, guesses, clock, accounts } = await withOwner()
    await signIn('owner', 'pw', OWNER)
    await guesses(10, 'somebody else', OWNER)
    await accounts.update('owner', { password: 'new' })
    expect(await signIn('owner', 'new', OWNER)).toMatchObject({ name: 'owner' })
    clock.nowMs += 31 * 24 * 60 * MINUTE
    await guesses(10, 'somebody else', OWNER)
    await accounts.update('owner', { password: 'newer' })
    expect(await codeOf(signIn('owner', 'newer', OWNER))).toBe('too-many-attempts')
  })

  it('mistypes nine times, signs in, and starts from nothing', async () => {
    const { signIn, guesses, guess, clock } = await withOwner()
    for (let round = 0; round < 3; round++) {
      clock.nowMs += 60 * MINUTE
      await guesses(9, 'owner', OWNER)
      expect(await signIn('owner', 'pw', OWNER)).toMatchObject({ name: 'owner' })
    }
    await guesses(10, 'owner', OWNER)
    expect(await guess(10, 'owner', OWNER)).toBe('too-many-attempts')
  })

  it('gives somebody who guesses beside him no new beginning with each sign-in', async () => {
    const { signIn, guess, clock } = await withOwner()
    const codes: unknown[] = []
    for (let n = 0; n < 15; n++) {
      clock.nowMs += 1000
      codes.push(await guess(n, 'owner', OWNER))
      await signIn('owner', 'pw', OWNER).catch(() => undefined)
    }
    expect(codes.filter((code) => code === 'credentials-wrong')).toHaveLength(11)
    expect(codes.at(-1)).toBe('too-many-attempts')
    clock.nowMs += 60 * MINUTE
    await signIn('owner', 'pw', OWNER)
    expect(await guess(99, 'owner', OWNER)).toBe('credentials-wrong')
  })

  it('is let in with a generated password wherever somebody guesses', async () => {
    const { signIn, guesses, secret } = await withOwner()
    await guesses(20, 'robot')
    expect(await signIn('robot', secret, ATTACKER)).toMatchObject({ name: 'robot' })
  })

  it('is not made to wait by a check that failed for another reason', async () => {
    const attempts = createMemoryAttempts()
    const throttle = createThrottle(attempts, handClock())
    for (let n = 0; n < 50; n++) {
      await throttle.enter('owner', OWNER)
      await throttle.leave('owner', OWNER, 'unknown')
    }
    await expect(throttle.enter('owner', OWNER)).resolves.toBeUndefined()
  })
})

it('an attacker with an account of his own gains no guesses by signing in between', async () => {
  const { signIn, guess, guesses, accounts } = await withOwner()
  await accounts.add({ name: 'attacker', role: 'reader', password: chosen('his') })
  for (let round = 0; round < 5; round++) {
    await guesses(3)
    await signIn('attacker', 'his', ATTACKER)
  }
  expect(await guess(99)).toBe('too-many-attempts')
})
