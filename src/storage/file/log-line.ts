/**
 * The text of a log: how a commit is written as one line, and when a line that is found counts.
 *
 *     <hash> TAB <previous hash> TAB <offset> TAB <position> { TAB <event JSON> } LF      a commit
 *     #apie TAB 2 TAB … TAB <store id> TAB <size> LF         head of a file that was scavenged
 *     #seal TAB <previous hash> TAB <offset> TAB <position> TAB <checksum> LF             end of a file
 *     #moved TAB <previous hash> TAB <offset> TAB <position> TAB <generation> TAB <checksum> LF    end of a log
 *     #apie TAB 1 TAB <number> TAB <position> TAB <previous hash> TAB <store id> LF       head of a file
 *
 * An event whose body was removed is a field `~<hash> <check> <text that is left>`, with `-` for
 * a hash that the line begins with.
 *
 * A commit counts if and only if
 *   (a) it is complete, with its line feed,
 *   (b) its hash is that of its last event, chained from the previous hash through all its events,
 *   (c) the offset it states is where it stands in its file,
 *   (d) its previous hash is that of the last commit before it that counts,
 *   (e) its position is the number of events before it, and
 *   (f) no seal, and no line that ends the log, stands before it.
 * Anything else is void: the rest of a killed write, or a commit that lost the race for its place. Two
 * writers that both believe in the same end of the file cannot both be right about (c), so the lock is not
 * needed for correctness. A line with (a), (b) and (c) but not (d) and (e) cannot come from a race: a line
 * before it was changed or removed, and that is damage.
 *
 * Reading and writing the bytes is `segment.ts`.
 */
import { CHECK_DIGITS, chainHash, type EventHash, scavengedCheck } from '../../domain/event.ts'
import { sha256Hex } from '../../kit/sha256.ts'

/** Where a log ends: events so far, hash of the last one, and the place behind its line. */
export type LogPoint = {
  readonly count: number
  readonly hash: EventHash
  /** Number of the file, from 1. */
  readonly segment: number
  /** Bytes from the beginning of that file to the end of the last line that counts. */
  readonly offset: number
  /** `createdAt` of the last event; 0 before the first. */
  readonly createdAtMs: number
}

/** One event inside a line: its bytes and its hash. */
export type LineEvent = {
  readonly json: Buffer
  readonly hash: EventHash
  readonly start: number
  readonly isScavenged?: true
}

export type LineMeaning =
  | { readonly kind: 'commit'; readonly events: readonly LineEvent[]; readonly hash: EventHash }
  | { readonly kind: 'seal' }
  /** The log ends here for ever; it goes on in another, which has this number. */
  | { readonly kind: 'moved'; readonly generation: number }
  | { readonly kind: 'void' }
  /** Right in itself, but not the next one; `position` is what it states. */
  | {
      readonly kind: 'damage'
      readonly events: readonly LineEvent[]
      readonly hash: EventHash
      readonly position: number
    }

/** Nothing follows this point, so that a line is judged by itself. */
export const NOWHERE = { count: -1, hash: '' as EventHash }

const TAB = 9
const LF = 10
const HASH = 64
/** More than stands in a line before its first event. */
const HEAD_BYTES = 2 * HASH + 40
const TILDE = 0x7e
const SPACE = 0x20
const VOID: LineMeaning = { kind: 'void' }

/** The head line of a file; without checksum, since every part of it is known from elsewhere. */
export function headLine(segment: number, position: number, previous: EventHash, storeId: string) {
  return Buffer.from(`#apie\t1\t${segment}\t${position}\t${previous}\t${storeId}\n`)
}

/** The head line of a file that was scavenged; `size` is what it had before. */
export function scavengedHead(head: Buffer, size: number): Buffer {
  const text = head.toString('latin1').replace(/^#apie\t1\t/, '#apie\t2\t')
  return Buffer.from(text.replace(/\n$/, `\t${size}\n`), 'latin1')
}

/** The line that ends a file at `point`, when it is written at `offset`. */
export function sealLine(point: LogPoint, offset: number): Buffer {
  const facts = `${point.hash}\t${offset}\t${point.count}`
  return Buffer.from(`#seal\t${facts}\t${sha256Hex(facts)}\n`)
}

/** The line that ends a log at `point`, when it is written at `offset`: it goes on in another one. */
export function movedLine(point: LogPoint, offset: number, generation: number): Buffer {
  const facts = `${point.hash}\t${offset}\t${point.count}\t${generation}`
  return Buffer.from(`#moved\t${facts}\t${sha256Hex(facts)}\n`)
}

/** The line of a commit at `offset` that follows `previous`, and the hash of each of its events. */
export function commitLine(
  previous: EventHash,
  offset: number,
  position: number,
  texts: readonly Uint8Array[],
): { readonly line: Buffer; readonly hashes: readonly EventHash[] } {
  const hashes: EventHash[] = []
  let hash = previous
  for (const text of texts) {
    hash = chainHash(hash, text)
    hashes.push(hash)
  }
  const head = `${hash}\t${previous}\t${offset}\t${position}`
  const size = texts.reduce((sum, text) => sum + 1 + text.length, head.length + 1)
  const line = Buffer.allocUnsafe(size)
  let at = line.write(head, 'latin1')
  for (const text of texts) {
    line[at] = TAB
    line.set(text, at + 1)
    at += 1 + text.length
  }
  line[at] = LF
  return { line, hashes }
}

/** Bytes that `writeCommit` needs at most. */
export function commitBytes(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + 1 + Buffer.byteLength(text), HEAD_BYTES + 1)
}

