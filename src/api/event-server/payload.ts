/** One event by its id, whatever its stream: the whole document, as a reader of its stream gets it. */
import { AppError } from '../../domain/app-error.ts'
import { parseStoredEvent } from '../../domain/event.ts'
import type { LogEngine } from '../../domain/ports.ts'
import { readableEvents } from '../../domain/readable-events.ts'
import { streamTypeSequence } from '../../domain/sequence.ts'
import { firstNumberAt } from '../../domain/sequence-range.ts'
import type { StreamRights } from '../../domain/stream-rights.ts'
import type { Handler } from '../../http/handler.ts'
import { JSON_TYPE } from '../../http/response.ts'
import { eventView } from './event-view.ts'
import { eventIdOf } from './parameters.ts'

type Parts = { readonly log: LogEngine; readonly rights: StreamRights }

/** What somebody may not read is not there for him. */
export function readPayload({ log, rights }: Parts): Handler {
  return async (_request, { principal, parameters }) => {
    const eventId = eventIdOf(parameters)
    const position = await log.findEventIdAnywhere(eventId)
    const event = position === undefined ? undefined : await log.read(position)
    const isReadable = readableEvents(rights, principal)
    if (!event || (isReadable && !(await isReadable(event))))
      throw new AppError('event-not-found', 'No event has this id', { eventId })
    const { stream, eventType } = parseStoredEvent(event)
    const sequence = streamTypeSequence(stream, eventType)
    const number = await firstNumberAt(log, sequence, event.position)
    return {
      status: 200,
      headers: { 'content-type': JSON_TYPE },
      body: eventView(event, number + 1).text,
    }
  }
}
