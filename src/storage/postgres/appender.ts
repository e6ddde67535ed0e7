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
import { type BatchView, type Plan, planBatch, type Waiting } from './append-plan.ts'
import type { Connection, Run, Statement } from './connection.ts'
import { isKnown, type LogState, questionOf, readState } from './log-state.ts'
import { writeRows } from './row-writer.ts'

/** Most events, and most bytes of them as they were sent, in one transaction. */
const MOST_EVENTS = 1000
const MOST_BYTES = 8 << 20
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
  private waiting: Waiting[] = []
  private running: Promise<void> | undefined
  private remembered: LogState | undefined

  /** @param appended is called after each commit */
  constructor(connection: Connection, clock: Clock, appended: () => void) {
    this.connection = connection
    this.clock = clock
    this.appended = appended
  }

  append(request: AppendRequest): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, resolve, reject })
      this.running ??= this.work()
    })
  }

  /** Somebody else has appended from this process. */
  forget(): void {
    this.remembered = undefined
  }

  async idle(): Promise<void> {
    await this.running
  }

  private async work(): Promise<void> {
    // One turn of the loop later, so that what comes together goes together.
    await undefined
    while (this.waiting.length > 0) {
      const batch = takeBatch(this.waiting)
      try {
        settle(await this.store(batch))
        this.appended()
      } catch (error) {
        this.remembered = undefined
        for (const { reject } of batch) reject(error)
      }
    }
    // In the same turn as the look at the queue: an append that comes next starts it again.
    this.running = undefined
  }

  private async store(batch: readonly Waiting[]): Promise<Planned> {
    const question = questionOf(batch.map(({ request }) => request))
    const known = this.remembered
    if (known && isKnown(known, question)) {
      const plan = await this.plan(known, batch)
      const isPlain = plan.appended.length === batch.length
      if (isPlain && (await this.write(this.connection.change, known, plan, false))) return plan
    }
    for (let losses = 0; losses < MOST_LOSSES; losses++) {
      const state = await readState(this.connection.read, question)
      state.takeOver(known)
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

function settle({ appended, retries, refusals }: Plan): void {
  for (const { waiting, outcome } of [...appended, ...retries]) waiting.resolve(outcome)
  for (const { waiting, error } of refusals) waiting.reject(error)
}

/** Takes the first of those that wait, as many as fit. */
function takeBatch(waiting: Waiting[]): readonly Waiting[] {
  let events = 0
  let bytes = 0
  let length = 0
  while (length < waiting.length) {
    const { request } = waiting[length] as Waiting
    events += request.events.length
    for (const { body, metadata } of request.events) {
      bytes += body.kind === 'json' ? body.text.length : body.bytes.length
      bytes += metadata?.length ?? 0
    }
    if (length > 0 && (events > MOST_EVENTS || bytes > MOST_BYTES)) break
    length++
  }
  return waiting.splice(0, length)
}
