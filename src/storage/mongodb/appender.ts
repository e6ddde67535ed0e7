/**
 * The appends of a process: they queue, and all that wait go into the database as one commit.
 *
 * 1. The log's state is remembered from the last append, or read. 2. Each append is decided against it.
 * 3. The commit takes the place behind the head that was decided against; where somebody else has taken it,
 * all begins again with a state read anew, until `lockTimeoutMs` are over.
 * What is refused or was there before is answered only from a state that nobody changed while it was read.
 */
import { AppError } from '../../domain/app-error.ts'
import type { AppendOutcome, AppendRequest, Clock } from '../../domain/ports.ts'
import { type BatchView, type Plan, planBatch, type Waiting } from '../database/append-plan.ts'
import { AppendQueue } from '../database/append-queue.ts'
import { isKnown, LogState, type Question, questionOf } from '../database/log-state.ts'
import { Committer } from './committer.ts'
import type { Connection } from './connection.ts'
import { pointOf, toCommit } from './documents.ts'
import { readInto } from './log-state.ts'
import { lastCommit, type Visible } from './visible.ts'

/** Losses after which a writer lets the others pass for a moment, and the longest such moment, ms. */
const PATIENT_LOSSES = 2
const MOMENT_MS = 20
/** Sequences and streams that are remembered between two appends. */
const REMEMBERED = 20_000

/** A group must fit into a document, also where each byte takes six in its text. */
const GROUP = { events: 500, bytes: 2 << 20 } as const

type Planned = Plan & { readonly changes: BatchView }

export class Appender {
  private readonly connection: Connection
  private readonly visible: Visible
  private readonly committer: Committer
  private readonly clock: Clock
  private readonly appended: () => void
  private readonly queue = new AppendQueue((batch) => this.storeOrForget(batch), GROUP)
  private remembered: LogState | undefined

  /** @param appended is called after each commit */
  constructor(connection: Connection, visible: Visible, clock: Clock, appended: () => void) {
    this.connection = connection
    this.visible = visible
    this.committer = new Committer(connection, visible)
    this.clock = clock
    this.appended = appended
  }

  append(request: AppendRequest): Promise<AppendOutcome> {
    return this.queue.append(request)
  }

  /** Somebody else has appended from this process. */
  forget(): void {
    this.remembered = undefined
  }

  idle(): Promise<void> {
    return this.queue.idle()
  }

  private async storeOrForget(batch: readonly Waiting[]): Promise<Planned> {
    try {
      const plan = await this.store(batch)
      this.appended()
      return plan
    } catch (error) {
      this.remembered = undefined
      throw error
    }
  }

  private async store(batch: readonly Waiting[]): Promise<Planned> {
    const question = questionOf(batch.map(({ request }) => request))
    const plan = await this.storeFromMemory(batch, question)
    if (plan) return plan
    const deadline = performance.now() + this.connection.lockTimeoutMs
    for (let losses = 0; ; losses++) {
      const state = await this.readState(question)
      const plan = await planBatch(state, batch, this.clock.now())
      if (plan.rows.length === 0 && (await this.isStill(state))) return plan
      if (plan.rows.length > 0 && (await this.put(state, plan))) return plan
      if (performance.now() > deadline) {
        throw new AppError('lock-timeout', 'Others kept the log busy for too long')
      }
      if (losses >= PATIENT_LOSSES) await moment()
    }
  }

  /** Only what is plainly appended: a commit that takes its place shows that the memory was right. */
  private async storeFromMemory(batch: readonly Waiting[], question: Question) {
    const state = this.remembered
    if (!state || !isKnown(state, batch)) return undefined
    await this.connection.read((collections) => readInto(state, collections, question))
    const plan = await planBatch(state, batch, this.clock.now())
    const isPlain = plan.appended.length === batch.length
    return isPlain && (await this.put(state, plan)) ? plan : undefined
  }

  private readState(question: Question): Promise<LogState> {
    return this.connection.read(async (collections) => {
      const point = pointOf(await lastCommit(collections))
      await this.visible.reach(point.count)
      const state = new LogState(point)
      state.takeOver(this.remembered)
      await readInto(state, collections, question)
      return state
    })
  }

  private async isStill({ point }: LogState): Promise<boolean> {
    const last = await this.connection.read(lastCommit)
    return pointOf(last).hash === point.hash
  }

  /** Stores what was planned, and remembers what the log is then. */
  private async put(state: LogState, plan: Planned): Promise<boolean> {
    this.remembered = undefined
    const { numbering, streams } = plan.changes
    const commit = toCommit(plan.from, plan.point, plan.rows, streams)
    if (!(await this.committer.put(commit))) return false
    state.point = plan.point
    state.events.clear()
    for (const [sequence, number] of numbering.numbers) state.numbers.set(sequence, number)
    for (const [stream, settled] of streams) state.streams.set(stream, settled)
    if (state.numbers.size < REMEMBERED) this.remembered = state
    return true
  }
}

/** Of chance, so that those who lose do not meet again. */
const moment = (): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.random() * MOMENT_MS))
