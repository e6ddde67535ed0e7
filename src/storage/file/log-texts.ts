/**
 * The log as readers get it, without taking events apart: lines are checked and then rewritten where they stand
 * in the memory that they were read into. That fits, since what a line has in front of its event is longer than
 * the hash that a reader gets in it.
 *
 * Nearly every line holds one event, follows the line before it and ends in the member of the hash. Whatever is
 * otherwise is left to the one who knows lines: `log-line.ts`.
 */
import { chainHash, type EventHash, type StoredEvent } from '../../domain/event.ts'
import { eventTextSize, findHashHole, writeEventText, writeHash } from '../../domain/event-text.ts'
import { numberEnd } from './log-line.ts'

/** How far a reader is, and which events he wants. */
export type TextPoint = {
  count: number
  hash: EventHash
  readonly from: number
  readonly to: number
}

const TAB = 9
const LF = 10
const OPEN = 0x7b
const CLOSE = 0x7d
const HASH = 64
/** `null}` at the end of an event. */
const HOLE = 5

/**
 * Rewrites complete lines into the texts of their events, each behind `separator`.
 * @param offset where the first line stands in its file
 * @returns `length`: bytes of texts at the beginning of `bytes`; `read`: bytes of lines that were rewritten, or
 * skipped; what follows them is as it was
 */
export function rewriteLines(
  bytes: Buffer,
  offset: number,
  point: TextPoint,
  separator: number,
): { readonly length: number; readonly read: number } {
  let at = 0
  let start = 0
  while (start < bytes.length && point.count < point.to) {
    const end = bytes.indexOf(LF, start)
    const from = textStart(bytes, start, end, offset + start, point)
    if (from < 0) break
    const json = bytes.subarray(from, end)
    if (findHashHole(json) !== json.length - HOLE) break
    const stated = bytes.toString('latin1', start, start + HASH) as EventHash
    if (chainHash(point.hash, json) !== stated) break
    // Nothing before the first event that is wanted is met here: it would share its line with it.
    bytes[at] = separator
    bytes.copyWithin(at + 1, from, end - HOLE)
    at = writeHash(stated, bytes, at + 1 + json.length - HOLE)
    bytes[at++] = CLOSE
    point.hash = stated
    point.count++
    start = end + 1
  }
  return { length: at, read: start }
}

/** Where the event of a line begins that holds one and follows `point`; -1: this line is another. */
function textStart(
  bytes: Buffer,
  start: number,
  end: number,
  offset: number,
  { count, hash }: TextPoint,
): number {
  const previous = start + HASH + 1
  if (end - start < 2 * HASH + 6 || bytes[previous - 1] !== TAB) return -1
  if (bytes[previous + HASH] !== TAB) return -1
  if (bytes.toString('latin1', previous, previous + HASH) !== hash) return -1
  const offsetEnd = numberEnd(bytes, previous + HASH + 1, offset)
  const positionEnd = offsetEnd < 0 ? -1 : numberEnd(bytes, offsetEnd + 1, count)
  if (positionEnd < 0 || bytes[positionEnd + 1] !== OPEN) return -1
  const tab = bytes.indexOf(TAB, positionEnd + 1)
  return tab < 0 || tab > end ? positionEnd + 1 : -1
}

/** The texts of events, each behind `separator`. */
export function joinTexts(events: readonly StoredEvent[], separator: number): Buffer {
  const size = events.reduce((sum, event) => sum + 1 + eventTextSize(event), 0)
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const event of events) {
    bytes[at] = separator
    at = writeEventText(event, bytes, at + 1)
  }
  return bytes.subarray(0, at)
}
