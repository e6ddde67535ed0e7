/**
 * Events in the on-disk layout of the original Apie, read and written. Their bytes and hashes stay exactly
 * as they are; the log takes them in by an append of its own. Content is `original-content.ts`.
 *
 *     index                                 a line each: 10-digit sequence from 1, space, hash, LF
 *     <2 hex>/<64 hex>/<10 digits>.json     previous hash, LF, event JSON; named by its hash and sequence
 *                                           (previous hash, LF, "~", check, SP, what is left: of a scavenged one)
 *     tmp/                                  files not yet in place
 */
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import {
  CHECK_DIGITS,
  chainHash,
  EMPTY_HASH,
  type EventHash,
  findEventHash,
  parseEventId,
  scavengedCheck,
} from '../../domain/event.ts'
import { nameProblem } from '../../domain/name.ts'
import type { LinkedEvent, Progress } from '../../domain/ports.ts'
import type { Disk, Fd } from './disk.ts'
import { discard, replaceFile, writeTemporary } from './durable-write.ts'
import { readWhole } from './read-whole.ts'

/** Ten digits, a space, 64 hex digits, a line feed. */
const LINE_BYTES = 76
const LINES_AT_ONCE = 1024
/** Events that are written at the same time: what each of them waits for is the disk. */
const AT_ONCE = 64
const TILDE = 0x7e
/** Where the text begins that is left of a scavenged event: behind hash, LF, `~`, check and space. */
const LEFT = 65 + 1 + CHECK_DIGITS + 1
const LINE = /^([0-9]{10}) ([0-9a-f]{64})\n$/

/**
 * The events of a folder in their order, each checked: its place in the index, its hash, its link to the one
 * before it, and the members every event has.
 * @throws AppError `import-refused` with fact `sequence` at the first that is not right
 */
export async function* readOriginalEvents(
  disk: Disk,
  folder: string,
  progress?: Progress,
): AsyncGenerator<LinkedEvent> {
  const fd = disk.openRead(join(folder, 'index'))
  if (fd === undefined) throw new AppError('import-refused', 'The folder has no file "index"')
  try {
    const total = Math.floor(disk.size(fd) / LINE_BYTES)
    let previous = EMPTY_HASH
    let sequence = 0
    for await (const line of indexLines(disk, fd)) {
      sequence++
      const hash = hashOfLine(line, sequence)
      yield readEvent(disk, folder, { sequence, hash, previous })
      previous = hash
      progress?.(sequence, total)
    }
  } finally {
    disk.close(fd)
  }
}

async function* indexLines(disk: Disk, fd: Fd): AsyncGenerator<string> {
  const buffer = Buffer.alloc(LINE_BYTES * LINES_AT_ONCE)
  for (let at = 0; ; at += buffer.length) {
    const count = await disk.readMuch(fd, buffer, at)
    for (let start = 0; start < count; start += LINE_BYTES) {
      yield buffer.toString('latin1', start, Math.min(start + LINE_BYTES, count))
    }
    if (count < buffer.length) return
  }
}

function hashOfLine(line: string, sequence: number): EventHash {
  const [, digits, hash] = LINE.exec(line) ?? []
  if (Number(digits) !== sequence || hash === undefined) {
    throw refusal(sequence, `Line ${sequence} of the index is not that of event ${sequence}`)
  }
  return hash as EventHash
}

type Place = { readonly sequence: number; readonly hash: EventHash; readonly previous: EventHash }

function readEvent(disk: Disk, folder: string, place: Place): LinkedEvent {
  const { sequence, hash, previous } = place
  const bytes = readWhole(disk, eventPath(folder, sequence, hash))
  if (bytes === undefined) throw refusal(sequence, `The file of event ${sequence} is missing`)
  const link = findEventHash(bytes.toString('latin1', 0, 64))
  if (link === undefined || bytes[64] !== 10) {
    throw refusal(sequence, `The file of event ${sequence} does not begin with a hash`)
  }
  const isScavenged = bytes[65] === TILDE
  const json = bytes.subarray(isScavenged ? LEFT : 65)
  const isRight = isScavenged
    ? bytes.toString('latin1', 66, LEFT) === `${scavengedCheck(hash, json)} `
    : chainHash(link, json) === hash
  if (!isRight) {
    throw refusal(sequence, `The bytes of event ${sequence} do not have its hash`)
  }
  if (link !== previous) throw refusal(sequence, `Event ${sequence} does not follow the one before`)
  const problem = problemOf(json)
  if (problem) throw refusal(sequence, `Event ${sequence} ${problem}`)
  return { json, hash, previous, ...(isScavenged && { isScavenged }) }
}

