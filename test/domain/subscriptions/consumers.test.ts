/**
 * Consumers of one group that run at once, as processes do: every call of theirs to the store is a place where
 * another one may get in between, or where they are killed.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EventId } from '../../../src/domain/event.ts'
import { createMessageSource } from '../../../src/domain/message-source.ts'
import type { LogEngine, RecordEngine } from '../../../src/domain/ports.ts'
import { createStreams } from '../../../src/domain/streams.ts'
import type { GiveBackAction } from '../../../src/domain/subscription-state.ts'
import { createSubscriptions, type Subscriptions } from '../../../src/domain/subscriptions.ts'
import { uuid } from '../../support/drafts.ts'
import { GROUP, type TestGroups, testGroups } from '../../support/groups.ts'

const seed = Number(process.env['GROUPS_SEED'] ?? 20_261_121)
const numRuns = Number(process.env['GROUPS_RUNS'] ?? 300)
const EVENTS = 12
const TIMEOUT_MS = 1000

type Outcome = 'acknowledge' | 'forget' | GiveBackAction
type Step =
  | { readonly kind: 'fetch'; readonly count: number; readonly outcomes: readonly Outcome[] }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'replay' }

/** What one process does; it is killed before or after its n-th call that changes the store. */
type Script = {
  readonly steps: readonly Step[]
  readonly killAt: number
  readonly isKilledAfter: boolean
}

const outcome = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Outcome>('acknowledge') },
  { weight: 3, arbitrary: fc.constantFrom<Outcome>('retry', 'forget') },
  { weight: 2, arbitrary: fc.constantFrom<Outcome>('park', 'skip') },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({
        count: fc.integer({ min: 1, max: 4 }),
        outcomes: fc.array(outcome, { minLength: 4, maxLength: 4 }),
      })
      .map((fetch): Step => ({ kind: 'fetch', ...fetch })),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(400, TIMEOUT_MS).map((ms): Step => ({ kind: 'wait', ms })),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'replay' }) },
)
const script: fc.Arbitrary<Script> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 5 }),
  killAt: fc.integer({ min: 1, max: 12 }),
  isKilledAfter: fc.boolean(),
})

describe('consumers that run at once', () => {
  it(`hold no event together, and lose none (seed ${seed})`, async () => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.array(script, { minLength: 2, maxLength: 4 }),
      async (scheduler, scripts) => {
        const groups = await testGroups({
          messageTimeoutMilliseconds: TIMEOUT_MS,
          maxRetryCount: 1,
          bufferSize: 8,
          readBatchSize: 1,
        })
        await groups.append(...Array.from({ length: EVENTS }, (_, n) => n))
        const ledger = createLedger()
        const running = scripts.map((one) => consume(groups, scheduler, one, ledger))
        await scheduler.waitFor(Promise.all(running))
        await drain(groups, ledger)
        const perhaps = [...ledger.perhapsDone].map(({ number }) => number)
        const accounted = new Set([...ledger.done.keys(), ...perhaps])
        expect([...accounted].sort((a, b) => a - b)).toEqual(
          Array.from({ length: EVENTS }, (_, n) => n),
        )
      },
    )
    await fc.assert(property, { seed, numRuns })
  })
})

/** `order`: of the change of the record by which it was handed out, among all such changes. */
type Holding = {
  readonly number: number
  readonly fromMs: number
  readonly untilMs: number
  readonly order: number
}

/** Who holds what when, and what is done; fails where two hold one event, or where one done comes back. */
function createLedger() {
  const holdings = new Set<Holding>()
  const done = new Map<number, number>()
  return {
    /** Events, each with the order of the change by which it was done. */
    done,
    /** Consumers that are telling the store what became of a message. */
    settling: 0,
    /** Changes of the record so far. */
    changes: 0,
    /** The store was told, by somebody who was killed before an answer came. */
    perhapsDone: new Set<Holding>(),
    take(holding: Holding): void {
      const { number, fromMs, untilMs, order } = holding
      for (const other of holdings) {
        const isTogether = other.fromMs < untilMs && fromMs < other.untilMs
        if (other.number === number && isTogether) throw new Error(`two hold event ${number}`)
      }
      if (order > (done.get(number) ?? order)) throw new Error(`event ${number} was done`)
      holdings.add(holding)
    },
    /** Called before the store is told: from then on another one may have it. */
    release: (holding: Holding) => holdings.delete(holding),
  }
}

type Ledger = ReturnType<typeof createLedger>

class Killed extends Error {}

async function consume(
  groups: TestGroups,
  scheduler: fc.Scheduler,
  script: Script,
  ledger: Ledger,
): Promise<void> {
  const process = processOf(groups, scheduler, script, ledger)
  try {
    for (const step of script.steps) {
      if (step.kind === 'wait') pass(groups, ledger, step.ms)
      else if (step.kind === 'replay') await process.subscriptions.replayParked(GROUP)
      else await handle(groups, process, ledger, step)
    }
  } catch (error) {
    if (!(error instanceof Killed)) throw error
  }
}

