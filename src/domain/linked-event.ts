/** What every engine checks of an event that it takes in with its hash. */
import { AppError } from './app-error.ts'
import { chainHash, type ParsedEvent, parseStoredEvent } from './event.ts'
import { nameProblem } from './name.ts'
import type { LinkedEvent } from './ports.ts'

/**
 * @param position where it is to stand, for the message
 * @throws AppError `import-refused` where the hash is wrong or the text is no event
 */
export function checkLinkedEvent(linked: LinkedEvent, position: number): ParsedEvent {
  const { json, hash, previous } = linked
  if (chainHash(previous, json) !== hash) throw refusedImport(position, 'has a wrong hash')
  if (json.includes(9) || json.includes(10))
    throw refusedImport(position, 'holds a tab or a line feed')
  // Where an engine keeps text, other bytes would come back as others.
  if (!Buffer.from(Buffer.from(json).toString('utf8')).equals(json)) {
    throw refusedImport(position, 'is not UTF-8')
  }
  const event = parse(linked, position)
  const isEvent = typeof event?.eventId === 'string' && typeof event.eventType === 'string'
  if (!event || !isEvent || nameProblem(event.stream)) throw refusedImport(position, 'is no event')
  return event
}

function parse({ json, hash }: LinkedEvent, position: number): ParsedEvent | undefined {
  try {
    return parseStoredEvent({ json, hash, position })
  } catch {
    return undefined
  }
}

/** @param problem what is wrong with the event at `position` */
export function refusedImport(position: number, problem: string): AppError {
  return new AppError('import-refused', `Event ${position} ${problem}`, { position })
}
