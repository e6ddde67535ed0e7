/** `/users/{login}/command/…`: enable, disable, and the two ways to a new password. */
import { requireRole } from '../../../domain/access.ts'
import { AppError } from '../../../domain/app-error.ts'
import type { Handler, RequestContext } from '../../../http/handler.ts'
import type { HttpRequest } from '../../../http/message.ts'
import { readDocument, textMember } from '../json-document.ts'
import { answered, isSelf, type UserParts } from './users.ts'

type Command = (
  parts: UserParts,
  name: string,
  request: HttpRequest,
  context: RequestContext,
) => Promise<void>

const COMMANDS: Readonly<Record<string, Command>> = {
  enable: async ({ accounts }, name, _request, { principal }) => {
    requireRole(principal, 'admin')
    await accounts.changeDisabled(name, false)
  },
  disable: async ({ accounts }, name, _request, { principal }) => {
    requireRole(principal, 'admin')
    await accounts.changeDisabled(name, true)
  },
  'reset-password': async ({ accounts }, name, request, { principal }) => {
    requireRole(principal, 'admin')
    const password = textMember(await readDocument(request), 'newPassword')
    await accounts.changePassword(name, { kind: 'chosen', password })
  },
  'change-password': changeOwnPassword,
}

export function changeByCommand(parts: UserParts): Handler {
  return (request, context) => {
    const { command = '' } = context.parameters
    const run = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined
    if (!run) throw new AppError('route-not-found', 'There is nothing at this path')
    return answered(context, (name) => run(parts, name, request, context))
  }
}

/** The current password is checked as signing in checks it, so that it cannot be guessed faster here. */
async function changeOwnPassword(
  { accounts, signIn }: UserParts,
  name: string,
  request: HttpRequest,
  { principal }: RequestContext,
): Promise<void> {
  const isEverybodyAdmin = principal.isAnonymous && principal.role === 'admin'
  if (!isSelf(principal, name) && !isEverybodyAdmin) {
    throw new AppError('access-denied', 'An account changes its own password only')
  }
  const members = await readDocument(request)
  const password = textMember(members, 'newPassword')
  await signIn(name, textMember(members, 'currentPassword'), request.remoteAddress)
  await accounts.changePassword(name, { kind: 'chosen', password })
}
