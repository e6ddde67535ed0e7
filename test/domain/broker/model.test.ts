/**
 * Processors against the table of states: thousands of steps in a world of failures, kills, late responses and
 * jumping clocks, from seeds that a failure names.
 */
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../../src/storage/memory/engine.ts'
import { handClock, verifyStore } from '../../support/store.ts'
import { type Chance, chanceOf } from './model/chance.ts'
import { violations } from './model/oracle.ts'
import { World } from './model/world.ts'

const SEEDS = process.env['APIE_BROKER_SEED']?.split(',').map(Number) ?? [1, 2, 3, 4, 5, 6, 7, 8]
const STEPS = 2500
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
  else if (action < 97) world.jump((chance.next() - 0.5) * 2 * HOUR_MS)
  else if (action < 98) await world.noteCheckpoint(slot)
  else if (action < 99) world.kill(slot)
  else await world.stop(slot)
}

/** Lets everything come to its end. */
async function settle(world: World): Promise<void> {
  world.isRough = false
  for (let round = 0; round < 3000; round++) {
    world.stepAll()
    while (world.standingCount > 0) await world.letGo()
    await world.letGo()
    world.answer()
    if (round % 10 === 0) world.advance(1000)
  }
}

test.each(SEEDS)(
  'every request reaches one final state, each attempt is called once: seed %i',
  async (seed) => {
    const chance = chanceOf(seed)
    const clock = handClock()
    const store = createMemoryStore({ clock })
    const world = new World(store, clock, chance)
    for (let step = 0; step < STEPS; step++) await act(world, chance)
    await settle(world)
    expect(world.failures).toEqual([])
    const events = []
    for await (const event of world.stream.load(0)) events.push(event)
    expect(violations(events, world.begun)).toEqual([])
    expect(world.begun.length).toBeGreaterThan(50)
    await verifyStore(store)
    await store.close()
  },
)
