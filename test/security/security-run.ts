/**
 * What the security tests share: how much they do, the seed of their chance, and cases that once failed, which
 * stay as files and are tried first ever after.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256Hex } from '../../src/kit/sha256.ts'
import { type Random, randomFrom } from '../crash/crash-run.ts'

const HERE = dirname(fileURLToPath(import.meta.url))

/** 1: as much as every check does; larger runs longer in proportion. */
const scale = Number(process.env['APIE_SECURITY_SCALE'] ?? '1')

/** A count of the smallest run, made as large as this run is. */
export const scaled = (count: number): number => Math.max(1, Math.round(count * scale))

/** The chance of a run: the same in every check, another one where `APIE_SECURITY_SEED` says so. */
export function chance(fallback: number): Random {
  return randomFrom(Number(process.env['APIE_SECURITY_SEED'] ?? fallback))
}

/** A list of cases from `corpora/NAME.json`. */
export function corpus(name: string): readonly string[] {
  return JSON.parse(readFileSync(join(HERE, 'corpora', `${name}.json`), 'utf8')) as string[]
}

/** Cases of a kind that failed once. */
export function keptCases(kind: string): readonly string[] {
  const folder = join(HERE, 'cases')
  if (!existsSync(folder)) return []
  const files = readdirSync(folder).filter((name) => name.startsWith(`${kind}-`))
  return files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as string)
}

/** Runs `check` on a case; where it fails the case is kept, and the failure names the file. */
export async function tried<T>(
  kind: string,
  value: string,
  check: (value: string) => T | Promise<T>,
): Promise<T> {
  try {
    return await check(value)
  } catch (error) {
    const file = join(HERE, 'cases', `${kind}-${sha256Hex(value).slice(0, 12)}.json`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${JSON.stringify(value)}\n`)
    throw new Error(`kept as ${file}`, { cause: error })
  }
}
