import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EventHash } from '../../src/domain/event.ts'
import type { ExpectedVersion, Store } from '../../src/domain/ports.ts'
import { appendTo, draft, jsonBody } from '../support/drafts.ts'
import { type Engine, type TestStore, verifiedStores, verifyStore } from '../support/store.ts'
import { engines } from './engines.ts'
import { expectEqual } from './model/compare.ts'
import { Model, type ModelAppend, type ModelOutcome } from './model/model.ts'

/** `CONTRACT_SEED` and `CONTRACT_RUNS` look elsewhere and longer; a failure prints the seed it needs. */
const seed = Number(process.env['CONTRACT_SEED'] ?? 20_200_101)
const numRuns = Number(process.env['CONTRACT_RUNS'] ?? 40)

/** Few of everything, so that ids, streams and types meet often. */
const modelDraft = fc.record({
  id: fc.nat({ max: 30 }),
  type: fc.constantFrom('x', 'y', 'x-y'),
  body: fc.constantFrom('1', '{"a":[null]}', '"ü"'),
})

const modelAppend: fc.Arbitrary<ModelAppend> = fc.record({
  stream: fc.constantFrom('a', 'a-1', 'a-2', 'b-1', '-', '$$a-1', 'ü-1'),
  drafts: fc.array(modelDraft, { minLength: 1, maxLength: 5 }),
  retryRule: fc.constantFrom('equal-content', 'equal-id'),
  expected: fc.oneof(
    { weight: 4, arbitrary: fc.constant('any' as const) },
    { weight: 2, arbitrary: fc.constantFrom('no-stream' as const, 'stream-exists' as const) },
    { weight: 2, arbitrary: fc.nat({ max: 5 }) },
  ),
  isHeadStale: fc.nat({ max: 9 }).map((n) => n === 0),
})

type Step =
  | { readonly kind: 'append'; readonly request: ModelAppend }
  | { readonly kind: 'again'; readonly request: number }
  | { readonly kind: 'compare'; readonly from: number; readonly limit: number }
  | { readonly kind: 'reopen' }

const append = modelAppend.map((request): Step => ({ kind: 'append', request }))
const again = fc.nat({ max: 50 }).map((request): Step => ({ kind: 'again', request }))
const compare = fc
  .record({ from: fc.nat({ max: 40 }), limit: fc.integer({ min: 1, max: 20 }) })
  .map((probe): Step => ({ kind: 'compare', ...probe }))
const reopen = fc.constant<Step>({ kind: 'reopen' })

function steps({ persistence }: Engine): fc.Arbitrary<Step[]> {
  const step = fc.oneof(
    { weight: 12, arbitrary: append },
    { weight: 3, arbitrary: again },
    { weight: 2, arbitrary: compare },
    { weight: persistence.kind === 'durable' ? 1 : 0, arbitrary: reopen },
  )
  return fc.array(step, { maxLength: 60, size: 'max' })
}

for (const engine of engines) {
  describe(`model of the ${engine.name} engine`, () => {
    const open = verifiedStores(engine)
    test(`any run of appends leaves what an array of events would hold (seed ${seed})`, async () => {
      const property = fc.asyncProperty(steps(engine), async (run) => {
        const opened = await open()
        await follow(opened, run)
        await verifyStore(opened.store)
      })
      await fc.assert(property, { seed, numRuns, endOnFailure: false })
    })
  })
}

async function follow(opened: TestStore, run: readonly Step[]): Promise<void> {
  const model = new Model()
  const sent: ModelAppend[] = []
  for (const step of run) {
    opened.clock.nowMs += 1
    if (step.kind === 'reopen') await opened.reopen()
    else if (step.kind === 'compare') await expectEqual(opened.store.log, model, step)
    else {
      const request = step.kind === 'append' ? step.request : sent[step.request]
      if (!request) continue
      sent.push(request)
      expect(await outcomeOf(opened.store, request)).toEqual(model.append(request))
    }
  }
  await expectEqual(opened.store.log, model, { from: 3, limit: 7 })
}

async function outcomeOf({ log }: Store, request: ModelAppend): Promise<ModelOutcome> {
  const events = request.drafts.map(({ id, type, body }) =>
    draft(id, { type, body: jsonBody(body) }),
  )
  const { hash } = await log.head()
  const expectedHead = request.isHeadStale ? ('f'.repeat(64) as EventHash) : hash
  const { retryRule, expected } = request
  const expectedVersion = toExpectedVersion(expected)
  try {
    const outcome = await log.append(
      appendTo(request.stream, events, { retryRule, expectedVersion, expectedHead }),
    )
    return { kind: outcome.kind, positions: outcome.events.map(({ position }) => position) }
  } catch (error) {
    return { kind: 'refused', code: (error as { code?: string }).code ?? String(error) }
  }
}

function toExpectedVersion(expected: ModelAppend['expected']): ExpectedVersion {
  return typeof expected === 'number' ? { kind: 'version', version: expected } : { kind: expected }
}
