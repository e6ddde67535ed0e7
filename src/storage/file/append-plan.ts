/**
 * From appends that wait to the lines that would store them: decides each against the log and those before
 * it in the same batch, and words the commits. Writes nothing; that is `appender.ts`.
 */
import { claimedBy, decideAppend, type LogView } from '../../domain/append.ts'
import { type EventDraft, eventText, type StoredEvent, TOMBSTONE_TYPE } from '../../domain/event.ts'
import type { AppendOutcome, AppendRequest, StreamState } from '../../domain/ports.ts'
import type { MaybeLater } from '../../kit/maybe-later.ts'
import { BatchLines } from './batch-lines.ts'
import type { LogFollower } from './log-follower.ts'
import type { LogPoint } from './log-line.ts'
import type { IndexedEvent } from './pending-events.ts'

/** An append, and whom to answer. */
export type Waiting = {
  readonly request: AppendRequest
  readonly resolve: (outcome: AppendOutcome) => void
  readonly reject: (error: unknown) => void
}

/** A commit that is decided and worded, not yet written. */
export type Planned = {
  readonly waiting: Waiting
  readonly events: readonly IndexedEvent[]
  readonly outcome: AppendOutcome
  /** The log once this commit counts. */
  readonly point: LogPoint
}

/**
 * What a batch comes to. Each append is decided as if the commits before it in the batch counted: retries
 * and refusals hold only once those do.
 */
export type Plan = {
  readonly commits: readonly Planned[]
  readonly retries: readonly { readonly waiting: Waiting; readonly outcome: AppendOutcome }[]
  readonly refusals: readonly { readonly waiting: Waiting; readonly error: unknown }[]
}

/** A plan with the bytes that have to come to stand at the end of the log. */
type WordedPlan = { readonly plan: Plan; readonly bytes: Buffer }

/** What is settled about a stream by the events below position `end`. */
type FindState = (stream: string, end: number) => MaybeLater<StreamState>

/** Finds the stored event with an id among those below position `end`. */
type FindById = (
  stream: string,
  eventId: string,
  end: number,
) => MaybeLater<StoredEvent | undefined>

/** What an append is decided by, besides what the index says at once. */
export type LookUp = { readonly byId: FindById; readonly state: FindState }

/**
 * Only inside `exclusive` of the follower, at the end of the log.
 * @param prefix what has to stand before the first line
 */
export async function planBatch(
  follower: LogFollower,
  lookUp: LookUp,
  batch: readonly Waiting[],
  prefix: string,
): Promise<WordedPlan> {
  const view = new BatchView(follower, lookUp)
  const lines = new BatchLines(prefix, batch.length)
  const commits: Planned[] = []
  const retries: { waiting: Waiting; outcome: AppendOutcome }[] = []
  const refusals: { waiting: Waiting; error: unknown }[] = []
  let offset = follower.end.size + prefix.length
  for (const waiting of batch) {
    try {
      const decided = decideAppend(view, waiting.request)
      const decision = decided instanceof Promise ? await decided : decided
      if (decision.kind === 'already-there') {
        retries.push({ waiting, outcome: { kind: 'already-there', events: decision.events } })
        continue
      }
      const nowMs = Math.max(follower.options.clock.now(), view.point.createdAtMs)
      const point = { ...view.point, offset, createdAtMs: nowMs }
      const commit = wordCommit(lines, waiting, decision.firstVersion, point)
      offset = commit.point.offset
      commits.push(commit)
      const later = view.note(commit)
      if (later !== undefined) await later
    } catch (error) {
      refusals.push({ waiting, error })
    }
  }
  return { plan: { commits, retries, refusals }, bytes: lines.all }
}

/** @param at the end of the log before this commit, with the time and the place it will have */
function wordCommit(
  lines: BatchLines,
  waiting: Waiting,
  firstVersion: number,
  at: LogPoint,
): Planned {
  const { createdBy, stream, events: drafts } = waiting.request
  const { segment, offset: lineOffset, createdAtMs } = at
  const { producer } = claimedBy(waiting.request)
  const isOwned = producer !== undefined
  const facts = { stream, createdBy, createdAtMs, ...(isOwned && { producer }) }
  const texts = drafts.map((draft, index) =>
    eventText(draft, { ...facts, version: firstVersion + index, position: at.count + index }),
  )
  const { worded, length } = lines.add(at, texts)
  const stored: StoredEvent[] = []
  const events: IndexedEvent[] = []
  let { hash } = at
  for (const [index, event] of worded.entries()) {
    const { json, start } = event
    const { eventType, eventId } = drafts[index] as EventDraft
    hash = event.hash
    stored.push({ position: at.count + index, hash, json })
    const place = { segment, offset: lineOffset + start, length: json.length, lineOffset }
    events.push({ ...place, createdAtMs, hash, stream, eventType, eventId, isOwned })
  }
  const end = { count: at.count + events.length, hash, segment, offset: lineOffset + length }
  return {
    waiting,
    events,
    outcome: { kind: 'appended', events: stored },
    point: { ...end, createdAtMs },
  }
}

type PlannedEvent = { readonly stream: string; readonly stored: StoredEvent }

/** The log as it will be once the commits planned so far count. */
class BatchView implements LogView {
  point: LogPoint
  private readonly follower: LogFollower
  private readonly lookUp: LookUp
  private readonly states = new Map<string, StreamState>()
  private readonly versions = new Map<string, number>()
  /** By id, in whatever stream. */
  private readonly events = new Map<string, PlannedEvent[]>()

  constructor(follower: LogFollower, lookUp: LookUp) {
    this.follower = follower
    this.lookUp = lookUp
    this.point = follower.point
  }

  get head() {
    return { count: this.point.count, hash: this.point.hash }
  }

  lastVersion(stream: string): number {
    const planned = this.versions.get(stream)
    if (planned !== undefined) return planned
    const { index, point } = this.follower
    const last = index.lastVersion(stream, point.count)
    this.versions.set(stream, last)
    return last
  }

  find(stream: string, eventId: string): MaybeLater<StoredEvent | undefined> {
    const planned = this.events.get(eventId)?.find((event) => event.stream === stream)
    return planned?.stored ?? this.lookUp.byId(stream, eventId, this.follower.point.count)
  }

  streamState(stream: string): MaybeLater<StreamState> {
    return this.states.get(stream) ?? this.lookUp.state(stream, this.follower.point.count)
  }

  note(commit: Planned): Promise<void> | undefined {
    const { outcome, events, point, waiting } = commit
    const { stream } = waiting.request
    const isDeleted = events.at(-1)?.eventType === TOMBSTONE_TYPE
    const isMarked = isDeleted || claimedBy(waiting.request).producer !== undefined
    this.versions.set(stream, this.lastVersion(stream) + events.length)
    events.forEach(({ eventId }, index) => {
      const stored = outcome.events[index] as StoredEvent
      const same = this.events.get(eventId)
      if (same) same.push({ stream, stored })
      else this.events.set(eventId, [{ stream, stored }])
    })
    this.point = point
    return isMarked ? this.noteState(waiting.request, isDeleted) : undefined
  }

  private async noteState(request: AppendRequest, isDeleted: boolean): Promise<void> {
    const owner = (await this.streamState(request.stream)).owner ?? claimedBy(request).producer
    this.states.set(request.stream, { ...(owner && { owner }), isDeleted })
  }
}
