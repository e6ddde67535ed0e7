/**
 * Removes bodies from full files of a log: each file that holds some is written anew beside it and renamed
 * into its place. `docs/disk-format.md` tells what such a file looks like.
 *
 *  1. The file in use is ended first where something in it is to go; nothing is ever removed from a file
 *     that is appended to.
 *  2. A new file, with the lines that count, is written below `tmp/` and synced. A crash leaves a stray file.
 *  3. It is renamed over the old one; the folder is synced. Whoever has the old one open goes on with it.
 *
 * Offsets in the index and in the lines stay what they were, so nothing else has to change with the file.
 */
import { join } from 'node:path'
import { parseStoredEvent, scavengedText } from '../../domain/event.ts'
import type { DropRule, Progress, ScavengeReport } from '../../domain/ports.ts'
import type { Fd } from './disk.ts'
import { discard, writeTemporary } from './durable-write.ts'
import { segmentName } from './layout.ts'
import type { Lock } from './lock.ts'
import type { LogFollower } from './log-follower.ts'
import { headLine, type LineEvent, readLine, scavengedField, scavengedHead } from './log-line.ts'
import { makeRoom, seal } from './log-tail.ts'
import { type Place, Places } from './places.ts'
import { Segment } from './segment.ts'

const TAB = 9
/** Bytes that are written at once. */
const CHUNK_BYTES = 1 << 20

type Counts = { events: number; removed: number; bytesFreed: number }

/** @param progress counts files of the log */
export async function scavengeLog(
  follower: LogFollower,
  lock: Lock,
  drop: DropRule,
  progress: Progress = () => {},
): Promise<ScavengeReport> {
  await follower.snapshot()
  const counts: Counts = { events: 0, removed: 0, bytesFreed: 0 }
  const last = follower.point.segment
  for (let number = 1; number <= last; number++) {
    await scavengeFile(follower, lock, number, drop, counts)
    progress(number, last)
  }
  return counts
}

async function scavengeFile(
  follower: LogFollower,
  lock: Lock,
  number: number,
  drop: DropRule,
  counts: Counts,
): Promise<void> {
  const { disk, layout } = follower.options
  const segment = Segment.open(disk, layout, number, 'read')
  if (!segment) {
    // The one that the log goes on in may not be made yet.
    if (number === follower.point.segment) return
    throw follower.end.missing(number)
  }
  try {
    const dropped = await findDropped(follower, segment, drop, counts)
    if (dropped.size === 0) return
    if (!(await isEnded(follower, lock, number))) return
    const path = await writeTemporary(disk, layout.temporary, (fd) =>
      writeAnew(follower, segment, dropped, fd),
    )
    const before = segment.fileSize()
    const size = disk.status(path)?.size ?? before
    if (!(await putInPlace(follower, lock, segment, path))) return
    counts.removed += dropped.size
    counts.bytesFreed += before - size
  } finally {
    segment.close()
  }
}

/** The commits of a file, with the bytes of their lines. */
async function* commits(follower: LogFollower, segment: Segment) {
  let point = segment.head()
  const start = segment.checkHead(point.count, point.hash, follower.options.storeId)
  for await (const run of segment.lines(start, segment.size())) {
    for (const { line, offset } of run) {
      const meaning = readLine(line, offset, point)
      if (meaning.kind === 'damage') throw follower.end.damaged('The log is damaged', { offset })
      if (meaning.kind === 'void') continue
      yield { meaning, line, offset, position: point.count }
      if (meaning.kind !== 'commit') return
      point = { count: point.count + meaning.events.length, hash: meaning.hash }
    }
  }
}