/** Why these bytes are no event, in words that follow its name. */
function problemOf(json: Buffer): string | undefined {
  if (json.includes(9) || json.includes(10)) return 'is written on several lines or with tabs'
  try {
    const event = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json))
    parseEventId(String(event.eventId))
    const isWhole =
      typeof event.eventType === 'string' &&
      event.body !== undefined &&
      typeof event.createdBy === 'string' &&
      (event.stream === undefined || nameProblem(event.stream) === undefined) &&
      !Number.isNaN(Date.parse(event.createdAt)) &&
      event.hash === null
    return isWhole ? undefined : 'lacks a member that every event has'
  } catch {
    return 'is not the JSON of an event'
  }
}

/**
 * Writes events into a folder, which is made where it is missing and must hold no `index`:
 * 1. each event through a temporary file, synced and renamed; a crash leaves events that no index names
 * 2. the index, which grows in a temporary file meanwhile, synced and renamed: the events are there
 * Writing again after a crash replaces what the first attempt left.
 * @returns the number of events
 * @throws AppError `usage` where the folder has an index already
 */
export async function writeOriginalEvents(
  disk: Disk,
  folder: string,
  events: AsyncIterable<LinkedEvent>,
  progress?: (done: number) => void,
): Promise<number> {
  const index = join(folder, 'index')
  if (disk.status(index)) {
    throw new AppError('usage', 'The folder holds events already: name an empty one')
  }
  const temporary = join(folder, 'tmp')
  for (const path of [folder, temporary]) disk.makeFolder(path)
  let sequence = 0
  const grown = await writeTemporary(disk, temporary, async (fd) => {
    for await (const some of batchesOf(events)) {
      const first = sequence + 1
      const written = some.map((event, at) => writeEvent(disk, folder, first + at, event))
      // All of them have ended before the temporary files of a failure are left behind.
      for (const one of await Promise.allSettled(written)) {
        if (one.status === 'rejected') throw one.reason
      }
      sequence += some.length
      const lines = some.map(({ hash }, at) => `${digits(first + at)} ${hash}\n`)
      await disk.writeMuch(fd, Buffer.from(lines.join('')))
      progress?.(sequence)
    }
  })
  await putInPlace(disk, grown, index, folder)
  return sequence
}

/** Copies, since what a log hands out is valid until more is asked for. */
async function* batchesOf(events: AsyncIterable<LinkedEvent>): AsyncGenerator<LinkedEvent[]> {
  let batch: LinkedEvent[] = []
  for await (const event of events) {
    batch.push({ ...event, json: Uint8Array.from(event.json) })
    if (batch.length < AT_ONCE) continue
    yield batch
    batch = []
  }
  yield batch
}

async function putInPlace(disk: Disk, from: string, to: string, folder: string): Promise<void> {
  try {
    disk.rename(from, to)
  } catch (error) {
    discard(disk, from)
    throw error
  }
  await disk.syncFolder(folder)
}

async function writeEvent(
  disk: Disk,
  folder: string,
  sequence: number,
  event: LinkedEvent,
): Promise<void> {
  const path = eventPath(folder, sequence, event.hash)
  const own = join(path, '..')
  const fanOut = join(own, '..')
  const isNewFanOut = disk.makeFolder(fanOut)
  disk.makeFolder(own)
  const { previous, hash, json, isScavenged } = event
  const mark = isScavenged ? `~${scavengedCheck(hash, json)} ` : ''
  const bytes = Buffer.concat([Buffer.from(`${previous}\n${mark}`), json])
  await replaceFile(disk, join(folder, 'tmp'), path, bytes)
  await disk.syncFolder(fanOut)
  if (isNewFanOut) await disk.syncFolder(folder)
}

function eventPath(folder: string, sequence: number, hash: EventHash): string {
  return join(folder, hash.slice(0, 2), hash, `${digits(sequence)}.json`)
}

function digits(sequence: number): string {
  return String(sequence).padStart(10, '0')
}

function refusal(sequence: number, message: string): AppError {
  return new AppError('import-refused', message, { sequence })
}
