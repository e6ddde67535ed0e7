/** Lists, tells, makes, edits and removes accounts. Only admins may, except that everybody may see itself. */
import { memberOf, requireRole } from '../../../domain/access.ts'
import type { Account, Principal } from '../../../domain/account.ts'
import type { Accounts } from '../../../domain/accounts.ts'
import { AppError } from '../../../domain/app-error.ts'
import type { SignIn } from '../../../domain/sign-in.ts'
import type { Handler, RequestContext } from '../../../http/handler.ts'
import { publicBase } from '../base-url.ts'
import { readDocument, textListMember, textMember } from '../json-document.ts'
import { dataResponse, outcomeResponse, userDocument } from './user-document.ts'

export type UserParts = {
  readonly accounts: Accounts
  readonly signIn: SignIn
  readonly settings: { readonly baseUrl: string }
}

export function listUsers({ accounts, settings }: UserParts): Handler {
  return async (request, context) => {
    requireRole(context.principal, 'admin')
    const base = publicBase(request, settings.baseUrl)
    return dataResponse((await accounts.list()).map((account) => userDocument(account, base)))
  }
}

export function readUser({ accounts, settings }: UserParts): Handler {
  return async (request, context) => {
    const login = loginOf(context)
    const name = login === '$current' ? ownName(context.principal) : login
    if (!isSelf(context.principal, name)) requireRole(context.principal, 'admin')
    const account = await accounts.find(name)
    if (!account) return outcomeResponse(404, name, 'NotFound')
    return dataResponse(userDocument(account, publicBase(request, settings.baseUrl)))
  }
}

/** The same account sent again counts as made: whoever missed the first answer may repeat. */
export function addUser({ accounts, settings }: UserParts): Handler {
  return async (request, context) => {
    requireRole(context.principal, 'admin')
    const members = await readDocument(request)
    const wanted: WantedUser = {
      name: textMember(members, 'loginName'),
      fullName: textMember(members, 'fullName', ''),
      groups: textListMember(members, 'groups'),
      password: textMember(members, 'password'),
    }
    const isThere = await isMade(accounts, wanted)
    const { name } = wanted
    if (!isThere) return outcomeResponse(409, name, 'Conflict')
    const location = `${publicBase(request, settings.baseUrl)}/users/${encodeURIComponent(name)}`
    return outcomeResponse(201, name, 'Success', { location })
  }
}

export function editUser({ accounts }: UserParts): Handler {
  return (request, context) =>
    answered(context, async (name) => {
      requireRole(context.principal, 'admin')
      const members = await readDocument(request)
      await accounts.describe(name, {
        fullName: textMember(members, 'fullName', ''),
        groups: textListMember(members, 'groups'),
      })
    })
}

export function removeUser({ accounts }: UserParts): Handler {
  return (_request, context) =>
    answered(context, async (name) => {
      requireRole(context.principal, 'admin')
      await accounts.remove(name)
    })
}

/** Changes the account that the path names, and tells how that went. */
export async function answered(context: RequestContext, change: (name: string) => Promise<void>) {
  const name = loginOf(context)
  try {
    await change(name)
    return outcomeResponse(200, name, 'Success')
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === 'account-not-found') return outcomeResponse(404, name, 'NotFound')
    if (error.code === 'last-admin') return outcomeResponse(409, name, 'Conflict')
    throw error
  }
}

/** Whether an account is the one that asks. */
export function isSelf(principal: Principal, name: string): boolean {
  return !principal.isAnonymous && principal.name === name.normalize('NFC')
}

function loginOf({ parameters }: RequestContext): string {
  return parameters['login'] ?? ''
}

function ownName(principal: Principal): string {
  if (!principal.isAnonymous) return principal.name
  throw new AppError('access-denied', 'Requests without credentials have no account')
}

type WantedUser = {
  readonly name: string
  readonly fullName: string
  readonly groups: readonly string[]
  readonly password: string
}

/** Makes an account; false where there is another one of its name. */
async function isMade(accounts: Accounts, wanted: WantedUser): Promise<boolean> {
  const { role, groups } = memberOf(wanted.groups)
  const { name, fullName, password } = wanted
  try {
    await accounts.add({
      name,
      role,
      groups,
      fullName,
      password: { kind: 'chosen', password },
    })
    return true
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'account-exists') throw error
  }
  const there = await accounts.find(name)
  const isSame = there && isDescribedAs(there, wanted, role)
  return Boolean(isSame) && accounts.isPassword(there as Account, password)
}

function isDescribedAs(account: Account, { fullName, groups }: WantedUser, role: string): boolean {
  const others = account.groups ?? []
  const wanted = new Set(groups.filter((group) => group !== '$admins'))
  const isEqual = others.length === wanted.size && others.every((group) => wanted.has(group))
  return account.role === role && (account.fullName ?? '') === fullName && isEqual
}
