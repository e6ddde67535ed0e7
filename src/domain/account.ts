/**
 * Accounts: who may use the store, and the shapes of what is known about them.
 *
 * Where they are kept is `account-records.ts`, what is done with them `accounts.ts`, what one may do
 * `access.ts`; how credentials arrive is `http/basic-auth.ts`.
 */
import type { Brand } from '../kit/brand.ts'
import { AppError } from './app-error.ts'
import type { StoredPassword } from './password.ts'

/** 1 to 128 characters without `:`, control characters or white space at the ends; NFC; case matters. */
export type AccountName = Brand<string, 'AccountName'>

/** What an account may do; each role may do what the ones before it may. */
export const ROLES = ['reader', 'writer', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** Who asks: an account, or nobody in particular where a setting lets such requests in. */
export type Principal = {
  readonly name: string
  readonly role: Role
  readonly isAnonymous: boolean
  /** As in `Account`. */
  readonly groups?: readonly string[]
}

export type Account = {
  readonly name: AccountName
  readonly role: Role
  readonly password: StoredPassword
  /** Free text about it, for people. */
  readonly info: string
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly createdAtMs: number
  /** When it was last changed, in the same unit; absent: not since it was made. */
  readonly updatedAtMs?: number
  /** Its name for people; absent: none was given. */
  readonly fullName?: string
  /** What it belongs to besides `$admins`, which is the role admin; absent: nothing. */
  readonly groups?: readonly string[]
  /** True where it may not sign in for now. */
  readonly isDisabled?: boolean
}

/** @throws AppError `bad-name`; an e-mail address is a name like any other */
export function parseAccountName(text: string): AccountName {
  const name = text.normalize('NFC')
  const problem = nameProblem(name)
  if (problem) throw new AppError('bad-name', `account name ${problem}`, { field: 'name' })
  return name as AccountName
}

/** Like `parseAccountName` for looking one up: what cannot be a name is nobody's. */
export function toAccountName(text: string): AccountName | undefined {
  const name = text.normalize('NFC')
  return nameProblem(name) === undefined ? (name as AccountName) : undefined
}

function nameProblem(name: string): string | undefined {
  if (name === '') return 'must not be empty'
  if ([...name].length > 128) return 'must have at most 128 characters'
  if (name.includes(':')) return 'must not contain ":"'
  if (!name.isWellFormed()) return 'must be well-formed Unicode'
  if (hidden.test(name)) return 'must not contain control characters'
  if (name.trim() !== name) return 'must not begin or end with white space'
  return undefined
}

const hidden = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u

/** @throws AppError `bad-field` */
export function parseRole(text: string): Role {
  const role = ROLES.find((known) => known === text)
  if (role) return role
  throw new AppError('bad-field', `role must be one of ${ROLES.join(', ')}`, { field: 'role' })
}

const MAX_INFO = 1000

/** @throws AppError `bad-field` unless it has at most 1000 characters, none of them a control character */
export function parseInfo(text: string): string {
  return parseFreeText(text, 'info')
}

/** @throws AppError `bad-field` as `parseInfo` */
export function parseFullName(text: string): string {
  return parseFreeText(text, 'fullName')
}

function parseFreeText(text: string, field: string): string {
  if (text.length <= MAX_INFO && text.isWellFormed() && !hidden.test(text)) return text
  const message = `${field} must have at most ${MAX_INFO} characters and no control characters`
  throw new AppError('bad-field', message, { field })
}
