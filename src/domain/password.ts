/**
 * Passwords as they are stored, and the work that telling a right one from a wrong one takes.
 *
 * - `generated`: made by the program from 142 random bits. One SHA-256 keeps it safe, since nobody can try
 *   that many, and checking costs nothing.
 * - `scrypt`: chosen by a person, so guessable, so made slow (RFC 7914): about 32 MiB and 60 to 100 ms a try.
 * - `bcrypt`: taken over from an htpasswd file; becomes `scrypt` when its owner signs in.
 */
import { isSameDigest, randomSecret } from '../kit/secret.ts'
import { sha256Hex } from '../kit/sha256.ts'
import { AppError } from './app-error.ts'

export type ScryptPassword = {
  readonly kind: 'scrypt'
  /** CPU and memory cost, a power of two. */
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
  /** Hex digits. */
  readonly salt: string
  /** 32 bytes as hex digits. */
  readonly key: string
}

export type BcryptPassword = { readonly kind: 'bcrypt'; readonly hash: string }

export type StoredPassword =
  | { readonly kind: 'generated'; readonly sha256: string }
  | ScryptPassword
  | BcryptPassword

/** A password that somebody chose, or the wish to have one made. */
export type PasswordChoice =
  | { readonly kind: 'chosen'; readonly password: string }
  | { readonly kind: 'generate' }

/** The slow work. Each call costs what it says whatever the outcome. */
export type PasswordHasher = {
  /** With a new salt. */
  scrypt(password: string): Promise<ScryptPassword>
  isScrypt(password: string, stored: ScryptPassword): Promise<boolean>
  isBcrypt(password: string, stored: BcryptPassword): Promise<boolean>
}

const MAX_LENGTH = 1024

/**
 * A password as it is hashed: Unicode normal form C, so that two keyboards spell it alike (RFC 8265 §4.2).
 * @throws AppError `bad-field` unless it has 1 to 1024 characters, none of them a control character
 */
export function parsePassword(text: string): string {
  const password = text.normalize('NFC')
  if (password.length >= 1 && password.length <= MAX_LENGTH && isPlain(password)) return password
  throw new AppError(
    'bad-field',
    `password must have 1 to ${MAX_LENGTH} characters and no control characters`,
    { field: 'password' },
  )
}

/** RFC 7617 §2 keeps control characters out of credentials. */
function isPlain(password: string): boolean {
  return password.isWellFormed() && !/\p{Cc}/u.test(password)
}

/** What is stored, and where it was made here the password itself, to be shown once. */
export type MadePassword = { readonly stored: StoredPassword; readonly generated?: string }

/** @throws AppError `bad-field` for a password that cannot be taken */
export async function makePassword(
  choice: PasswordChoice,
  hasher: PasswordHasher,
): Promise<MadePassword> {
  if (choice.kind === 'chosen') {
    return { stored: await hasher.scrypt(parsePassword(choice.password)) }
  }
  const generated = randomSecret()
  return { stored: { kind: 'generated', sha256: sha256Hex(generated) }, generated }
}

/** One SHA-256; false for every other kind of password. */
export function isGenerated(password: string, stored: StoredPassword | undefined): boolean {
  return stored?.kind === 'generated' && isSameDigest(sha256Hex(password), stored.sha256)
}

/** Nobody's password: a key of zeros is the outcome of no known input. */
const NOBODYS: ScryptPassword = {
  kind: 'scrypt',
  cost: 32_768,
  blockSize: 8,
  parallelization: 1,
  salt: '00'.repeat(16),
  key: '00'.repeat(32),
}

/**
 * Whether `password` is the stored one, for whatever `isGenerated` did not accept. An unknown account and
 * one with a generated password cost the same scrypt as one with a chosen password, so that the time of a
 * refusal does not tell which accounts there are. Only a `bcrypt` password takes its own time, until its
 * owner signs in.
 */
export async function isStretched(
  password: string,
  stored: StoredPassword | undefined,
  hasher: PasswordHasher,
): Promise<boolean> {
  if (stored?.kind === 'bcrypt') return hasher.isBcrypt(password, stored)
  if (stored?.kind === 'scrypt') return hasher.isScrypt(password, stored)
  await hasher.isScrypt(password, NOBODYS)
  return false
}

/** bcrypt reads 72 bytes; whoever sent more has not shown to know the rest. */
export function isWholeForBcrypt(password: string): boolean {
  return Buffer.byteLength(password) <= 72
}
