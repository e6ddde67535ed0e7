/**
 * Takes in events that have their text and hash already, byte for byte, such as the history of another
 * store. Each becomes a commit of its own.
 */
import { parseStoredEvent } from '../../domain/event.ts'
import { checkLinkedEvent, refusedImport } from '../../domain/linked-event.ts'
import type { ImportCount, LinkedEvent, Progress } from '../../domain/ports.ts'
import type { Lock } from './lock.ts'
import type { LogFollower } from './log-follower.ts'
import { commitLine, type LogPoint, scavengedLine } from './log-line.ts'
import { makeRoom, voidPrefix, writeIndexed } from './log-tail.ts'
import type { IndexedEvent } from './pending-events.ts'

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
  events: AsyncIterable<LinkedEvent>,
  progress: Progress = () => {},
): Promise<ImportCount> {
  const there = await follower.snapshot()
  let position = 0
  let bytes = 0
  let group: LinkedEvent[] = []
  const flush = async () => {
    if (group.length > 0) await writeGroup(follower, lock, group, position - group.length)
    group = []
    bytes = 0
    progress(position, position)
  }
  for await (const event of events) {
    checkLinkedEvent(event, position)
    if (position < there) {
      if (follower.index.entry(position).hash !== event.hash)
        throw refusedImport(position, 'is another')
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

async function writeGroup(
  follower: LogFollower,
  lock: Lock,
  group: readonly LinkedEvent[],
  position: number,
): Promise<void> {
  await follower.exclusive(async () => {
    follower.suspicion.refuse()
    await follower.catchUp()
    const held = await lock.acquire()
    try {
      await makeRoom(follower)
      const isNext = follower.point.count === position && follower.point.hash === group[0]?.previous
      if (!isNext) throw refusedImport(position, 'does not follow the end of the log')
      writeCommits(follower, group)
    } finally {
      held.release()
    }
    await follower.makeDurable()
    await follower.writeIndex()
  })
}

function writeCommits(follower: LogFollower, group: readonly LinkedEvent[]): void {
  const prefix = voidPrefix(follower)
  let { point } = follower
  let offset = follower.end.size + prefix.length
  const lines: Buffer[] = []
  const indexed: IndexedEvent[] = []
  for (const { json, hash, isScavenged } of group) {
    const line = isScavenged
      ? scavengedLine(point, offset, hash, Buffer.from(json).toString())
      : commitLine(point.hash, offset, point.count, [json]).line
    const { length } = line
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
  if (!isWhole)
    throw refusedImport(follower.point.count, 'could not be written; run the import again')
  follower.end.noteOwn(point, offset)
}
