/**
 * What moving a private log into another one needs: events of several streams in one commit, and the line that
 * ends the old log. When and what is moved is `record-copy.ts`.
 *
 * Both are compare-and-append like every other line: they go behind a certain head or do not count.
 */
import { type EventDraft, type EventHash, eventText, type StoredEvent } from '../../domain/event.ts'
import type { LogHead } from '../../domain/ports.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import type { Lock } from './lock.ts'
import type { LogFollower } from './log-follower.ts'
import { commitLine, type LogPoint, movedLine } from './log-line.ts'
import { makeRoom, voidPrefix, writeIndexed } from './log-tail.ts'
import type { IndexedEvent } from './pending-events.ts'

export type StreamDraft = { readonly stream: StreamName; readonly draft: EventDraft }

/**
 * Stores `events` whole or not at all, in one line.
 * @returns false where the log does not end at `head`; nothing was stored
 */
export async function appendTogether(
  follower: LogFollower,
  lock: Lock,
  head: LogHead,
  events: readonly StreamDraft[],
): Promise<boolean> {
  return follower.exclusive(async () => {
    follower.suspicion.refuse()
    await follower.catchUp()
    const held = await lock.acquire()
    try {
      await makeRoom(follower)
      if (!isAt(follower, head) || !writeCommit(follower, events)) return false
    } finally {
      held.release()
    }
    await follower.makeDurable()
    await follower.writeIndex()
    return true
  })
}

/**
 * Ends the log. The lock is held while `finish` brings the other log up to date, so that other writers wait
 * instead of being ahead again and again; that nobody was is shown by the head.
 * @param finish the head that the other log has all events up to; `undefined`: it has not
 * @returns false where somebody has appended behind that head
 */
export async function moveOn(
  follower: LogFollower,
  lock: Lock,
  generation: number,
  finish: () => Promise<LogHead | undefined>,
): Promise<boolean> {
  const held = await lock.acquire()
  try {
    const head = await finish()
    if (!head) return false
    return await follower.exclusive(async () => {
      await makeRoom(follower)
      const { segment, options, point } = follower
      if (!segment || !isAt(follower, head)) return false
      const prefix = voidPrefix(follower)
      const line = movedLine(point, follower.end.size + prefix.length, generation)
      options.disk.appendOnce(segment.fd, Buffer.concat([Buffer.from(prefix), line]))
      await follower.syncs.sync(segment)
      await follower.catchUp()
      return follower.end.movedTo === generation
    })
  } finally {
    held.release()
  }
}

function isAt({ point }: LogFollower, { count, hash }: LogHead): boolean {
  return point.count === count && point.hash === hash
}

function writeCommit(follower: LogFollower, events: readonly StreamDraft[]): boolean {
  const { point, options, index } = follower
  const prefix = voidPrefix(follower)
  const offset = follower.end.size + prefix.length
  const createdAtMs = Math.max(options.clock.now(), point.createdAtMs)
  const versions = new Map<string, number>()
  const texts = events.map(({ stream, draft }, at) => {
    const last = versions.get(stream) ?? index.lastVersion(stream, point.count)
    versions.set(stream, last + 1)
    const place = { stream, version: last + 1, position: point.count + at }
    return Buffer.from(eventText(draft, { ...place, createdBy: '-', createdAtMs }))
  })
  const { line, hashes } = commitLine(point.hash, offset, point.count, texts)
  const stored = texts.map((text, at) => ({
    position: point.count + at,
    hash: hashes[at] as EventHash,
    json: text,
  }))
  const bytes = Buffer.concat([Buffer.from(prefix), line])
  const indexed = placed(events, stored, { ...point, offset, createdAtMs }, line.length)
  if (!writeIndexed(follower, bytes, indexed).isWhole) return false
  const hash = hashes.at(-1) as EventHash
  const end = offset + line.length
  const count = point.count + events.length
  follower.end.noteOwn({ ...point, count, hash, offset: end, createdAtMs }, end)
  return true
}

/** Where each event stands: the texts fill the end of the line. */
function placed(
  events: readonly StreamDraft[],
  stored: readonly StoredEvent[],
  { segment, offset, createdAtMs }: LogPoint,
  lineBytes: number,
): IndexedEvent[] {
  let start = offset + lineBytes - stored.reduce((sum, { json }) => sum + json.length + 1, 0)
  return stored.map(({ hash, json }, at) => {
    const place = { segment, offset: start, length: json.length, lineOffset: offset }
    start += json.length + 1
    const { stream, draft } = events[at] as StreamDraft
    const { eventType, eventId } = draft
    return { ...place, createdAtMs, hash, stream, eventType, eventId, isOwned: false }
  })
}
