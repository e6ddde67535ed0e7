/**
 * Compare and append, for all appends of this process that wait at the same time.
 *
 *  1. Bring the follower to the end of the log; take the lock (it saves work, it proves nothing).
 *  2. Look again at the end; decide each append against exactly that state.
 *  3. Write all lines in one `write(2)`; each states where it has to stand and what it follows.
 *  4. Read back what stands there. Something else: another writer was there first, nothing of ours counts,
 *     start again. The beginning of ours: the disk took only a part, the whole lines in it count.
 *  5. Let go of the lock; sync. A failed sync is final: nobody knows what is on disk.
 *  6. Write index and head, then answer.
 *
 * Killed after 3: the events are in the log, unacknowledged; the client's retry finds them by their ids.
 * Killed within 3: a torn line, void for ever; the next writer ends it with a mark that no line ends with.
 * Killed after 5: as after 3, with the index behind; whoever comes next reads the lines behind it.
 */

import { AppError } from '../../domain/app-error.ts'
import { decideAppend, type LogView } from '../../domain/append.ts'
import { eventText, type StoredEvent } from '../../domain/event.ts'
import type { AppendOutcome, AppendRequest } from '../../domain/ports.ts'
import { streamSequence } from '../../domain/sequence.ts'
import type { Lock } from './lock.ts'
import type { LogFollower } from './log-follower.ts'
import type { IndexedEvent } from './log-index.ts'
import { commitLine, type LogPoint, sealLine } from './log-line.ts'
import { Segment } from './segment.ts'
import type { Suspicion } from './suspicion.ts'

/** Finds the stored event with an id; `end` as in `log-index.ts`. */
export type FindById = (
  stream: string,
  eventId: string,
  end: number,
) => Promise<StoredEvent | undefined>

type Waiting = {
  readonly request: AppendRequest
  readonly resolve: (outcome: AppendOutcome) => void
  readonly reject: (error: unknown) => void
}

/** A commit that is decided and worded, not yet written. */
type Planned = {
  readonly waiting: Waiting
  readonly line: string
  readonly bytes: number
  readonly events: readonly IndexedEvent[]
  readonly outcome: AppendOutcome
  /** The log once this commit counts. */
  readonly point: LogPoint
}

type Plan = {
  readonly commits: readonly Planned[]
  readonly retries: readonly { readonly waiting: Waiting; readonly outcome: AppendOutcome }[]
}

/** Most bytes of lines that go into one write. */
const BATCH_BYTES = 8 << 20
/** Lost races after which a writer gives up. */
const MOST_ROUNDS = 50
/** Ends the rest of a killed write so that it can never count, whatever was missing from it. */
const VOID_MARK = '~\n'
const SPARE_BYTES = 1 << 20

export class Appender {
  private readonly follower: LogFollower
  private readonly lock: Lock
  private readonly findById: FindById
  private readonly suspicion: Suspicion
  private waiting: Waiting[] = []
  private running: Promise<void> | undefined

  constructor(follower: LogFollower, lock: Lock, findById: FindById, suspicion: Suspicion) {
    this.follower = follower
    this.lock = lock
    this.findById = findById
    this.suspicion = suspicion
  }

