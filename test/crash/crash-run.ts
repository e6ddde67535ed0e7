/**
 * What all crash tests share: how much they do, the seed of their chance, and data folders that stay where a
 * test fails.
 */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** 1: as much as every check does; larger runs longer in proportion. */
export const scale = Number(process.env['APIE_CRASH_SCALE'] ?? '1')

/** A count of the smallest run, made as large as this run is. */
export const scaled = (count: number): number => Math.max(1, Math.round(count * scale))

export type Random = () => number

export type CrashRun = {
  readonly seed: number
  readonly random: Random
  /** A new empty folder; it stays, and its path is told, where the test fails. */
  folder(): string
}

/** To be called first in a test. `APIE_CRASH_SEED` repeats a run as far as the machine allows. */
export function crashRun(): CrashRun {
  const seed = Number(process.env['APIE_CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  const made: string[] = []
  onTestFinished(({ task }) => {
    if (task.result?.state !== 'fail') {
      for (const path of made) fs.rmSync(path, { recursive: true, force: true })
      return
    }
    process.stderr.write(`APIE_CRASH_SEED=${seed}; kept: ${made.join(' ') || 'no folder'}\n`)
  })
  return {
    seed,
    random: randomFrom(seed),
    folder: () => {
      const path = fs.mkdtempSync(join(tmpdir(), 'apie-crash-'))
      made.push(path)
      return path
    },
  }
}

/** Numbers from 0 to 1 that a seed decides (the generator mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const pick = <T>(random: Random, all: readonly T[]): T =>
  all[Math.floor(random() * all.length)] as T

/** Prints what a run did, for whoever reads along. */
export function tell(what: string): void {
  process.stderr.write(`  ${what}\n`)
}

/** Counts what a run did towards the sums of a long one (`long-run.mjs`). */
export function count(what: string, amount: number): void {
  figure({ what, amount })
}

/** A figure of which a long run tells the largest. */
export function most(what: string, value: number): void {
  figure({ what, most: value })
}

function figure(told: Readonly<Record<string, string | number>>): void {
  const file = process.env['APIE_TEST_FIGURES']
  if (file) fs.appendFileSync(file, `${JSON.stringify(told)}\n`)
}

/** Runs `work` for each item, at most `width` at the same time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items]
  const one = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: width }, one))
}
