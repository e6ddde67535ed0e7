/**
 * From appends that wait to the lines that would store them: decides each against the log and those before
 * it in the same batch, and words the commits. Writes nothing; that is `appender.ts`.
 */
import { claimedBy, decideAppend, type LogView } from '../../domain/append.ts'
import {
  type EventDraft,
  type EventHash,
  eventText,
  type StoredEvent,
  TOMBSTONE_TYPE,
} from '../../domain/event.ts'
import type { AppendOutcome, AppendRequest, StreamState } from '../../domain/ports.ts'
import type { MaybeLater } from '../../kit/maybe-later.ts'
import type { LogFollower } from './log-follower.ts'
import { commitLine, type LogPoint } from './log-line.ts'
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
  readonly line: Buffer
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
 * @param offset where the first line will stand
 */
export async function planBatch(
  follower: LogFollower,
  lookUp: LookUp,
  batch: readonly Waiting[],
  offset: number,
): Promise<Plan> {
  const view = new BatchView(follower, lookUp)
  const commits: Planned[] = []
  const retries: { waiting: Waiting; outcome: AppendOutcome }[] = []
  const refusals: { waiting: Waiting; error: unknown }[] = []
  let end = offset
  for (const waiting of batch) {
    try {
      const decided = decideAppend(view, waiting.request)
      const decision = decided instanceof Promise ? await decided : decided
      if (decision.kind === 'already-there') {
        retries.push({ waiting, outcome: { kind: 'already-there', events: decision.events } })
        continue
      }
      const nowMs = Math.max(follower.options.clock.now(), view.point.createdAtMs)
      const point = { ...view.point, offset: end, createdAtMs: nowMs }
      const commit = wordCommit(waiting, decision.firstVersion, point)
      end += commit.line.length
      commits.push(commit)
      const later = view.note(commit)
      if (later !== undefined) await later
    } catch (error) {
      refusals.push({ waiting, error })
    }
  }
  return { commits, retries, refusals }
}

/** @param at the end of the log before this commit, with the time and the place it will have */
function wordCommit(waiting: Waiting, firstVersion: number, at: LogPoint): Planned {
  const { request } = waiting
  const { createdBy, stream } = request
  const { createdAtMs } = at
  const producer = claimedBy(request)
  const texts = request.events.map((draft, index) => {
    const number = { version: firstVersion + index, position: at.count + index }
    return Buffer.from(eventText(draft, { stream, ...number, createdBy, createdAtMs, ...producer }))
  })
  const { line, hashes } = commitLine(at.hash, at.offset, at.count, texts)
  const events = request.events.map((draft, index) => ({
    position: at.count + index,
    hash: hashes[index] as EventHash,
    json: texts[index] as Buffer,
    draft,
  }))
  return {
    waiting,
    line,
    events: placeEvents(events, request, at, line.length),
    outcome: {
      kind: 'appended',
      events: events.map(({ position, hash, json }) => ({ position, hash, json })),
    },
    point: {
      count: at.count + events.length,
      hash: hashes.at(-1) as EventHash,
      segment: at.segment,
      offset: at.offset + line.length,
      createdAtMs,
    },
  }
}

/** Where each event of a line stands in the file; the texts fill the end of the line. */
function placeEvents(
  events: readonly (StoredEvent & { readonly draft: EventDraft })[],
  request: AppendRequest,
  { segment, offset, createdAtMs }: LogPoint,
  lineBytes: number,
): IndexedEvent[] {
  const texts = events.reduce((sum, { json }) => sum + json.length + 1, 0)
  const { stream } = request
  const isOwned = claimedBy(request).producer !== undefined
  let start = offset + lineBytes - texts
  return events.map(({ hash, json, draft }) => {
    const place = { segment, offset: start, length: json.length, lineOffset: offset }
    start += json.length + 1
    const { eventType, eventId } = draft
    return { ...place, createdAtMs, hash, stream, eventType, eventId, isOwned }
  })
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
