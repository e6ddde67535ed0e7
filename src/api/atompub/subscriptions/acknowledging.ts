/** Consumers say what became of messages. No body is needed; one that comes is not looked at. */
import { requireConsumer } from '../../../domain/access.ts'
import { AppError } from '../../../domain/app-error.ts'
import { type EventId, parseEventId } from '../../../domain/event.ts'
import type { GroupId } from '../../../domain/subscription-group.ts'
import { GIVE_BACK_ACTIONS, type GiveBackAction } from '../../../domain/subscription-state.ts'
import type { Handler, RequestContext } from '../../../http/handler.ts'
import type { HttpResponse } from '../../../http/message.ts'
import { emptyResponse } from '../style.ts'
import { type GroupParts, groupOf } from './parts.ts'

export function acknowledge(parts: GroupParts): Handler {
  return async (_request, context) => {
    const id = await requireGroup(parts, context)
    await parts.subscriptions.acknowledge(id, idsOf(context))
    return ACCEPTED
  }
}

export function giveBack(parts: GroupParts): Handler {
  return async (_request, context) => {
    const id = await requireGroup(parts, context)
    const action = actionOf(context)
    await parts.subscriptions.giveBack(id, idsOf(context), action, context.principal.name)
    return ACCEPTED
  }
}

const ACCEPTED: HttpResponse = emptyResponse(202, 'Accepted')

async function requireGroup({ streams }: GroupParts, context: RequestContext): Promise<GroupId> {
  const id = groupOf(context)
  requireConsumer(context.principal)
  await streams.rights.require(context.principal, 'read', id.stream)
  return id
}

/** Ids of more messages than are ever handed out at once help nobody. */
const MOST_IDS = 1000

function idsOf({ parameters, query }: RequestContext): readonly EventId[] {
  const { id } = parameters
  const texts = id === undefined ? (query.get('ids') ?? '').split(',') : [id]
  if (texts.length > MOST_IDS) throw badIds(`may be at most ${MOST_IDS}`)
  try {
    return texts.map((text) => parseEventId(text.trim()))
  } catch (error) {
    if (error instanceof AppError) throw badIds('must be UUIDs', error)
    throw error
  }
}

function badIds(problem: string, cause?: unknown): AppError {
  return new AppError('bad-query', `Ids of messages ${problem}`, { parameter: 'ids' }, cause)
}

function actionOf({ query }: RequestContext): GiveBackAction {
  const text = query.get('action')?.toLowerCase() ?? ''
  if (text === '') return 'retry'
  const action = GIVE_BACK_ACTIONS.find((known) => known === text)
  if (action) return action
  const message = `action must be one of ${GIVE_BACK_ACTIONS.join(', ')}`
  throw new AppError('bad-query', message, { parameter: 'action' })
}
