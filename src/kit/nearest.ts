/** The word that was probably meant. */

const aThird = (candidate: string): number => Math.max(1, Math.ceil(candidate.length / 3))

/**
 * The candidate with the fewest edits, or `undefined` where none is near.
 * @param limitOf most edits that a candidate may be away: a third of it where nothing is said
 */
export function nearest(
  word: string,
  candidates: readonly string[],
  limitOf = aThird,
): string | undefined {
  let best: string | undefined
  let fewest = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const edits = candidate.startsWith(word) && word.length > 1 ? 1 : editDistance(word, candidate)
    if (edits <= limitOf(candidate) && edits < fewest) {
      best = candidate
      fewest = edits
    }
  }
  return best
}

/** Insertions, removals, replacements and swaps of neighbours that make `b` of `a`. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) row.push(cell(a, b, rows, row, i, j))
    rows.push(row)
  }
  return rows[a.length]?.[b.length] ?? 0
}

function cell(a: string, b: string, rows: number[][], row: number[], i: number, j: number): number {
  const above = rows[i - 1] ?? []
  const differs = a[i - 1] === b[j - 1] ? 0 : 1
  const cost = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + differs)
  const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
  return isSwap && i > 1 && j > 1 ? Math.min(cost, (rows[i - 2]?.[j - 2] ?? 0) + 1) : cost
}
