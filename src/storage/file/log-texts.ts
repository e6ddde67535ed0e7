/**
 * The log as readers get it, without taking events apart: lines are checked and then rewritten where they stand
 * in the memory that they were read into. That fits, since what a line has in front of its event is longer than
 * the hash that a reader gets in it.
 *
 * Nearly every line holds one event, follows the line before it and ends in the member of the hash. Whatever is
 * otherwise is left to the one who knows lines: `log-line.ts`.
 */
import { type EventHash, LINK_BYTES, linkedHash, type StoredEvent } from '../../domain/event.ts'
import { endsInHash, eventTextSize, writeEventText } from '../../domain/event-text.ts'
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
const QUOTE = 0x22
const OPEN = 0x7b
const CLOSE = 0x7d
const HASH = 64
/** Where a line says what it follows, and where it says at which offset it stands. */
const PREVIOUS = HASH + 1
const OFFSET = PREVIOUS + HASH + 1
/** `null}` at the end of an event. */
const HOLE = 5

/** The hash of the event that was met last, as bytes: comparing those takes no string for each line. */
const known = Buffer.allocUnsafeSlow(HASH)
const knownWords = new DataView(known.buffer)

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
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  known.write(point.hash, 'latin1')
  let at = 0
  let start = 0
  while (start < bytes.length && point.count < point.to) {
    const from = textStart(bytes, words, start, offset + start, point.count)
    if (from < 0) break
    const end = textEnd(bytes, from)
    if (end < 0) break
    // What is hashed stands in one run once the hash before it is moved next to it.
    bytes.copyWithin(from - LINK_BYTES, start + PREVIOUS, start + PREVIOUS + HASH)
    bytes[from - 1] = LF
    const hash = linkedHash(bytes.subarray(from - LINK_BYTES, end))
    known.write(hash, 'latin1')
    if (!isKnown(words, start)) {
      bytes.write(`\t${point.hash}\t${offset + start}\t${point.count}\t`, start + HASH, 'latin1')
      break
    }
    // Nothing before the first event that is wanted is met here: it would share its line with it.
    bytes[at] = separator
    bytes.copyWithin(at + 1, from, end - HOLE)
    at += 1 + end - HOLE - from
    bytes[at] = QUOTE
    bytes.set(known, at + 1)
    bytes[at + 1 + HASH] = QUOTE
    bytes[at + 2 + HASH] = CLOSE
    at += HASH + 3
    point.hash = hash
    point.count++
    start = end + 1
  }
  return { length: at, read: start }
}

/** Where the event of a line begins that follows the one before it; -1: this line is another. */
function textStart(
  bytes: Buffer,
  words: DataView,
  start: number,
  offset: number,
  count: number,
): number {
  if (start + OFFSET > bytes.length || bytes[start + HASH] !== TAB) return -1
  if (bytes[start + OFFSET - 1] !== TAB || !isKnown(words, start + PREVIOUS)) return -1
  const offsetEnd = numberEnd(bytes, start + OFFSET, offset)
  const positionEnd = offsetEnd < 0 ? -1 : numberEnd(bytes, offsetEnd + 1, count)
  return positionEnd < 0 || bytes[positionEnd + 1] !== OPEN ? -1 : positionEnd + 1
}

/** Where the event ends that begins at `from`; -1 where others share its line, or its hash is not last in it. */
function textEnd(bytes: Buffer, from: number): number {
  // The next tab mostly stands behind the hash of the next line: one search, then, finds both ends.
  const tab = bytes.indexOf(TAB, from)
  const before = tab < 0 ? bytes.length - 1 : tab - HASH - 1
  if (bytes[before] === LF && endsInHash(bytes, from, before)) return before
  const end = bytes.indexOf(LF, from)
  const isAlone = tab < 0 || tab > end
  return isAlone && endsInHash(bytes, from, end) ? end : -1
}

/** Whether the hash of the event that was met last stands at `at`. */
function isKnown(words: DataView, at: number): boolean {
  for (let index = 0; index < HASH; index += 4) {
    if (words.getInt32(at + index, true) !== knownWords.getInt32(index, true)) return false
  }
  return true
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
