/**
 * Entity tags of events and of lists of them: the hash of an event, and behind it what else the bytes of the
 * answer depend on. Where nothing else does, the hash alone.
 */
import type { Principal } from '../../domain/account.ts'
import type { EventHash, StoredEvent } from '../../domain/event.ts'
import type { EventRange } from '../../domain/event-log.ts'
import type { LogHead } from '../../domain/ports.ts'
import { sha256Hex } from '../../kit/sha256.ts'

/** What is left of an event is another text than the one that had the hash alone as its tag. */
export function eventTag({ hash, isScavenged }: Pick<StoredEvent, 'hash' | 'isScavenged'>): string {
  return isScavenged ? `${hash}-scavenged` : hash
}

export type ListTag = {
  readonly hash: EventHash
  readonly tag: string
  /** What a client may name to say that it has the list. */
  readonly known: readonly string[]
}

/**
 * `undefined` for an empty list.
 * @param mark `rightsMark` where events may have been left out
 */
export function listTag(
  { tag: hash, isScavenged }: Pick<EventRange, 'tag' | 'isScavenged'>,
  mark: string | undefined,
  isLines: boolean,
): ListTag | undefined {
  if (hash === undefined) return undefined
  const highest = eventTag({ hash, ...(isScavenged && { isScavenged }) })
  const events = mark === undefined ? highest : `${highest}-${mark}`
  if (!isLines) return { hash, tag: events, known: [events] }
  // Clients name the events that they have by hash, in whatever form they got them.
  const lines = `${events}-ndjson`
  return { hash, tag: lines, known: [lines, events] }
}

const MARK_DIGITS = 16

/**
 * Changes whenever the rights of an account may have: they follow from who it is and from what the log holds.
 * @param head read before any of the rights: otherwise a list of old rights could get the mark of new ones
 */
export function rightsMark(principal: Principal, { count }: LogHead): string {
  const { name, role, isAnonymous, groups = [] } = principal
  const facts = JSON.stringify([count, name, role, isAnonymous, groups])
  return sha256Hex(facts).slice(0, MARK_DIGITS)
}

/** The hash that a tag of ours begins with; another tag as it is. */
export function hashOfTag(tag: string): string {
  return /^[0-9a-f]{64}-/.test(tag) ? tag.slice(0, 64) : tag
}
