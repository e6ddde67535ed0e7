/** Whether an event of a database follows the one before it: by its hash, or by the check of what is left of it. */
import { chainHash, type EventHash, type StoredEvent, scavengedCheck } from '../../domain/event.ts'

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
