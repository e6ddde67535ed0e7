/**
 * From a name and a password to an account. What it costs and what it may tell:
 *
 * 1. A right generated password costs one SHA-256 and always works, also where others have guessed too
 *    often: nobody can guess one.
 * 2. Every other password goes past the throttle first, and then costs one slow hash, whether the account
 *    is there or not.
 * 3. A chosen password that was right is remembered in the memory of this process, for the network it came from,
 *    until the stored one changes or another is tried for the account from there: what is remembered goes past no
 *    throttle, so it must not tell a right guess from wrong ones. Equal tries that arrive together are checked once.
 */
import { networkOf } from '../kit/network.ts'
import { randomSecret } from '../kit/secret.ts'
import { sha256Hex } from '../kit/sha256.ts'
import { type Account, type AccountName, type Role, toAccountName } from './account.ts'
import type { Accounts } from './accounts.ts'
import { AppError } from './app-error.ts'
import { findInHtpasswd } from './htpasswd.ts'
import {
  isGenerated,
  isStretched,
  isWholeForBcrypt,
  type PasswordHasher,
  type StoredPassword,
} from './password.ts'
import type { Throttle } from './throttle.ts'

/** Who signed in. */
export type SignedIn = {
  readonly name: string
  readonly role: Role
  /** The password is a chosen one: each try has to come here, where guesses are counted. */
  readonly isGuessable: boolean
  /** As in `Account`. */
  readonly groups?: readonly string[]
}

/**
 * @param address of the client
 * @throws AppError `credentials-wrong`, `too-many-attempts`
 */
export type SignIn = (name: string, password: string, address: string) => Promise<SignedIn>

export type SignInParts = {
  readonly accounts: Pick<Accounts, 'find' | 'strengthen'>
  readonly hasher: PasswordHasher
  readonly throttle: Throttle
  /** Text of the htpasswd file that a setting names, or `undefined`. */
  readonly readHtpasswd: () => string | undefined
}

/** What accounts of the htpasswd file may do: it does not say. */
const HTPASSWD_ROLE: Role = 'writer'
const REMEMBERED = 1000

/** `account` is absent for one that stands in the htpasswd file only. */
type Known = Omit<SignedIn, 'isGuessable'> & {
  readonly password: StoredPassword
  readonly account?: Account
}

export function createSignIn(parts: SignInParts): SignIn {
  const { hasher, throttle } = parts
  const checkOnce = rememberRight()
  const check = async (name: string, password: string, address: string, known?: Known) => {
    await throttle.enter(name, address)
    let outcome: 'right' | 'wrong' | 'unknown' = 'unknown'
    try {
      const isRight = await isStretched(password, known?.password, hasher)
      outcome = isRight ? 'right' : 'wrong'
      if (isRight && known?.account) await strengthen(parts, known.account, password)
      return isRight
    } finally {
      await throttle.leave(name, address, outcome)
    }
  }
  return async (rawName, rawPassword, address) => {
    const name = toAccountName(rawName)
    const password = rawPassword.normalize('NFC')
    const known = name === undefined ? undefined : await find(parts, name)
    const counted = name ?? rawName
    const isGuessable = !isGenerated(password, known?.password)
    const isRight =
      !isGuessable ||
      (await checkOnce(
        [networkOf(address), counted],
        [password, JSON.stringify(known?.password ?? '')],
        () => check(counted, password, address, known),
      ))
    // Only now, so that a refusal does not tell which accounts are disabled.
    if (known && isRight && !known.account?.isDisabled) return signedIn(known, isGuessable)
    throw new AppError('credentials-wrong', 'There is no such account, or the password is wrong')
  }
}

function signedIn({ name, role, groups }: Known, isGuessable: boolean): SignedIn {
  return { name, role, isGuessable, ...(groups && groups.length > 0 && { groups }) }
}

/** Whether anybody could sign in under a name. */
export async function isKnownName(
  parts: Pick<SignInParts, 'accounts' | 'readHtpasswd'>,
  name: string,
): Promise<boolean> {
  const parsed = toAccountName(name)
  return parsed !== undefined && (await find(parts, parsed)) !== undefined
}

async function find(
  parts: Pick<SignInParts, 'accounts' | 'readHtpasswd'>,
  name: AccountName,
): Promise<Known | undefined> {
  const account = await parts.accounts.find(name)
  if (account) return { ...account, account }
  const password = findInHtpasswd(parts.readHtpasswd() ?? '', name)
  return password && { name, role: HTPASSWD_ROLE, password }
}

/** A store that cannot be written to still lets people in. */
async function strengthen(parts: SignInParts, account: Account, password: string): Promise<void> {
  if (account.password.kind !== 'bcrypt' || !isWholeForBcrypt(password)) return
  try {
    await parts.accounts.strengthen(account, account.password, password)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
  }
}

/** Runs a check once for equal tries, until another one is made in the same place; only an outcome `true` is kept. */
function rememberRight() {
  // Made when it is first needed: right generated passwords never come here.
  let secret: string | undefined
  const last = new Map<string, { readonly key: string; readonly outcome: Promise<boolean> }>()
  return (
    place: readonly string[],
    tried: readonly string[],
    check: () => Promise<boolean>,
  ): Promise<boolean> => {
    secret ??= randomSecret()
    const at = sha256Hex(JSON.stringify([secret, ...place]))
    const key = sha256Hex(JSON.stringify([secret, ...tried]))
    const known = last.get(at)
    if (known?.key === key) return known.outcome
    const outcome = check()
    last.delete(at)
    last.set(at, { key, outcome })
    const [oldest] = last.keys()
    if (last.size > REMEMBERED && oldest !== undefined) last.delete(oldest)
    const forget = () => {
      if (last.get(at)?.outcome === outcome) last.delete(at)
    }
    outcome.then((isRight) => isRight || forget(), forget)
    return outcome
  }
}
