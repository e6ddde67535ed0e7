import { expect, it } from 'vitest'
import { createPasswordHasher } from '../../src/kit/password-hasher.ts'

const blocking = createPasswordHasher('blocking')
const threaded = createPasswordHasher('threaded')

/** RFC 7914 §12, third vector, of which we keep 32 bytes. */
const RFC_7914 = {
  kind: 'scrypt',
  cost: 16_384,
  blockSize: 8,
  parallelization: 1,
  salt: Buffer.from('SodiumChloride').toString('hex'),
  key: '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2',
} as const

it.each([
  ['blocking', blocking],
  ['threaded', threaded],
])('computes scrypt as RFC 7914 does (%s)', async (_mode, hasher) => {
  expect(await hasher.isScrypt('pleaseletmein', RFC_7914)).toBe(true)
  expect(await hasher.isScrypt('pleaseletmeon', RFC_7914)).toBe(false)
})

it('stores the parameters with a new salt each time', async () => {
  const first = await blocking.scrypt('pw')
  const second = await blocking.scrypt('pw')
  expect(first).toEqual({
    kind: 'scrypt',
    cost: 32_768,
    blockSize: 8,
    parallelization: 1,
    salt: expect.stringMatching(/^[0-9a-f]{32}$/),
    key: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
  expect(second.salt).not.toBe(first.salt)
  expect(second.key).not.toBe(first.key)
  expect(await threaded.isScrypt('pw', first)).toBe(true)
})

it('finishes all of many checks that arrive at once', async () => {
  const checks = ['pleaseletmein', 'a', 'b', 'pleaseletmein', 'c'].map((password) =>
    threaded.isScrypt(password, RFC_7914),
  )
  expect(await Promise.all(checks)).toEqual([true, false, false, true, false])
})

/** Written by `htpasswd -nbB -C 4`; the three prefixes name one function. */
it.each(['$2a$', '$2b$', '$2y$'])('understands bcrypt that begins with %s', async (prefix) => {
  const ascii = { hash: `${prefix}04$26ugQmJ8c3VtwR0c0vG0JuTfP8pZyQVkGdM3RWcaenASQ8qMIESiO` }
  expect(await blocking.isBcrypt('password', ascii)).toBe(true)
  expect(await blocking.isBcrypt('passwore', ascii)).toBe(false)
  const umlauts = { hash: `${prefix}04$06Ze7S0VQaWwdXLQ.7cxt.3.BVJWOzFO72.3vMjAuuAUEq1M3apN6` }
  expect(await blocking.isBcrypt('pässwörd', umlauts)).toBe(true)
})
