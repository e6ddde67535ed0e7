/**
 * Compare and append, for all appends of this process that wait at the same time.
 *
 *  1. Bring the follower to the end of the log; take the lock (it saves work, it proves nothing).
 *  2. Look again at the end; decide each append against exactly that state.
 *  3. Write all lines in one `write(2)`; each states where it has to stand and what it follows.
 *  4. Read back what stands there. Something else: another writer was there first, nothing of ours counts,
 *     start again. The beginning of ours: the disk took only a part, the whole lines in it count.
 *  5. Let go of the lock; sync. A failed sync is final: nobody knows what is on disk.
 *  6. Write index and head, then answer; a process that goes on answers first, and has another thread write
 *     the index of many events while it takes further ones.
 *
 * Steps 1 to 4 are one loop, 5 and 6 another: while the disk syncs what was written, the next appends are
 * decided and written behind it, and the next sync takes them all. What an append was decided by may not be on
 * disk yet; it is when the append is answered, refusals too.
 *
 * Killed after 3: the events are in the log, unacknowledged; the client's retry finds them by their ids.
 * Killed within 3: a torn line, void for ever; the next writer ends it with a mark that no line ends with.
 * Killed after 5: as after 3, with the index behind; whoever comes next reads the lines behind it.
 */

import { AppError } from '../../domain/app-error.ts'
import type { EventHash } from '../../domain/event.ts'
import type { AppendOutcome, AppendRequest } from '../../domain/ports.ts'
import { type LookUp, type Plan, planBatch, type Waiting } from './append-plan.ts'
import { KeptLock } from './kept-lock.ts'
import type { HeldLock, Lock } from './lock.ts'
import type { LogFollower } from './log-follower.ts'
import { makeRoom, voidPrefix, writeIndexed } from './log-tail.ts'
import { outcomeUnknown, type Suspicion } from './suspicion.ts'

/** What came of one attempt to write. */
type Attempt = {
  /** What counts now, or counted before. */
  readonly plan: Plan
  /** Appends that have to be tried again. */
  readonly lost: readonly Waiting[]
  /** Why they cannot be tried again. */
  readonly short?: AppError
}

/** What is being synced, and why that failed. */
type BegunSync = { readonly plans: readonly Plan[]; readonly synced: Promise<AppError | undefined> }

/** Most bytes of lines, and most appends, that go into one write: the disk is to sync while others are decided. */
const BATCH_BYTES = 8 << 20
const BATCH_APPENDS = 32
/** Rounds in which a holder that took too long starts again; after them the batch itself is what takes long. */
const FRESH_ROUNDS = 3
/** Events behind the index at which a process that goes on writes it, and the time until it does, ms. */
const INDEX_EVENTS = 1024
const INDEX_MS = 20
/** Events from which on another thread writes it: a server that stores few at a time starts none. */
const BESIDE_EVENTS = 128
/** Events behind the index at which appends wait until what is being written of it is done. */
const MOST_PENDING = 4 * INDEX_EVENTS
/** Lost races after which a writer gives up: where no lock keeps the others away, a slow one loses three of four. */
const MOST_ROUNDS = 200

export class Appender {
  private readonly follower: LogFollower
  private readonly lock: KeptLock
  private readonly lookUp: LookUp
  private readonly suspicion: Suspicion
  private waiting: Waiting[] = []
  private writing: Promise<void> | undefined
  /** Written, but not known to be on disk. */
  private written: Plan[] = []
  private syncing: Promise<void> | undefined
  private readonly isLongLived: boolean
  private indexTimer: NodeJS.Timeout | undefined

  constructor(follower: LogFollower, lock: Lock, lookUp: LookUp, suspicion: Suspicion) {
    this.follower = follower
    this.isLongLived = follower.options.isLongLived ?? false
    this.lock = new KeptLock(lock, this.isLongLived)
    this.lookUp = lookUp
    this.suspicion = suspicion
  }

