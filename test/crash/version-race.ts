/** Writers that all expect the version that a stream is at: each is won by one of them. */
import { setTimeout } from 'node:timers/promises'
import { expect } from 'vitest'
import { randomUuid } from '../../src/kit/random.ts'
import type { Told } from './oracle.ts'
import type { Worker } from './workers.ts'

export type VersionRace = {
  /** How many have won each version. */
  readonly winners: Map<number, number>
  readonly stored: Told[]
  /** The version that is expected next. */
  next: number
}

/** Of a stream with one event. */
export const newRace = (): VersionRace => ({ winners: new Map(), stored: [], next: 0 })

/**
 * Runs until the first `versions` are won.
 * @param isAway codes of refusals that leave it open what became of an append: it is sent again
 */
export async function raceForVersions(
  race: VersionRace,
  workers: readonly Worker[],
  stream: string,
  versions: number,
  isAway: (code: string) => boolean = () => false,
): Promise<void> {
  const compete = async (worker: Worker) => {
    while (race.next < versions) {
      const expected = race.next
      const command = { id: randomUuid(), stream, pad: 20, expected }
      let answer = await worker.ask(command)
      let isAgain = false
      while (answer?.kind === 'refused' && isAway(answer.code)) {
        await setTimeout(20)
        answer = await worker.ask(command)
        isAgain = true
      }
      if (answer?.kind === 'refused') expect(answer.code).toBe('wrong-expected-version')
      else if (answer?.kind === 'appended' || (isAgain && answer?.kind === 'already-there')) {
        race.winners.set(expected, (race.winners.get(expected) ?? 0) + 1)
        race.stored.push({ id: command.id, position: answer.position, hash: answer.hash })
      } else throw new Error(`answered ${JSON.stringify(answer)}`)
      race.next = Math.max(race.next, expected + 1)
    }
  }
  await Promise.all(workers.map(compete))
}
