/** What is told of an account, and the envelope that every answer about accounts comes in. */
import { groupsOf } from '../../../domain/access.ts'
import type { Account } from '../../../domain/account.ts'
import type { HttpHeaders, HttpResponse } from '../../../http/message.ts'
import { indentedJson } from '../json-document.ts'

/** What went wrong, in the words of this API. */
export type UserError = 'Success' | 'NotFound' | 'Conflict' | 'Error'

/** The password is never part of it. */
export function userDocument(account: Account, base: string): Readonly<Record<string, unknown>> {
  const { name, fullName = '', isDisabled = false, updatedAtMs, createdAtMs } = account
  const href = `${base}/users/${encodeURIComponent(name)}`
  const link = (rel: string, path: string) => ({ href: href + path, rel })
  return {
    loginName: name,
    fullName,
    groups: groupsOf(account),
    dateLastUpdated: new Date(updatedAtMs ?? createdAtMs).toISOString(),
    disabled: isDisabled,
    links: [
      link('reset-password', '/command/reset-password'),
      link('change-password', '/command/change-password'),
      link('edit', ''),
      link('delete', ''),
      isDisabled ? link('enable', '/command/enable') : link('disable', '/command/disable'),
    ],
  }
}

/** Tells data of one account, or of several. */
export function dataResponse(data: unknown): HttpResponse {
  return indentedJson(200, { success: true, error: 'Success', data })
}

/** Tells how a change of an account went. */
export function outcomeResponse(
  status: number,
  loginName: string,
  error: UserError,
  headers: HttpHeaders = {},
): HttpResponse {
  return indentedJson(status, { loginName, success: error === 'Success', error }, headers)
}
