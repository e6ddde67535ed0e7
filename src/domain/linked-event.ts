/** Events on their way from log to log: how one tells them, and what every engine checks of each that it takes in. */
import { AppError } from './app-error.ts'
import {
  chainHash,
  EMPTY_HASH,
  type ParsedEvent,
  parseStoredEvent,
  scavengedText,
} from './event.ts'
import { nameProblem } from './name.ts'
import type { LinkedEvent, LogEngine } from './ports.ts'

/** The first `count` events of a log, each with the hash before it. */
export async function* linkedEvents(log: LogEngine, count: number): AsyncGenerator<LinkedEvent> {
  let previous = EMPTY_HASH
  for await (const events of log.readLog(0, count, 'forwards')) {
    for (const { json, hash, isScavenged } of events) {
      yield { json, hash, previous, ...(isScavenged && { isScavenged }) }
      previous = hash
    }
  }
}

/**
 * @param position where it is to stand, for the message
 * @throws AppError `import-refused` where the hash is wrong or the text is no event
 */
export function checkLinkedEvent(linked: LinkedEvent, position: number): ParsedEvent {
  const { json, hash, previous, isScavenged } = linked
  if (!isScavenged && chainHash(previous, json) !== hash)
    throw refusedImport(position, 'has a wrong hash')
  if (json.includes(9) || json.includes(10))
    throw refusedImport(position, 'holds a tab or a line feed')
  // Where an engine keeps text, other bytes would come back as others.
  if (!Buffer.from(Buffer.from(json).toString('utf8')).equals(json)) {
    throw refusedImport(position, 'is not UTF-8')
  }
  const event = parse(linked, position)
  // Nothing proves this text, so that it must not say more than a removal leaves.
  if (isScavenged && !(event && isWhatIsLeft(linked, position))) {
    throw refusedImport(position, 'says more than a removal leaves')
  }
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

function isWhatIsLeft({ json, hash }: LinkedEvent, position: number): boolean {
  return Buffer.from(scavengedText({ json, hash, position })).equals(json)
}

/** @param problem what is wrong with the event at `position` */
export function refusedImport(position: number, problem: string): AppError {
  return new AppError('import-refused', `Event ${position} ${problem}`, { position })
}
