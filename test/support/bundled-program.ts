/**
 * The program as one file, bundled from the sources as they are now: starts in a third of the time that the
 * sources take, and is never older than they are, as a built executable may be.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { indexThread } from '../../executable/index-thread.mjs'
import { PROJECT } from './executable.ts'

export type Program = { readonly command: string; readonly words: readonly string[] }

/** As the executable has them baked in. */
const NODE_OPTIONS = ['--v8-pool-size=0', '--disable-sigusr1', '--no-warnings']

let bundling: Promise<Program> | undefined

/** Made once per process of the test runner and removed when that ends. */
export function bundledProgram(): Promise<Program> {
  bundling ??= bundle()
  return bundling
}

async function bundle(): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'apie-bundle-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'apie.cjs')
  await build({
    entryPoints: [join(PROJECT, 'src/main.ts')],
    outfile: file,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    logLevel: 'error',
    alias: { 'graceful-fs': 'node:fs' },
    define: { ...(await indexThread()), 'import.meta.url': '""' },
  })
  return { command: process.execPath, words: [...NODE_OPTIONS, file] }
}