  append(request: AppendRequest): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, resolve, reject })
      this.writing ??= this.writeAll()
    })
  }

  async close(): Promise<void> {
    await this.writing
    await this.syncing
    this.lock.release()
    await this.settle()
  }

  /** Brings the index up to what was answered, where that waits for its time. */
  async settle(): Promise<void> {
    const isWriting = (this.syncing ?? this.follower.indexWriting) !== undefined
    if (this.indexTimer || isWriting) await this.writeIndex('now')
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0) {
      await this.turn()
      await this.store(this.takeBatch())
    }
    this.writing = undefined
    this.noteAnswered()
  }

  /** Whatever else this turn of the event loop brings goes into the same batch. */
  private async turn(): Promise<void> {
    if (this.isLongLived) await new Promise((resolve) => setImmediate(resolve))
    else await Promise.resolve()
  }

  private takeBatch(): Waiting[] {
    let bytes = 0
    const isFull = this.waiting.slice(0, BATCH_APPENDS).findIndex(({ request }) => {
      bytes += roughBytes(request)
      return bytes > BATCH_BYTES
    })
    return this.waiting.splice(0, isFull < 0 ? BATCH_APPENDS : Math.max(isFull, 1))
  }

  /** Never rejects; what was written is answered by its sync, whatever becomes of the rest. */
  private async store(batch: readonly Waiting[]): Promise<void> {
    let open = batch
    try {
      this.suspicion.refuse()
      for (let round = 1; open.length > 0; round++) {
        if (round > MOST_ROUNDS) {
          throw new AppError('lock-timeout', 'Other writers were first too many times')
        }
        const { plan, lost, short } = await this.attempt(open, round)
        open = lost
        this.written.push(plan)
        this.syncing ??= this.syncAll()
        if (short) throw short
      }
    } catch (error) {
      for (const { reject } of open) reject(error)
    }
  }

  /** Waits for the lock before it takes the follower, so that readers never wait for other writers. */
  private async attempt(batch: readonly Waiting[], round: number): Promise<Attempt> {
    const { follower } = this
    await follower.exclusive(() => follower.catchUp())
    const lock = await this.lock.take()
    try {
      return await follower.exclusive(() => this.writeBatch(batch, lock, round))
    } finally {
      this.lock.rest()
    }
  }

  private async writeBatch(
    batch: readonly Waiting[],
    lock: HeldLock,
    round: number,
  ): Promise<Attempt> {
    const { follower } = this
    await makeRoom(follower)
    const prefix = voidPrefix(follower)
    const { plan, bytes } = await planBatch(follower, this.lookUp, batch, prefix)
    if (plan.commits.length === 0) return { plan, lost: [] }
    if (round <= FRESH_ROUNDS && !lock.isFresh())
      return settled(plan, ({ events }) => this.areThere(events))
    follower.isAppending = true
    return await this.write(plan, bytes)
  }

  private async write(plan: Plan, bytes: Buffer): Promise<Attempt> {
    const { follower } = this
    const events = plan.commits.flatMap((commit) => commit.events)
    const { isWhole, isShort } = writeIndexed(follower, bytes, events)
    if (isWhole) {
      const last = plan.commits.at(-1)
      if (last) follower.end.noteOwn(last.point, follower.end.size + bytes.length)
      return { plan, lost: [] }
    }
    // Another writer was there first, or the disk took a part: the log itself says what counts.
    try {
      await follower.catchUp()
    } catch (error) {
      throw outcomeUnknown(error)
    }
    const attempt = settled(plan, ({ events }) => this.areThere(events))
    if (!isShort) return attempt
    const short = new AppError('storage-full', 'The disk took only a part of what was written')
    return { ...attempt, short }
  }

  private areThere(events: readonly { readonly hash: EventHash }[]): boolean {
    const { index, point } = this.follower
    return events.every(({ hash }) => index.findHash(hash, point.count) !== undefined)
  }

  private async syncAll(): Promise<void> {
    let begun = this.beginSync()
    while (begun) {
      const { plans, synced } = begun
      const error = await synced
      // The disk is to be at work while those whose events are on it are answered.
      begun = this.beginSync()
      try {
        if (error) throw error
        await this.acknowledge(plans)
      } catch (failure) {
        for (const waiting of plans.flatMap(everybodyIn)) waiting.reject(failure)
      }
      begun ??= this.beginSync()
    }
    this.syncing = undefined
    this.noteAnswered()
  }

  /** Begins to sync what was written and is not being synced; `undefined` where there is nothing. */
  private beginSync(): BegunSync | undefined {
    if (this.written.length === 0) return undefined
    const plans = this.written.splice(0)
    const synced = this.follower.makeDurable().then(() => undefined, outcomeUnknown)
    return { plans, synced }
  }

  /** Answers everybody in plans that are on disk. */
  private async acknowledge(plans: readonly Plan[]): Promise<void> {
    const { follower } = this
    if (!this.isLongLived) await this.writeIndex('now')
    if (plans.some(({ commits }) => commits.length > 0)) follower.appended.ring()
    for (const plan of plans) answer(plan)
    if (this.isLongLived) await this.writeIndexInTime()
  }

  private noteAnswered(): void {
    this.follower.isAppending = this.writing !== undefined || this.syncing !== undefined
  }

  /** Many events at a time, yet so soon that whoever opens the log finds few behind the index. */
  private async writeIndexInTime(): Promise<void> {
    const { index, indexWriting } = this.follower
    const isDue = index.pendingCount >= (indexWriting === undefined ? INDEX_EVENTS : MOST_PENDING)
    if (isDue) return await this.writeIndex('beside')
    this.indexTimer ??= setTimeout(() => this.indexInTime(), INDEX_MS)
  }

  /** Behind a sync that runs there is another moment for it, and nobody has to wait. */
  private indexInTime(): void {
    this.indexTimer = undefined
    const { index, options } = this.follower
    const isLong = index.pendingCount >= (options.besideEvents ?? BESIDE_EVENTS)
    if (!this.syncing) void this.writeIndex(isLong ? 'beside' : 'now')
  }

  private async writeIndex(when: 'now' | 'beside'): Promise<void> {
    clearTimeout(this.indexTimer)
    this.indexTimer = undefined
    const { follower } = this
    // Not inside `exclusive`: appends go on meanwhile.
    await follower.indexWriting
    await follower.exclusive(async () => {
      try {
        await follower.makeDurable()
      } catch {
        // Those whose appends it was are told by their own sync.
        return
      }
      await follower.writeIndex(when)
    })
  }
}

