/** Shards show what was written to them at different moments: what is missing is looked for again before that counts. */

export const MOST_LOOKS = 50
export const BETWEEN_LOOKS_MS = 20

/** @returns what was found when nothing was missing of it, or what the last look found */
export async function lookAgain<T>(
  look: () => Promise<T>,
  isWhole: (found: T) => boolean,
): Promise<T> {
  for (let looks = 1; ; looks++) {
    const found = await look()
    if (isWhole(found) || looks >= MOST_LOOKS) return found
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS))
  }
}