  append(request: AppendRequest): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, resolve, reject })
      this.running ??= this.run()
    })
  }

  async close(): Promise<void> {
    await this.running
  }

  private async run(): Promise<void> {
    // Whatever else this turn of the event loop brings goes into the same batch.
    await Promise.resolve()
    while (this.waiting.length > 0) {
      const batch = this.takeBatch()
      try {
        await this.store(batch)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.running = undefined
  }

  private takeBatch(): Waiting[] {
    let bytes = 0
    const isFull = this.waiting.findIndex(({ request }) => {
      bytes += roughBytes(request)
      return bytes > BATCH_BYTES
    })
    return this.waiting.splice(0, isFull < 0 ? this.waiting.length : Math.max(isFull, 1))
  }

  private async store(batch: readonly Waiting[]): Promise<void> {
    this.suspicion.refuse()
    let open = batch
    let short: AppError | undefined
    for (let round = 1; open.length > 0; round++) {
      if (round > MOST_ROUNDS) {
        throw new AppError('lock-timeout', 'Other writers were first too many times')
      }
      const result = await this.follower.exclusive(() => this.round(open))
      open = result.lost
      short = result.short
      await this.acknowledge(result.plan)
      if (short) break
    }
    for (const { reject } of open) reject(short)
  }

  /** One attempt to write: what counts now, and which appends have to be tried again. */
  private async round(
    batch: readonly Waiting[],
  ): Promise<{ plan: Plan; lost: readonly Waiting[]; short: AppError | undefined }> {
    const { follower } = this
    await follower.catchUp()
    const lock = await this.lock.acquire()
    try {
      await this.makeRoom()
      if (follower.damage) throw follower.damage
      const prefix = this.prefix()
      const plan = await this.plan(batch, follower.size + prefix.length)
      const isLate = plan.commits.length > 0 && !lock.isFresh()
      if (isLate)
        return {
          plan: { commits: [], retries: plan.retries },
          lost: waiters(plan),
          short: undefined,
        }
      follower.isAppending = true
      return await this.write(plan, prefix)
    } finally {
      lock.release()
    }
  }

  /** Makes sure that there is a file to append to, and one that is not full. */
  private async makeRoom(): Promise<void> {
    const { follower } = this
    const { options } = follower
    await follower.catchUp()
    if (follower.damage) return
    const { segment, size } = follower
    if (segment && size >= options.segmentBytes) {
      const prefix = this.prefix()
      const seal = sealLine(follower.point, size + prefix.length)
      options.disk.appendOnce(segment.fd, Buffer.concat([Buffer.from(prefix), seal]))
      await options.disk.syncData(segment.fd)
      await follower.catchUp()
    }
    while (!follower.segment && !follower.damage) {
      const { count, hash, segment: number } = follower.point
      await Segment.make(options.disk, options.layout, {
        number: Math.max(number, 1),
        position: count,
        previous: hash,
        storeId: options.storeId,
      })
      await follower.catchUp()
    }
  }

  /** What has to stand before the next line: nothing, or the end of somebody's torn line. */
  private prefix(): string {
    const { segment, size, voidBytes, options } = this.follower
    if (!segment || voidBytes === 0) return ''
    const last = Buffer.alloc(1)
    options.disk.readAt(segment.fd, last, size - 1)
    return last[0] === 10 ? '' : VOID_MARK
  }

  private async plan(batch: readonly Waiting[], offset: number): Promise<Plan> {
    const { follower } = this
    const view = new BatchView(follower, this.findById)
    const commits: Planned[] = []
    const retries: { waiting: Waiting; outcome: AppendOutcome }[] = []
    let end = offset
    for (const waiting of batch) {
      try {
        const decision = await decideAppend(view, waiting.request)
        if (decision.kind === 'already-there') {
          retries.push({ waiting, outcome: { kind: 'already-there', events: decision.events } })
          continue
        }
        const commit = this.word(waiting, decision.firstVersion, view.point, end)
        end += commit.bytes
        commits.push(commit)
        view.note(commit)
      } catch (error) {
        waiting.reject(error)
      }
    }
    return { commits, retries }
  }

  private word(waiting: Waiting, firstVersion: number, point: LogPoint, offset: number): Planned {
    const { stream, createdBy, events: drafts } = waiting.request
    const createdAtMs = Math.max(this.follower.options.clock.now(), point.createdAtMs)
    const texts = drafts.map((draft, index) => {
      const version = firstVersion + index
      const position = point.count + index
      return eventText(draft, { stream, version, position, createdBy, createdAtMs })
    })
    const { line, hashes } = commitLine(point.hash, offset, point.count, texts)
    const json = texts.map((text) => Buffer.from(text))
    const bytes = Buffer.byteLength(line)
    let start = offset + bytes - 1 - json.reduce((sum, text) => sum + text.length + 1, -1)
    const events = drafts.map((draft, index): IndexedEvent => {
      const length = json[index]?.length ?? 0
      const at = start
      start += length + 1
      return {
        segment: this.follower.segment?.number ?? 0,
        offset: at,
        length,
        lineOffset: offset,
        createdAtMs,
        hash: hashes[index] ?? point.hash,
        stream,
        eventType: draft.eventType,
        eventId: draft.eventId,
      }
    })
    return {
      waiting,
      line,
      bytes,
      events,
      outcome: {
        kind: 'appended',
        events: events.map(({ hash }, index) => ({
          position: point.count + index,
          hash,
          json: json[index] as Buffer,
        })),
      },
      point: {
        count: point.count + drafts.length,
        hash: hashes.at(-1) ?? point.hash,
        segment: this.follower.segment?.number ?? 0,
        offset: offset + bytes,
        createdAtMs,
      },
    }
  }

  private async write(
    plan: Plan,
    prefix: string,
  ): Promise<{ plan: Plan; lost: readonly Waiting[]; short: AppError | undefined }> {
    const { follower } = this
    const { disk, layout } = follower.options
    const { segment, size } = follower
    if (!segment || plan.commits.length === 0) return { plan, lost: [], short: undefined }
    const bytes = Buffer.from(prefix + plan.commits.map(({ line }) => line).join(''))
    if (disk.free(layout.segments).bytes < bytes.length + SPARE_BYTES) {
      throw new AppError('storage-full', 'There is no space left to store this')
    }
    const taken = disk.appendOnce(segment.fd, bytes)
    if (taken === bytes.length && stands(follower, bytes, size)) {
      this.noteCommits(plan.commits, size + taken)
      return { plan, lost: [], short: undefined }
    }
    // Another writer was there first, or the disk took a part: the log itself says what counts.
    await follower.catchUp()
    const counts = (commit: Planned) => this.isThere(commit)
    const commits = plan.commits.filter(counts)
    const lost = plan.commits.filter((commit) => !counts(commit)).map(({ waiting }) => waiting)
    const short =
      taken < bytes.length
        ? new AppError('storage-full', 'The disk took only a part of what was written')
        : undefined
    return { plan: { commits, retries: plan.retries }, lost, short }
  }

  private noteCommits(commits: readonly Planned[], size: number): void {
    for (const { events } of commits) for (const event of events) this.follower.index.add(event)
    const last = commits.at(-1)
    if (last) this.follower.noteOwn(last.point, size)
  }

  private isThere(commit: Planned): boolean {
    const first = commit.events[0]
    if (!first) return false
    return this.follower.index.findHash(first.hash, this.follower.point.count) !== undefined
  }

  /** Syncs what was written and answers everybody in the plan. */
  private async acknowledge(plan: Plan): Promise<void> {
    const { follower } = this
    try {
      await follower.makeDurable()
    } catch (error) {
      const cause = this.suspicion.raise(error)
      for (const { waiting } of [...plan.commits, ...plan.retries]) waiting.reject(cause)
      follower.isAppending = false
      throw cause
    }
    await follower.exclusive(() => follower.writeIndex())
    follower.isAppending = false
    for (const { waiting, outcome } of [...plan.commits, ...plan.retries]) waiting.resolve(outcome)
  }
}

/** The log as it will be once the commits planned so far count. */
class BatchView implements LogView {
  point: LogPoint
  private readonly follower: LogFollower
  private readonly findById: FindById
  private readonly versions = new Map<string, number>()
  private readonly events = new Map<string, StoredEvent>()

  constructor(follower: LogFollower, findById: FindById) {
    this.follower = follower
    this.findById = findById
    this.point = follower.point
  }

  get head() {
    return { count: this.point.count, hash: this.point.hash }
  }

  lastVersion(stream: string): number {
    const planned = this.versions.get(stream)
    if (planned !== undefined) return planned
    const { index, point } = this.follower
    return index.sequenceHead(streamSequence(stream), point.count)?.number ?? -1
  }

  find(
    stream: string,
    eventId: string,
  ): StoredEvent | undefined | Promise<StoredEvent | undefined> {
    return (
      this.events.get(`${stream}/${eventId}`) ??
      this.findById(stream, eventId, this.follower.point.count)
    )
  }

  note({ outcome, events, point }: Planned): void {
    for (const [index, stored] of outcome.events.entries()) {
      const { stream, eventId } = events[index] as IndexedEvent
      this.versions.set(stream, this.lastVersion(stream) + 1)
      this.events.set(`${stream}/${eventId}`, stored)
    }
    this.point = point
  }
}

function waiters(plan: Plan): Waiting[] {
  return plan.commits.map(({ waiting }) => waiting)
}

function stands(follower: LogFollower, bytes: Buffer, offset: number): boolean {
  const { segment, options } = follower
  if (!segment) return false
  const found = Buffer.allocUnsafe(bytes.length)
  return options.disk.readAt(segment.fd, found, offset) === bytes.length && found.equals(bytes)
}

function roughBytes(request: AppendRequest): number {
  return request.events.reduce((sum, { body, metadata }) => {
    const size = body.kind === 'json' ? body.text.length : body.bytes.length * 1.4
    return sum + size + (metadata?.length ?? 0) + 600
  }, 0)
}
