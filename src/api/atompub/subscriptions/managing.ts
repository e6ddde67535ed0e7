/** Operators make, change and remove groups, and bring parked messages back. */
import { requireOps } from '../../../domain/access.ts'
import { AppError, type ErrorCode } from '../../../domain/app-error.ts'
import { parseGroupId } from '../../../domain/subscription-group.ts'
import { type GroupSettings, parseGroupSettings } from '../../../domain/subscription-settings.ts'
import type { Handler, RequestContext } from '../../../http/handler.ts'
import type { HttpRequest, HttpResponse } from '../../../http/message.ts'
import { statusOf } from '../../../http/problem.ts'
import { randomUuid } from '../../../kit/uuid.ts'
import { publicBase } from '../base-url.ts'
import { indentedJson } from '../json-document.ts'
import { type GroupParts, groupOf, groupUrl } from './parts.ts'
import { readSettingsBody } from './settings-body.ts'

export function createGroup(parts: GroupParts): Handler {
  return (request, context) =>
    managed(context, async () => {
      const { stream = '', group = '' } = context.parameters
      const id = parseGroupId(stream, group)
      await parts.subscriptions.create(id, await settingsOf(request))
      return outcome(201, 'Success', '', {
        location: groupUrl(publicBase(request, parts.settings.baseUrl), id),
      })
    })
}

export function updateGroup(parts: GroupParts): Handler {
  return (request, context) =>
    managed(context, async () => {
      const id = groupOf(context)
      await parts.subscriptions.update(id, await settingsOf(request))
      // No Location here: of a 200 with one, web servers make a redirect (RFC 3875 §6.2.3, as they read it).
      return outcome(200, 'Success', '')
    })
}

export function removeGroup({ subscriptions }: GroupParts): Handler {
  return (_request, context) =>
    managed(context, async () => {
      await subscriptions.remove(groupOf(context), context.principal.name)
      return outcome(200, 'Success', '')
    })
}

export function replayParked({ subscriptions }: GroupParts): Handler {
  return (_request, context) =>
    managed(context, async () => {
      await subscriptions.replayParked(groupOf(context), stopAtOf(context))
      return outcome(200, 'Success', '')
    })
}

/** `POST /subscriptions/restart`; no stream of that name is concerned, since streams take no POST here. */
export function restartAll({ subscriptions }: GroupParts): Handler {
  return async (_request, { principal, parameters }) => {
    if (parameters['stream'] !== 'restart') {
      throw new AppError('route-not-found', 'There is nothing at this path')
    }
    requireOps(principal)
    await subscriptions.restart()
    return { status: 200, headers: {}, body: '' }
  }
}

async function settingsOf(request: HttpRequest): Promise<GroupSettings> {
  return parseGroupSettings(await readSettingsBody(request))
}

function stopAtOf({ query }: RequestContext): number | undefined {
  const text = query.get('stopAt')
  if (text === null || text === '') return undefined
  if (/^[0-9]{1,15}$/.test(text)) return Number(text)
  throw new AppError('bad-query', 'stopAt must be a whole number from 0', { parameter: 'stopAt' })
}

/** What went wrong, in the words of this API. */
const RESULTS: { readonly [C in ErrorCode]?: string } = {
  'group-exists': 'AlreadyExists',
  'group-not-found': 'DoesNotExist',
  'bad-name': 'Fail',
  'bad-field': 'Fail',
  'bad-query': 'Fail',
  'bad-json': 'Fail',
}

async function managed(
  { principal }: RequestContext,
  work: () => Promise<HttpResponse>,
): Promise<HttpResponse> {
  requireOps(principal)
  try {
    return await work()
  } catch (error) {
    const result = error instanceof AppError ? RESULTS[error.code] : undefined
    if (!(error instanceof AppError) || result === undefined) throw error
    return outcome(statusOf(error.code), result, error.message)
  }
}

function outcome(
  status: number,
  result: string,
  reason: string,
  headers: HttpResponse['headers'] = {},
): HttpResponse {
  return indentedJson(status, { correlationId: randomUuid(), reason, result }, headers)
}