/**
 * Time passes only while nobody is telling what became of a message: an id does not say whose turn it was, so
 * what is told too late counts for whoever has the message by then.
 */
function pass({ clock }: TestGroups, ledger: Ledger, ms: number): void {
  if (ledger.settling === 0) clock.nowMs += ms
}

async function handle(
  { clock }: TestGroups,
  process: Process,
  ledger: Ledger,
  { count, outcomes }: Extract<Step, { kind: 'fetch' }>,
): Promise<void> {
  process.forget()
  const messages = await process.subscriptions.fetch(GROUP, count, 'ann')
  const order = process.firstChange() ?? 0
  const held = messages.map(({ number, dueAtMs }) => ({
    number,
    eventId: uuid(number) as EventId,
    fromMs: dueAtMs - TIMEOUT_MS,
    untilMs: dueAtMs,
    order,
  }))
  for (const holding of held) ledger.take(holding)
  for (const [index, holding] of held.entries()) {
    const wanted = outcomes[index] ?? 'forget'
    if (wanted === 'forget' || clock.nowMs >= holding.untilMs) continue
    ledger.settling++
    await settle(process, holding, wanted, ledger).finally(() => ledger.settling--)
  }
}

async function settle(
  process: Process,
  holding: Holding & { readonly eventId: EventId },
  wanted: 'acknowledge' | GiveBackAction,
  ledger: Ledger,
): Promise<void> {
  const isEnd = wanted === 'acknowledge' || wanted === 'skip'
  if (isEnd) ledger.perhapsDone.add(holding)
  else ledger.release(holding)
  process.forget()
  const { subscriptions } = process
  if (wanted === 'acknowledge') await subscriptions.acknowledge(GROUP, [holding.eventId])
  else await subscriptions.giveBack(GROUP, [holding.eventId], wanted, 'ann')
  ledger.perhapsDone.delete(holding)
  const order = process.firstChange()
  if (isEnd && order !== undefined) ledger.done.set(holding.number, order)
}

/** Takes and acknowledges everything that is left, parked messages too. */
async function drain(groups: TestGroups, ledger: Ledger): Promise<void> {
  const survivor = groups.another()
  for (let round = 0; round < 4; round++) {
    groups.clock.nowMs += TIMEOUT_MS
    for (;;) {
      const messages = await survivor.fetch(GROUP, 3, 'ann')
      if (messages.length === 0) break
      await survivor.acknowledge(
        GROUP,
        messages.map(({ number }) => uuid(number) as EventId),
      )
      for (const { number } of messages) ledger.done.set(number, ++ledger.changes)
    }
    await survivor.replayParked(GROUP)
  }
  expect(await survivor.find(GROUP)).toMatchObject({
    state: { next: EVENTS, messages: [], parking: [] },
  })
}

type Process = {
  readonly subscriptions: Subscriptions
  forget(): void
  /** Order of its first change of the record since then, among those of all processes. */
  firstChange(): number | undefined
}

/** A process of its own on the same store. */
function processOf(
  { records, log, clock }: TestGroups,
  scheduler: fc.Scheduler,
  { killAt, isKilledAfter }: Script,
  ledger: Ledger,
): Process {
  let changes = 0
  let first: number | undefined
  const change = async <T>(work: () => Promise<T>): Promise<T> => {
    await scheduler.schedule(Promise.resolve())
    changes++
    if (changes === killAt && !isKilledAfter) throw new Killed()
    const result = await work()
    ledger.changes++
    first ??= ledger.changes
    if (changes >= killAt) throw new Killed()
    return result
  }
  const read = async <T>(work: () => Promise<T>): Promise<T> => {
    await scheduler.schedule(Promise.resolve())
    return work()
  }
  const ownRecords: RecordEngine = {
    read: (...call) => read(() => records.read(...call)),
    write: (...call) => change(() => records.write(...call)),
    remove: (...call) => change(() => records.remove(...call)),
    list: (...call) => read(() => records.list(...call)),
    collections: () => read(() => records.collections()),
    close: () => records.close(),
  }
  const ownLog: LogEngine = Object.assign(Object.create(log), {
    append: (request: Parameters<LogEngine['append']>[0]) => change(() => log.append(request)),
  })
  const streams = createStreams({ log: ownLog, clock })
  const source = createMessageSource({ log, streams: createStreams({ log, clock }) })
  return {
    subscriptions: createSubscriptions({
      records: ownRecords,
      streams,
      source,
      clock,
      maxMessages: 1000,
    }),
    forget: () => {
      first = undefined
    },
    firstChange: () => first,
  }
}
