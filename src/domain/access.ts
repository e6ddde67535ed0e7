/** Who may do what: roles in their order, and the two groups that stand for rights. */
import { type Principal, ROLES, type Role } from './account.ts'
import { AppError } from './app-error.ts'

/** Whether `role` may do what `needed` may. */
export function allows(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed)
}

/**
 * @throws AppError `access-denied`; `credentials-missing` for whoever named no account yet, so that
 * browsers and programs ask for one
 */
export function requireRole(principal: Principal, needed: Role): void {
  if (allows(principal.role, needed)) return
  const code = principal.isAnonymous ? 'credentials-missing' : 'access-denied'
  throw new AppError(code, `This needs an account with the role ${needed}`, { role: needed })
}

/** Whoever is in this group has the role admin, and the other way round. */
const ADMINS = '$admins'
/** Whoever is in this group may also run the store: scavenge, and change subscription groups. */
const OPS = '$ops'

type Member = { readonly role: Role; readonly groups?: readonly string[] }

/** Every group of an account or of whoever asks, `$admins` first. */
export function groupsOf({ role, groups = [] }: Member): readonly string[] {
  return role === 'admin' ? [ADMINS, ...groups] : groups
}

const MAX_GROUPS = 100

/**
 * Role and groups of an account of whom `groups` are asked. Who is no admin keeps the role it had; who was
 * one, or is new, becomes a writer.
 * @throws AppError `bad-field`
 */
export function memberOf(groups: readonly string[], before?: Role): Required<Member> {
  if (groups.length > MAX_GROUPS || !groups.every(isGroupName)) {
    const message = `groups must be at most ${MAX_GROUPS} names of 1 to 128 characters`
    throw new AppError('bad-field', message, { field: 'groups' })
  }
  const others = [...new Set(groups)].filter((group) => group !== ADMINS)
  const lower = before === undefined || before === 'admin' ? 'writer' : before
  return { role: groups.includes(ADMINS) ? 'admin' : lower, groups: others }
}

function isGroupName(text: string): boolean {
  return /^[^\p{Cc}\p{Zl}\p{Zp}]{1,128}$/u.test(text) && text.isWellFormed()
}

function isOps(member: Member): boolean {
  return member.role === 'admin' || groupsOf(member).includes(OPS)
}

/** @throws AppError as `requireRole` */
export function requireOps(principal: Principal): void {
  if (!isOps(principal)) requireRole(principal, 'admin')
}

/**
 * Consumers take messages away from each other, so they are accounts, or a server that lets everybody write.
 * @throws AppError as `requireRole`
 */
export function requireConsumer(principal: Principal): void {
  if (principal.isAnonymous) requireRole(principal, 'writer')
}
