/** What a measurement hands back: rows of one table, each with the limit it has to keep, where it has one. */

/** `atMost` and `atLeast` are in the unit of `value`. */
export type Limit = { readonly atMost: number } | { readonly atLeast: number }

export type Row = {
  readonly what: string
  readonly value: number
  /** `×` for ratios, which alone mean something on another machine. */
  readonly unit: string
  readonly limit?: Limit
  /** What it is a ratio of, or how it was taken. */
  readonly note?: string
}

/** How much is done. */
export type Size = {
  readonly isQuick: boolean
  /** Events in the large log. */
  readonly events: number
  /** Runs of each process that is timed. */
  readonly runs: number
  /** Seconds of load for each rate. */
  readonly seconds: number
  /** Bytes of the large content. */
  readonly contentBytes: number
}

export type Measurement = {
  readonly name: string
  readonly title: string
  run(size: Size): Promise<readonly Row[]>
}

export function isKept({ value, limit }: Row): boolean | undefined {
  if (limit === undefined) return undefined
  return 'atMost' in limit ? value <= limit.atMost : value >= limit.atLeast
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Tells where a long run is, on standard error. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
