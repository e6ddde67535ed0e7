/**
 * The appends of a process: they queue, and all that wait go into the database in one transaction.
 *
 * 1. The state of the log is remembered from the last append where nobody else has appended since, else one
 *    query reads it. 2. Each append is decided against it. 3. One statement writes all rows if the head is
 *    still the one that was decided against, else nothing, and it begins again with a state read anew.
 * 4. After a second loss it holds the row of the head while it reads and decides: it cannot lose again.
 * A crash at any step leaves nothing or all of the batch. What is refused or was there before is answered
 * only from a state that was read for it, never from one that is remembered.
 */
import { AppError } from '../../domain/app-error.ts'
import type { AppendOutcome, AppendRequest, Clock } from '../../domain/ports.ts'
import { type BatchView, type Plan, planBatch, type Waiting } from '../database/append-plan.ts'
import { AppendQueue } from '../database/append-queue.ts'
import { isKnown, type LogState, questionOf } from '../database/log-state.ts'
import type { Connection, Run, Statement } from './connection.ts'
import { readState } from './log-state.ts'
import { writeRows } from './row-writer.ts'

/** Times that the head may move on before its row is held. */
const MOST_LOSSES = 2

export const HOLD_HEAD: Statement = {
  name: 'hold-head',
  text: 'SELECT count FROM apie_head WHERE id = 1 ORDER BY id FOR UPDATE',
}

type Planned = Plan & { readonly changes: BatchView }

export class Appender {
  private readonly connection: Connection
  private readonly clock: Clock
  private readonly appended: () => void
  private readonly queue = new AppendQueue((batch) => this.storeOrForget(batch))
  private remembered: LogState | undefined

  /** @param appended is called after each commit */
  constructor(connection: Connection, clock: Clock, appended: () => void) {
    this.connection = connection
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
    const known = this.remembered
    if (known && isKnown(known, batch)) {
      const plan = await this.plan(known, batch)
      const isPlain = plan.appended.length === batch.length
      if (isPlain && (await this.write(this.connection.change, known, plan, false))) return plan
    }
    const question = questionOf(batch.map(({ request }) => request))
    for (let losses = 0; losses < MOST_LOSSES; losses++) {
      const state = (await readState(this.connection.read, question)).addedTo(known)
      const plan = await this.plan(state, batch)
      if (plan.rows.length === 0) return plan
      if (await this.write(this.connection.change, state, plan, true)) return plan
    }
    return this.connection.transaction(async (run) => {
      await run(HOLD_HEAD)
      const state = await readState(run, question)
      const plan = await this.plan(state, batch)
      if (plan.rows.length === 0 || (await this.write(run, state, plan, true))) {
        // Only after the commit, which is not known here.
        this.remembered = undefined
        return plan
      }
      throw new AppError('log-damaged', 'The head of the log moved while it was held')
    })
  }

  private plan(state: LogState, batch: readonly Waiting[]): Promise<Planned> {
    return planBatch(state, batch, this.clock.now())
  }

  /** Puts the rows of a plan in, and remembers what the log is then. */
  private async write(run: Run, state: LogState, plan: Planned, isNew: boolean): Promise<boolean> {
    this.remembered = undefined
    if (!(await writeRows(run, plan.from, plan.point, plan.rows, isNew))) return false
    const { numbering, streams } = plan.changes
    state.point = plan.point
    state.events.clear()
    for (const [sequence, number] of numbering.numbers) state.numbers.set(sequence, number)
    for (const [stream, settled] of streams) state.streams.set(stream, settled)
    this.remembered = state
    return true
  }
}
