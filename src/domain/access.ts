/** Who may do what: roles in their order. */
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
