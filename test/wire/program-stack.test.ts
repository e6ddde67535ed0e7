/** Stacks of the bundle in terms of the sources, tried on a bundle that esbuild makes here. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { mapStack } from '../../src/program-stack.ts'

const SOURCE = `// A line of comment, so that lines differ.
export function fail(): never {
  throw new Error('boom')
}

try {
  fail()
} catch (error) {
  console.log((error as Error).stack)
}
`

async function failingBundle(): Promise<{ stack: string; map: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'apie-stack-'))
  try {
    const source = join(folder, 'fails.ts')
    writeFileSync(source, SOURCE)
    const outfile = join(folder, 'apie.cjs')
    const options = { bundle: true, minify: true, platform: 'node', format: 'cjs' } as const
    await build({ entryPoints: [source], outfile, sourcemap: 'external', ...options })
    const { stdout } = spawnSync(process.execPath, [outfile], { encoding: 'utf8' })
    return { stack: stdout, map: readFileSync(`${outfile}.map`, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a stack of the bundle points at lines of the sources', async () => {
  const { stack, map } = await failingBundle()
  expect(stack).toMatch(/apie\.cjs:1:/)
  const mapped = mapStack(stack, map)
  expect(mapped).toContain('fails.ts:3:9')
  expect(mapped).toContain('fails.ts:7:3')
  expect(mapped).not.toContain('apie.cjs')
})

test('a stack stays as it is without a map, or with one that is none', async () => {
  const { stack } = await failingBundle()
  expect(mapStack(stack, undefined)).toBe(stack)
  expect(mapStack(stack, '{"version":3')).toBe(stack)
})
