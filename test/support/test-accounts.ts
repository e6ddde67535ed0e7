/** Accounts on a memory store, with a hasher whose work is counted instead of done. */
import { type Accounts, createAccounts } from '../../src/domain/accounts.ts'
import type { PasswordHasher } from '../../src/domain/password.ts'
import type { RecordEngine } from '../../src/domain/ports.ts'
import { createSignIn, type SignIn } from '../../src/domain/sign-in.ts'
import { type AttemptCounter, createThrottle } from '../../src/domain/throttle.ts'
import { sha256Hex } from '../../src/kit/sha256.ts'
import { createMemoryAttempts } from '../../src/storage/memory/attempts.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { type HandClock, handClock } from './store.ts'

/** Which slow work was asked for, in order. */
type CountedHasher = PasswordHasher & { readonly calls: string[] }

/** Takes a chosen password for right by its SHA-256, and a bcrypt one by the word `password`. */
function countedHasher(): CountedHasher {
  const calls: string[] = []
  return {
    calls,
    async scrypt(password) {
      calls.push('scrypt')
      const strength = { cost: 32_768, blockSize: 8, parallelization: 1 }
      return { kind: 'scrypt', ...strength, salt: String(calls.length), key: sha256Hex(password) }
    },
    async isScrypt(password, stored) {
      calls.push(`isScrypt cost ${stored.cost}`)
      return stored.key === sha256Hex(password)
    },
    async isBcrypt(password) {
      calls.push('isBcrypt')
      return password === 'password'
    },
  }
}

export type TestAccounts = {
  readonly accounts: Accounts
  readonly records: RecordEngine
  readonly clock: HandClock
  readonly hasher: CountedHasher
  readonly signIn: SignIn
}

export type TestAccountsOptions = {
  readonly records?: RecordEngine
  readonly attempts?: AttemptCounter
  readonly htpasswd?: string
}

export function testAccounts(options: TestAccountsOptions = {}): TestAccounts {
  const clock = handClock()
  const records = options.records ?? createMemoryStore({ clock }).records
  const hasher = countedHasher()
  const accounts = createAccounts({ records, clock, hasher })
  const signIn = createSignIn({
    accounts,
    hasher,
    throttle: createThrottle(options.attempts ?? createMemoryAttempts(), clock),
    readHtpasswd: () => options.htpasswd,
  })
  return { accounts, records, clock, hasher, signIn }
}

/** A password that the owner of an account chose. */
export const chosen = (password: string) => ({ kind: 'chosen', password }) as const

/** The code of what a promise is rejected with; `undefined` where it is not. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  )
}

/** bcrypt of `password`, written by `htpasswd -nbB -C 4`. */
export const BCRYPT_HASH = '$2y$04$26ugQmJ8c3VtwR0c0vG0JuTfP8pZyQVkGdM3RWcaenASQ8qMIESiO'
