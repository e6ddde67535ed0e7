/** Chance that follows from a seed. */
export type Chance = {
  /** From 0 (inclusive) to 1 (exclusive). */
  next(): number
  /** A whole number below `limit`. */
  below(limit: number): number
  isTrue(probability: number): boolean
  pick<T>(items: readonly T[]): T | undefined
}

/** A linear congruential generator (Knuth, The Art of Computer Programming 2, 3.3.4: MMIX), its upper bits. */
export function chanceOf(seed: number): Chance {
  let state = BigInt(seed)
  const next = () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn
    return Number(state >> 32n) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    isTrue: (probability) => next() < probability,
    pick: (items) => items[below(items.length)],
  }
}
