/**
 * Takes in events that have their text and hash already, byte for byte, such as the history of another
 * store. Each becomes a commit of its own.
 */
import { AppError } from '../../domain/app-error.ts'
import { chainHash, type EventHash, parseStoredEvent } from '../../domain/event.ts'
import { nameProblem } from '../../domain/name.ts'
import type { Progress } from '../../domain/ports.ts'
import type { Lock } from './lock.ts'
import type { LogFollower } from './log-follower.ts'
import type { IndexedEvent } from './log-index.ts'
import { commitLine, type LogPoint } from './log-line.ts'
import { makeRoom, voidPrefix, writeIndexed } from './log-tail.ts'

/** An event with its place in a chain. */
export type ImportedEvent = {
  readonly json: Uint8Array
  readonly hash: EventHash
  readonly previous: EventHash
}

export type ImportCount = { readonly imported: number; readonly alreadyThere: number }

const GROUP_BYTES = 1 << 20

/**
 * Appends `events` to a log that is empty or holds the beginning of the same history.
 * @param progress is told the events done; their total is not known, and given as the same number
 * @throws AppError `import-refused` where the history does not fit the log, or its chain is broken; what was
 * taken in before stays, and the same import goes on behind it
 */
export async function importEvents(
  follower: LogFollower,
  lock: Lock,
  events: AsyncIterable<ImportedEvent>,
  progress: Progress = () => {},
): Promise<ImportCount> {
  const there = await follower.snapshot()
  let position = 0
  let bytes = 0
  let group: ImportedEvent[] = []
  const flush = async () => {
    if (group.length > 0) await writeGroup(follower, lock, group, position - group.length)
    group = []
    bytes = 0
    progress(position, position)
  }
  for await (const event of events) {
    check(event, position)
    if (position < there) {
      if (follower.index.entry(position).hash !== event.hash) throw refused(position, 'is another')
    } else {
      group.push({ ...event, json: Uint8Array.from(event.json) })
      bytes += event.json.length
    }
    position++
    if (bytes > GROUP_BYTES) await flush()
  }
  await flush()
  return { imported: Math.max(0, position - there), alreadyThere: Math.min(position, there) }
}

function check({ json, hash, previous }: ImportedEvent, position: number): void {
  if (chainHash(previous, json) !== hash) throw refused(position, 'has a wrong hash')
  if (json.includes(9) || json.includes(10)) throw refused(position, 'holds a tab or a line feed')
  const event = parse(json, hash, position)
  const isEvent = typeof event?.eventId === 'string' && typeof event.eventType === 'string'
  if (!isEvent || nameProblem(event.stream)) throw refused(position, 'is no event')
}

function parse(json: Uint8Array, hash: EventHash, position: number) {
  try {
    return parseStoredEvent({ json, hash, position })
  } catch {
    return undefined
  }
}

function refused(position: number, problem: string): AppError {
  return new AppError('import-refused', `Event ${position} ${problem}`, { position })
}

async function writeGroup(
  follower: LogFollower,
  lock: Lock,
  group: readonly ImportedEvent[],
  position: number,
): Promise<void> {
  await follower.exclusive(async () => {
    follower.suspicion.refuse()
    await follower.catchUp()
    const held = await lock.acquire()
    try {
      await makeRoom(follower)
      const isNext = follower.point.count === position && follower.point.hash === group[0]?.previous
      if (!isNext) throw refused(position, 'does not follow the end of the log')
      writeCommits(follower, group)
    } finally {
      held.release()
    }
    await follower.makeDurable()
    await follower.writeIndex()
  })
}

function writeCommits(follower: LogFollower, group: readonly ImportedEvent[]): void {
  const prefix = voidPrefix(follower)
  let { point } = follower
  let offset = follower.size + prefix.length
  const lines: string[] = []
  const indexed: IndexedEvent[] = []
  for (const { json, hash } of group) {
    const { line } = commitLine(point.hash, offset, point.count, [Buffer.from(json).toString()])
    const length = Buffer.byteLength(line)
    const event = parseStoredEvent({ json, hash, position: point.count })
    const createdAtMs = Math.max(point.createdAtMs, Date.parse(event.createdAt) || 0)
    indexed.push({
      segment: point.segment,
      offset: offset + length - 1 - json.length,
      length: json.length,
      lineOffset: offset,
      createdAtMs,
      hash,
      stream: event.stream,
      eventType: event.eventType,
      eventId: event.eventId.toLowerCase(),
      isOwned: event.producer !== undefined,
    })
    lines.push(line)
    offset += length
    point = { ...point, count: point.count + 1, hash, offset, createdAtMs } satisfies LogPoint
  }
  const { isWhole } = writeIndexed(follower, Buffer.from(prefix + lines.join('')), indexed)
  if (!isWhole) throw refused(follower.point.count, 'could not be written; run the import again')
  follower.noteOwn(point, offset)
}
