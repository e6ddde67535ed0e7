/** The executables that are measured, and small ones built the same way to measure them against. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROJECT = fileURLToPath(new URL('..', import.meta.url))

export const APIE = join(PROJECT, 'cgi-bin/apie')

/** Builds `bench/programs/NAME.ts` as `build.mjs` builds apie, unless it stands there already. */
export function builtProgram(name: 'hello'): string {
  const out = join(PROJECT, 'build/bench-programs', name)
  build('--entry', join(PROJECT, 'bench/programs', `${name}.ts`), '--out', out)
  return out
}

/** Builds apie itself where the sources are newer. */
export function buildApie(): void {
  build()
}

function build(...words: string[]): void {
  const script = join(PROJECT, 'build.mjs')
  execFileSync(process.execPath, [script, ...words], { stdio: ['ignore', 'ignore', 'inherit'] })
}
