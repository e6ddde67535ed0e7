/** What an account changes about itself: password and the free text `info`. */
import { AppError } from '../../domain/app-error.ts'
import { readJson } from '../../http/body.ts'
import type { Handler } from '../../http/handler.ts'
import { jsonResponse } from '../../http/response.ts'
import type { JsonLimits, JsonMembers } from '../../kit/json-text.ts'

/** What this API needs of the accounts. */
export type AccountService = {
  /** `undefined` where the store keeps no account of this name. */
  find(name: string): Promise<{ readonly info: string } | undefined>
  /**
   * Changes what is named and leaves the rest.
   * @throws AppError `bad-field` where a value cannot be taken, `account-not-found`
   */
  update(name: string, changes: AccountChanges): Promise<void>
}

export type AccountChanges = { readonly password?: string; readonly info?: string }

/** What an account can change of itself. A misspelt one must not look like a change. */
const FIELDS: readonly string[] = ['password', 'info']

/** Bytes of the body. */
const MAX_BODY = 16_384

export function updateUser(accounts: AccountService, limits: JsonLimits): Handler {
  return async (request, { principal }) => {
    if (principal.isAnonymous) {
      throw new AppError('access-denied', 'Requests without credentials have no account to change')
    }
    const { members } = await readJson(request, MAX_BODY, limits)
    if (members === undefined) {
      throw new AppError('bad-field', 'The body must be a JSON object', { field: '' })
    }
    const unknown = [...members.keys()].find((field) => !FIELDS.includes(field))
    if (unknown !== undefined) {
      const message = `There is no member of this name; there are ${FIELDS.join(' and ')}`
      throw new AppError('bad-field', message, { field: unknown })
    }
    await accounts.update(principal.name, {
      ...textMember(members, 'password'),
      ...textMember(members, 'info'),
    })
    return jsonResponse(200, { status: 'ok' })
  }
}

function textMember<Name extends 'password' | 'info'>(
  members: JsonMembers,
  field: Name,
): { readonly [N in Name]?: string } {
  const text = members.get(field)
  if (text === undefined || text === 'null') return {}
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'string') {
    throw new AppError('bad-field', `${field} must be a string`, { field })
  }
  return { [field]: value } as { readonly [N in Name]?: string }
}
