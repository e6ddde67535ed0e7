/** Names and numbers in paths and queries, taken apart. */
import { AppError } from '../../domain/app-error.ts'
import { type EventId, type EventType, parseEventType } from '../../domain/event.ts'
import { parseStreamName, type StreamName } from '../../domain/stream-name.ts'
import type { RouteParameters } from '../../http/handler.ts'
import { isUuid } from '../../kit/uuid.ts'

/** @throws AppError `bad-name` */
export function streamOf(parameters: RouteParameters): StreamName {
  return parseStreamName(parameters['stream'] ?? '')
}

/** @throws AppError `bad-field` where it is no UUID */
export function eventIdOf(parameters: RouteParameters): EventId {
  const text = parameters['event'] ?? ''
  if (isUuid(text)) return text.toLowerCase() as EventId
  throw new AppError('bad-field', 'The id of the event must be a UUID', { field: 'eventId' })
}

/** @throws AppError `bad-field` */
export function eventNameOf(text: string): EventType {
  try {
    return parseEventType(text)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const message = error.message.replace(/^eventType/, 'eventName')
    throw new AppError('bad-field', message, { field: 'eventName' }, error)
  }
}

/**
 * The one value of a query parameter.
 * @throws AppError `bad-query` where it is missing, empty or comes more than once
 */
export function onlyValue(query: URLSearchParams, parameter: string): string {
  const [value = '', ...more] = query.getAll(parameter)
  if (value !== '' && more.length === 0) return value
  const problem = value === '' ? 'is missing' : 'must come once'
  throw new AppError('bad-query', `The query parameter ${parameter} ${problem}`, { parameter })
}
