/** Whether an event of a database follows the one before it: by its hash, or by the check of what is left of it. */
import { AppError } from '../../domain/app-error.ts'
import {
  chainHash,
  EMPTY_HASH,
  type EventHash,
  type Position,
  type StoredEvent,
  scavengedCheck,
} from '../../domain/event.ts'

/**
 * What is wrong with an event, in words.
 * @param previous hash of the event before it
 * @param check of an event without its body
 */
export function linkProblem(
  previous: EventHash,
  { hash, json, isScavenged }: StoredEvent,
  check: string | undefined,
): string | undefined {
  if (!isScavenged) {
    return chainHash(previous, json) === hash ? undefined : 'The event does not chain'
  }
  if (check === scavengedCheck(hash, json)) return undefined
  return 'What is left of a scavenged event was changed'
}

/**
 * An event that may be served: the chain or the check proves it.
 * @param previous hash of the event before it; `undefined` where there is none
 * @param check    as above
 * @throws AppError `log-damaged`
 */
export function provenEvent(
  event: StoredEvent,
  previous: EventHash | undefined,
  check: string | undefined,
): StoredEvent {
  const link = event.position === 0 ? EMPTY_HASH : previous
  if (link === undefined || linkProblem(link, event, check)) throw damagedEvent(event.position)
  return event
}

/** Also for one that is not where the log has to have one. */
export const damagedEvent = (position: Position): AppError =>
  new AppError('log-damaged', `The event at position ${position} is damaged`, { position })
