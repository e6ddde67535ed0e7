/** Access lists of streams: which roles may do what, as metadata documents and the default settings say it. */
import { allows, groupsOf } from './access.ts'
import type { Principal } from './account.ts'

export type StreamOperation = 'read' | 'write' | 'delete' | 'metadata-read' | 'metadata-write'

/** By operation the roles that may; an empty list lets in nobody but admins. */
export type StreamAcl = { readonly [O in StreamOperation]?: readonly string[] }

/** Lists for streams that have none of their own. */
export type DefaultAcls = { readonly user: StreamAcl; readonly system: StreamAcl }

/** Everybody whose account may do such things at all. */
export const EVERYBODY = '$all'
const ADMINS_ONLY: readonly string[] = ['$admins']

const KEYS: readonly (readonly [string, StreamOperation])[] = [
  ['$r', 'read'],
  ['$w', 'write'],
  ['$d', 'delete'],
  ['$mr', 'metadata-read'],
  ['$mw', 'metadata-write'],
]

/** Reads `{"$r":…,"$w":…,"$d":…,"$mr":…,"$mw":…}`, each a role or a list of roles. */
export function parseAcl(value: unknown): StreamAcl | 'malformed' {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'malformed'
  const acl: { [O in StreamOperation]?: readonly string[] } = {}
  for (const [key, operation] of KEYS) {
    const roles: unknown = (value as Record<string, unknown>)[key]
    if (roles === undefined || roles === null) continue
    const list = [roles].flat()
    if (!list.every((role) => typeof role === 'string')) return 'malformed'
    acl[operation] = (list as string[]).filter((role) => role !== '')
  }
  return acl
}

/** The roles that may do `operation` to `stream`: its own list, else the default, else the built-in one. */
export function rolesFor(
  operation: StreamOperation,
  stream: string,
  acl: StreamAcl | undefined,
  defaults: DefaultAcls,
): readonly string[] {
  const isSystem = stream.startsWith('$')
  const own = acl?.[operation] ?? (isSystem ? defaults.system : defaults.user)[operation]
  return own ?? (isSystem ? ADMINS_ONLY : [EVERYBODY])
}

/** Whether somebody is let in by a list of roles, to do something that the role of the account must allow too. */
export function isLetIn(
  principal: Principal,
  operation: StreamOperation,
  roles: readonly string[],
): boolean {
  if (principal.role === 'admin') return true
  const isReading = operation === 'read' || operation === 'metadata-read'
  if (!allows(principal.role, isReading ? 'reader' : 'writer')) return false
  if (roles.includes(EVERYBODY)) return true
  if (principal.isAnonymous) return false
  return (
    roles.includes(principal.name) || groupsOf(principal).some((group) => roles.includes(group))
  )
}
