/**
 * Processors against the table of states: thousands of steps in a world of failures, kills, late responses and
 * jumping clocks, from seeds that a failure names.
 */
import { describe, expect, test } from 'vitest'
import type { Store } from '../../../src/domain/ports.ts'
import { createMemoryStore } from '../../../src/storage/memory/engine.ts'
import { engines } from '../../contract/engines.ts'
import {
  collect,
  type HandClock,
  handClock,
  verifiedStores,
  verifyStore,
} from '../../support/store.ts'
import { type Chance, chanceOf } from './model/chance.ts'
import { violations } from './model/oracle.ts'
import { World } from './model/world.ts'

const SEEDS = process.env['APIE_BROKER_SEED']?.split(',').map(Number) ?? [1, 2, 3, 4, 5, 6, 7, 8]
const SLOTS = 3
const HOUR_MS = 3_600_000

/** Something that a client does. */
async function clientActs({ stream }: World, chance: Chance): Promise<void> {
  const head = await stream.head()
  const causation = chance.below(head + 2)
  const attempt = chance.below(3)
  switch (chance.below(12)) {
    case 0:
      await stream.insert({
        payload: {
          class: 'configuration',
          retries: chance.below(5) - 1,
          timeout: chance.pick([-1, 0, 0.5, 2]) ?? 0,
        },
        causation: 0,
      })
      break
    case 1:
      await stream.insert({ payload: { class: 'simple', message: 'x' }, causation: 0 })
      break
    case 2:
      if (chance.isTrue(0.3)) {
        const payload = { class: 'api-response', attempt, response: 'injected' } as const
        await stream.insert({ payload, causation })
      }
      break
    case 3:
      if (chance.isTrue(0.3)) {
        const payload = { class: 'api-failure', attempt, failure: 'injected' } as const
        await stream.insert({ payload, causation })
      }
      break
    default:
      await stream.insert({ payload: { class: 'request', request: 'text' }, causation: 0 })
  }
}

async function act(world: World, chance: Chance): Promise<void> {
  const slot = chance.below(SLOTS)
  const action = chance.below(100)
  if (action < 55) await world.letGo()
  else if (action < 75) world.step(slot)
  else if (action < 84) world.answer()
  else if (action < 90) await clientActs(world, chance)
  else if (action < 96) world.advance(chance.below(800))
  else if (action < 97) world.jump(chance.below(2 * HOUR_MS) - HOUR_MS)
  else if (action < 98) await world.noteCheckpoint(slot)
  else if (action < 99) world.kill(slot)
  else await world.stop(slot)
}

/** Lets everything come to its end, and tells what is wrong with it. */
async function settle(world: World) {
  world.isRough = false
  for (let round = 1; ; round++) {
    world.stepAll()
    while (world.isStepping) await world.letGo()
    await world.letGo()
    world.answer()
    if (round % 10 === 0) world.advance(1000)
    if (round % 100 !== 0) continue
    const found = violations(await collect(world.stream.load(0)), world.begun)
    if (found.length === 0 || round === 3000) return found
  }
}

async function live(store: Store, clock: HandClock, seed: number, steps: number) {
  const chance = chanceOf(seed)
  const world = new World(store, clock, chance)
  for (let step = 0; step < steps; step++) await act(world, chance)
  expect(await settle(world)).toEqual([])
  expect(world.failures).toEqual([])
  return world
}

describe('every request reaches one final state, and each attempt is called once', () => {
  test.each(SEEDS)('in 2,500 steps from the seed %i', async (seed) => {
    const clock = handClock()
    const store = createMemoryStore({ clock })
    const { begun } = await live(store, clock, seed, 2500)
    expect(begun.length).toBeGreaterThan(50)
    await verifyStore(store)
    await store.close()
  })
})

describe.each(engines)('on the engine $name', (engine) => {
  const open = verifiedStores(engine)

  test('the same holds in 800 steps', async () => {
    const { store, clock } = await open()
    const { begun } = await live(store, clock, SEEDS[0] ?? 1, 800)
    expect(begun.length).toBeGreaterThan(10)
  })
})
