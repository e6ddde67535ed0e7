/**
 * A world for processors in which everything that may go wrong does, by chance: calls of the engine stand still,
 * fail, or fail after they have worked; processors are killed between any two of them; the API answers late or
 * never; clocks of machines jump; clients write what they like.
 */
import { AppError } from '../../../../src/domain/app-error.ts'
import {
  type BrokerStream,
  createBrokerStream,
} from '../../../../src/domain/broker/broker-stream.ts'
import { createCheckpoint } from '../../../../src/domain/broker/checkpoint.ts'
import { createPresence } from '../../../../src/domain/broker/presence.ts'
import { Processor } from '../../../../src/domain/broker/processor.ts'
import type { ApiCall, ApiResult } from '../../../../src/domain/broker/processor-ports.ts'
import type { LogEngine, Store } from '../../../../src/domain/ports.ts'
import { parseStreamName } from '../../../../src/domain/stream-name.ts'
import type { HandClock } from '../../../support/store.ts'
import type { Chance } from './chance.ts'

/** One life of a processor. */
type Run = {
  readonly name: string
  readonly processor: Processor
  isAlive: boolean
  /** The step that is under way. */
  isStepping: boolean
}

export type Call = {
  readonly run: string
  readonly key: string
  readonly call: ApiCall
  readonly answer: (result: ApiResult) => void
}

const SLOTS = 3
const STREAM = parseStreamName('broker')

export class World {
  /** Never goes back. */
  steadyMs = 0
  /** All calls of the API that were ever begun. */
  readonly begun: Call[] = []
  /** Those that wait for an answer. */
  open: Call[] = []
  /** Engine calls that stand still, each with the run that waits for it. */
  private standing: { readonly run: Run; readonly go: () => void }[] = []
  private readonly slots: (Run | undefined)[] = Array.from({ length: SLOTS }, () => undefined)
  private runs = 0
  private readonly dead = new Set<number>()
  private readonly store: Store
  private readonly clock: HandClock
  private readonly chance: Chance
  readonly stream: BrokerStream
  readonly failures: unknown[] = []
  /** Engine calls fail, and processors are killed. */
  isRough = true

  constructor(store: Store, clock: HandClock, chance: Chance) {
    this.store = store
    this.clock = clock
    this.chance = chance
    this.stream = createBrokerStream(store.log, STREAM)
  }

  /** Whether a step is under way, be it that it stands still or that the engine works. */
  get isStepping(): boolean {
    return this.slots.some((run) => run?.isStepping)
  }

  advance(ms: number): void {
    this.steadyMs += ms
    this.clock.nowMs += ms
  }

  /** The clocks of machines, and with them the times of events, are set forth or back. */
  jump(ms: number): void {
    this.clock.nowMs += ms
  }

  /** Begins a step of a processor, of a new one where the slot is empty. */
  step(slot: number): void {
    const run = this.slots[slot] ?? this.start(slot)
    if (run.isStepping) return
    run.isStepping = true
    run.processor
      .step()
      .catch((error: unknown) => {
        if (!(error instanceof AppError)) this.failures.push(error)
      })
      .finally(() => {
        run.isStepping = false
      })
  }

  stepAll(): void {
    for (let slot = 0; slot < SLOTS; slot++) this.step(slot)
  }

  kill(slot: number): void {
    const run = this.slots[slot]
    if (!run) return
    run.isAlive = false
    this.dead.add(Number(run.name.slice(3)))
    this.standing = this.standing.filter((one) => one.run !== run)
    this.slots[slot] = undefined
  }

  /** Stops a processor in order. */
  async stop(slot: number): Promise<void> {
    await this.whole(slot, async (processor) => {
      await processor.stop()
      await processor.noteCheckpoint()
    })
    this.kill(slot)
  }

  async noteCheckpoint(slot: number): Promise<void> {
    await this.whole(slot, (processor) => processor.noteCheckpoint())
  }

  /** Something that a processor does between its steps, to its end. */
  private async whole(slot: number, work: (processor: Processor) => Promise<void>): Promise<void> {
    const run = this.slots[slot]
    if (!run || run.isStepping) return
    run.isStepping = true
    work(run.processor)
      .catch((error: unknown) => {
        if (!(error instanceof AppError)) this.failures.push(error)
      })
      .finally(() => {
        run.isStepping = false
      })
    while (run.isStepping) await this.letGo((one) => one.run === run)
  }

  /** Lets one engine call go on, and everything that follows from it up to the next. */
  async letGo(which: (one: { readonly run: Run }) => boolean = () => true): Promise<void> {
    const going = this.chance.pick(this.standing.filter(which))
    if (going) {
      this.standing = this.standing.filter((one) => one !== going)
      going.go()
    }
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Answers a call by chance; the answer of a killed run reaches nobody. */
  answer(): void {
    const call = this.chance.pick(this.open)
    if (!call) return
    this.open = this.open.filter((one) => one !== call)
    const isGood = this.chance.isTrue(0.3)
    call.answer(
      isGood ? { kind: 'response', text: 'answer' } : { kind: 'failure', reason: 'failure' },
    )
  }

  private start(slot: number): Run {
    const number = this.runs++
    const run: { -readonly [K in keyof Run]?: Run[K] } = { name: `run${number}` }
    const stream = createBrokerStream(this.gated(run as Run), STREAM)
    const { records } = this.store
    const host = this.chance.pick(['one', 'one', 'two', '']) ?? ''
    run.processor = new Processor({
      stream,
      checkpoint: createCheckpoint(stream, records),
      run: `run${number}`,
      presence: createPresence(
        records,
        {
          own: { host, pid: number, started: '' },
          isGone: ({ pid }) => this.dead.has(pid),
        },
        `run${number}`,
      ),
      callApi: (call) =>
        new Promise((resolve) => {
          const begun = { run: `run${number}`, key: call.key, call, answer: resolve }
          this.begun.push(begun)
          this.open.push(begun)
        }),
      clock: this.clock,
      timers: { now: () => this.steadyMs, after: () => () => {} },
      report: () => {},
      options: {
        maxParallel: 3,
        callLimitMs: 5000,
        graceMs: 1000,
        backoffMs: this.chance.pick([0, 0, 300]) ?? 0,
        jitter: 0.5,
        lateResponses: this.chance.isTrue(0.5),
      },
    })
    run.isAlive = true
    run.isStepping = false
    this.slots[slot] = run as Run
    return run as Run
  }

  /** The engine as one run sees it. */
  private gated(run: Run): LogEngine {
    const { log } = this.store
    const gates: Pick<LogEngine, 'append' | 'readSequence'> = {
      append: async (request) => {
        await this.stand(run)
        this.fail(0.03)
        const outcome = await log.append(request)
        await this.stand(run)
        this.fail(0.03)
        return outcome
      },
      readSequence: async (...call) => {
        await this.stand(run)
        this.fail(0.01)
        return log.readSequence(...call)
      },
    }
    return Object.assign(Object.create(log), gates)
  }

  private stand(run: Run): Promise<void> {
    return new Promise((resolve) => {
      if (run.isAlive !== false) this.standing.push({ run, go: resolve })
    })
  }

  private fail(probability: number): void {
    if (this.isRough && this.chance.isTrue(probability)) {
      throw new AppError('storage-unavailable', 'The engine fails by chance')
    }
  }
}