/**
 * Writes the line of a commit behind `before` into larger memory, from `from` on.
 * @returns its events, whose bytes are views, and where it ends
 */
export function writeCommit(
  into: Buffer,
  from: number,
  before: Pick<LogPoint, 'count' | 'hash' | 'offset'>,
  texts: readonly string[],
): { readonly events: readonly LineEvent[]; readonly end: number } {
  const events: LineEvent[] = []
  let { hash } = before
  let at = from + HASH
  at += into.write(`\t${hash}\t${before.offset}\t${before.count}`, at, 'latin1')
  for (const text of texts) {
    into[at] = TAB
    const start = at + 1
    at = start + into.write(text, start)
    const json = into.subarray(start, at)
    hash = chainHash(hash, json)
    events.push({ json, hash, start: start - from })
  }
  into.write(hash, from, 'latin1')
  into[at] = LF
  return { events, end: at + 1 }
}

/**
 * What a complete line means that was found at `offset` when the log so far ends at `point`.
 * @param line without its line feed
 */
export function readLine(
  line: Buffer,
  offset: number,
  point: Pick<LogPoint, 'count' | 'hash'>,
): LineMeaning {
  if (line[0] === 0x23) return readSeal(line, offset, point)
  if (line.length < 2 * HASH + 6 || line[HASH] !== TAB || line[2 * HASH + 1] !== TAB) return VOID
  const offsetEnd = numberEnd(line, 2 * HASH + 2, offset)
  const positionEnd = offsetEnd < 0 ? -1 : line.indexOf(TAB, offsetEnd + 1)
  if (positionEnd < 0) return VOID
  const heads = line.toString('latin1', 0, 2 * HASH + 1)
  const previous = heads.slice(HASH + 1) as EventHash
  const isNext =
    previous === point.hash && numberEnd(line, offsetEnd + 1, point.count) === positionEnd
  const stated = heads.slice(0, HASH) as EventHash
  const events = chainEvents(line, positionEnd + 1, previous, stated)
  const hash = events.at(-1)?.hash
  if (hash === undefined || hash !== stated) return VOID
  if (isNext) return { kind: 'commit', events, hash }
  const position = Number(line.toString('latin1', offsetEnd + 1, positionEnd))
  return { kind: 'damage', events, hash, position }
}

function chainEvents(
  line: Buffer,
  from: number,
  previous: EventHash,
  stated: EventHash,
): LineEvent[] {
  const events: LineEvent[] = []
  let hash = previous
  let start = from
  while (start <= line.length) {
    const tab = line.indexOf(TAB, start)
    const end = tab < 0 ? line.length : tab
    const field = line.subarray(start, end)
    if (field[0] === TILDE) {
      const left = readScavenged(field, start, stated)
      if (!left) return []
      hash = left.hash
      events.push(left)
    } else {
      hash = chainHash(hash, field)
      events.push({ json: field, hash, start })
    }
    start = end + 1
  }
  return events
}

/**
 * The field of an event whose body was removed. Its check tells that nothing else of it was changed.
 * @param isLast whether it is the last one in its line, whose hash the line begins with
 */
export function scavengedField(hash: EventHash, text: string, isLast: boolean): string {
  return `~${isLast ? '-' : hash} ${scavengedCheck(hash, text)} ${text}`
}

/** The line at `offset` of one event that was taken over from another log without its body. */
export function scavengedLine(
  point: Pick<LogPoint, 'count' | 'hash'>,
  offset: number,
  hash: EventHash,
  text: string,
): Buffer {
  const field = scavengedField(hash, text, true)
  return Buffer.from(`${hash}\t${point.hash}\t${offset}\t${point.count}\t${field}\n`)
}

function readScavenged(field: Buffer, start: number, stated: EventHash): LineEvent | undefined {
  const hashEnd = field.indexOf(SPACE)
  const text = hashEnd + 1 + CHECK_DIGITS + 1
  const written = field.toString('latin1', 1, hashEnd)
  const hash = written === '-' ? stated : (written as EventHash)
  const json = field.subarray(text)
  const check = field.toString('latin1', hashEnd + 1, text)
  if (hash.length !== HASH || check !== `${scavengedCheck(hash, json)} `) return undefined
  return { json, hash, start: start + text, isScavenged: true }
}

function readSeal(
  line: Buffer,
  offset: number,
  point: Pick<LogPoint, 'count' | 'hash'>,
): LineMeaning {
  const [mark, ...fields] = line.toString('latin1').split('\t')
  const checksum = fields.pop()
  const [previous, statedOffset, position, generation] = fields
  const isKnown =
    (mark === '#seal' && fields.length === 3) || (mark === '#moved' && fields.length === 4)
  const isWhole =
    isKnown && statedOffset === String(offset) && checksum === sha256Hex(fields.join('\t'))
  if (!isWhole) return VOID
  const isNext = previous === point.hash && position === String(point.count)
  if (isNext && mark === '#moved') return { kind: 'moved', generation: Number(generation) }
  if (isNext) return { kind: 'seal' }
  return { kind: 'damage', events: [], hash: previous as EventHash, position: Number(position) }
}

/** Where the tab stands that ends exactly the decimal form of `value` from `start` on; -1: something else does. */
export function numberEnd(line: Buffer, start: number, value: number): number {
  let number = 0
  let at = start
  for (let byte = line[at]; byte !== TAB; byte = line[++at]) {
    const digit = (byte ?? 0) - 0x30
    const isSpare = at - start > 15 || (at > start && number === 0)
    if (digit < 0 || digit > 9 || isSpare) return -1
    number = number * 10 + digit
  }
  return at > start && number === value ? at : -1
}
