import { randomFrom } from '../../../crash/crash-run.ts'

/** Chance that follows from a seed. */
export type Chance = {
  /** From 0 (inclusive) to 1 (exclusive). */
  next(): number
  /** A whole number below `limit`. */
  below(limit: number): number
  isTrue(probability: number): boolean
  pick<T>(items: readonly T[]): T | undefined
}

export function chanceOf(seed: number): Chance {
  const next = randomFrom(seed)
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    isTrue: (probability) => next() < probability,
    pick: (items) => items[below(items.length)],
  }
}
