/**
 * Accounts: who may use the store, as records in every engine.
 *
 * What an account may do is `access.ts`; how credentials arrive is `http/basic-auth.ts`.
 */
import type { Brand } from '../kit/brand.ts'

/** 1 to 128 characters without `:`, control characters or white space at the ends; case matters. */
export type AccountName = Brand<string, 'AccountName'>

/** What an account may do; each role may do what the ones before it may. */
export const ROLES = ['reader', 'writer', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** Who asks: an account, or nobody in particular where a setting lets such requests in. */
export type Principal = {
  readonly name: string
  readonly role: Role
  readonly isAnonymous: boolean
}
