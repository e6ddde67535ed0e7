/** From the events of a line that counts to what the index has to know of them. */
import { parseStoredEvent } from '../../domain/event.ts'
import type { LineEvent, LogPoint } from './log-line.ts'
import type { IndexedEvent } from './pending-events.ts'

/**
 * @param point the end of the log before the line
 * @param lineOffset where the line begins
 * @param end the offset behind it
 */
export function lineEvents(
  events: readonly LineEvent[],
  point: LogPoint,
  lineOffset: number,
  end: number,
): { readonly indexed: readonly IndexedEvent[]; readonly point: LogPoint } {
  const { segment } = point
  let { count, createdAtMs, hash } = point
  const indexed: IndexedEvent[] = []
  for (const { json, hash: own, start } of events) {
    const { stream, eventType, eventId, createdAt, producer } = parseStoredEvent({
      position: count,
      hash: own,
      json,
    })
    createdAtMs = Math.max(createdAtMs, Date.parse(createdAt) || 0)
    const place = { segment, offset: lineOffset + start, length: json.length, lineOffset }
    const isOwned = producer !== undefined
    indexed.push({ ...place, createdAtMs, hash: own, stream, eventType, eventId, isOwned })
    hash = own
    count++
  }
  return { indexed, point: { count, hash, segment, offset: end, createdAtMs } }
}