function answer({ commits, retries, refusals }: Plan): void {
  for (const { waiting, outcome } of commits) waiting.resolve(outcome)
  for (const { waiting, outcome } of retries) waiting.resolve(outcome)
  for (const { waiting, error } of refusals) waiting.reject(error)
}

function everybodyIn({ commits, retries, refusals }: Plan): Waiting[] {
  return [...commits, ...retries, ...refusals].map(({ waiting }) => waiting)
}

/** Keeps of a plan what holds without the commits that did not come to count; the rest is tried again. */
function settled(
  { commits, retries, refusals }: Plan,
  counts: (outcome: AppendOutcome) => boolean,
): Attempt {
  const holds = ({ outcome }: { readonly outcome: AppendOutcome }) => counts(outcome)
  const plan = { commits: commits.filter(holds), retries: retries.filter(holds), refusals: [] }
  const kept = new Set([...plan.commits, ...plan.retries].map(({ waiting }) => waiting))
  const lost = everybodyIn({ commits, retries, refusals }).filter((waiting) => !kept.has(waiting))
  return { plan, lost }
}

function roughBytes(request: AppendRequest): number {
  return request.events.reduce((sum, { body, metadata }) => {
    const size = body.kind === 'json' ? body.text.length : body.bytes.length * 1.4
    return sum + size + (metadata?.length ?? 0) + 600
  }, 0)
}