async function findDropped(
  follower: LogFollower,
  segment: Segment,
  drop: DropRule,
  counts: Counts,
): Promise<Set<number>> {
  const dropped = new Set<number>()
  for await (const { meaning, position } of commits(follower, segment)) {
    if (meaning.kind !== 'commit') break
    // The bytes of a line are gone once the next ones are asked for; the rule may read the log.
    const events = meaning.events.map(({ json, hash, isScavenged }, at) => ({
      event: parseStoredEvent({ position: position + at, hash, json }),
      position: position + at,
      isScavenged,
    }))
    for (const { event, position: at, isScavenged } of events) {
      if (isScavenged) continue
      counts.events++
      if (await drop(event, at)) dropped.add(at)
    }
  }
  return dropped
}

/** True where nothing is appended to the file any more; the one in use is ended. */
async function isEnded(follower: LogFollower, lock: Lock, number: number): Promise<boolean> {
  if (number < follower.point.segment) return true
  const held = await lock.acquire()
  try {
    return await follower.exclusive(async () => {
      await makeRoom(follower)
      if (number === follower.point.segment) await seal(follower)
      await makeRoom(follower)
      return number < follower.point.segment
    })
  } finally {
    held.release()
  }
}

async function writeAnew(
  follower: LogFollower,
  segment: Segment,
  dropped: ReadonlySet<number>,
  fd: Fd,
): Promise<void> {
  const { disk, storeId } = follower.options
  const { count, hash } = segment.head()
  const head = scavengedHead(headLine(segment.number, count, hash, storeId), segment.size())
  const places: Place[] = []
  let chunks: Buffer[] = [head]
  let held = 0
  let at = head.length
  let isWhole = false
  for await (const { meaning, line, offset, position } of commits(follower, segment)) {
    isWhole = meaning.kind !== 'commit'
    const events = meaning.kind === 'commit' ? meaning.events : []
    const isChanged = events.some((_, index) => dropped.has(position + index))
    const bytes = isChanged ? withoutBodies(line, events, position, dropped) : line
    // A line is valid until the next ones are read.
    chunks.push(Buffer.from(bytes), LINE_FEED)
    held += bytes.length
    if (held > CHUNK_BYTES) {
      await disk.writeMuch(fd, Buffer.concat(chunks))
      chunks = []
      held = 0
    }
    places.push({ before: offset, now: at })
    at += bytes.length + 1
  }
  // What is left of a damaged end must stay for whoever restores it.
  if (!isWhole) {
    const message = `The end of file ${segmentName(segment.number)} of the log is missing`
    throw follower.end.damaged(message, { segment: segment.number })
  }
  await disk.writeMuch(fd, Buffer.concat([...chunks, Places.table(places, segment.size())]))
}

const LINE_FEED = Buffer.from('\n')

/** The line with the fields before its events as they are. */
function withoutBodies(
  line: Buffer,
  events: readonly LineEvent[],
  position: number,
  dropped: ReadonlySet<number>,
): Buffer {
  let start = 0
  for (let fields = 0; fields < 4; fields++) start = line.indexOf(TAB, start) + 1
  const texts = events.map((event, at) => {
    const { json, hash, isScavenged } = event
    const text = json.toString('utf8')
    const isLast = at === events.length - 1
    if (isScavenged) return scavengedField(hash, text, isLast)
    if (!dropped.has(position + at)) return text
    const left = scavengedText({ position: position + at, hash, json })
    return scavengedField(hash, left, isLast)
  })
  return Buffer.concat([line.subarray(0, start), Buffer.from(texts.join('\t'))])
}

/** False where another process has replaced the file meanwhile: what it removed must not come back. */
async function putInPlace(
  follower: LogFollower,
  lock: Lock,
  segment: Segment,
  from: string,
): Promise<boolean> {
  const { disk, layout } = follower.options
  const path = join(layout.segments, segmentName(segment.number))
  const held = await lock.acquire()
  try {
    if (disk.status(path)?.size !== segment.fileSize()) {
      discard(disk, from)
      return false
    }
    disk.rename(from, path)
  } catch (error) {
    discard(disk, from)
    throw error
  } finally {
    held.release()
  }
  await disk.syncFolder(layout.segments)
  follower.forgetSegment(segment.number)
  return true
}
