/**
 * Builds the executable: `node build.mjs [--entry FILE] [--out FILE] [--no-code-cache]`.
 *
 *  1. esbuild: everything from the entry on → one minified CommonJS file and its source map
 *  2. the official Node binary from the npm package for this machine, stripped: 127 → 108 MB. Stripping has
 *     to come first; a finished executable does not survive it.
 *  3. pkg: the file, with V8's code cache of it, goes into the binary as a single-executable application
 *
 * Nothing is downloaded. Same sources, same bytes, but for the code cache: V8 seeds its hash tables by chance,
 * and the cache with them. With a fixed seed it would be the same every time, but V8 then refuses it at run time
 * unless it runs with that seed, too, which would invite collisions. `--no-code-cache` leaves it out: two such
 * builds are equal to the byte, wherever they were made.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'

const project = dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)
const { values } = parseArgs({
  options: {
    entry: { type: 'string', default: join(project, 'src/main.ts') },
    out: { type: 'string', default: join(project, 'cgi-bin/apie') },
    'no-code-cache': { type: 'boolean', default: false },
  },
})
const work = join(project, 'build')
const out = resolve(values.out)
const useCodeCache = !values['no-code-cache']

/**
 * Options that are baked in: one thread for V8's own work instead of four and none for the inspector, since
 * hosts count threads and Node hangs where it may not start one; no warning ever on a CGI's output.
 */
const NODE_OPTIONS = ['--v8-pool-size=0', '--disable-sigusr1', '--no-warnings']

/** The path of the bundle becomes part of the executable, so it must not tell where it was built. */
const FIXED_FOLDER = '/tmp/apie-build'

function git(...words) {
  const { status, stdout } = spawnSync('git', words, { cwd: project, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

function commit() {
  if (git('rev-parse', '--show-toplevel') !== project) return 'unknown'
  const hash = git('rev-parse', '--short=12', 'HEAD')
  if (hash === undefined) return 'unknown'
  return git('status', '--porcelain', '--untracked-files=no', 'src') ? `${hash}-dirty` : hash
}

/** The bundle, its map and a digest of what the executable is made of. */
async function bundle() {
  const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
  const result = await build({
    entryPoints: [values.entry],
    outfile: join(work, 'apie.cjs'),
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    write: false,
    define: {
      APIE_VERSION: JSON.stringify(version),
      APIE_COMMIT: JSON.stringify(commit()),
    },
    // proper-lockfile asks for graceful-fs, which patches the whole of fs and takes 4 ms to load. It is only
    // the default for calls that we pass in ourselves.
    alias: { 'graceful-fs': 'node:fs' },
  })
  const [map, code] = result.outputFiles.map(({ contents }) => Buffer.from(contents))
  return { code, map }
}

function strippedNode() {
  const packageName = `node-linux-${process.arch}`
  const source = require.resolve(`${packageName}/bin/node`)
  const { version } = require(`${packageName}/package.json`)
  const stripped = join(work, `node-${version}-${process.arch}`)
  if (existsSync(stripped)) return stripped
  const temporary = `${stripped}.${process.pid}`
  copyFileSync(source, temporary)
  chmodSync(temporary, 0o755)
  const { status } = spawnSync('strip', [temporary])
  if (status !== 0) {
    copyFileSync(source, temporary)
    console.error('build: "strip" (binutils) is missing: the executable becomes 19 MB larger')
  }
  renameSync(temporary, stripped)
  return stripped
}

/** Makes the folder; another build that is under way is waited for, one that was killed is cleared away. */
async function claim(folder) {
  for (let round = 0; ; round++) {
    try {
      mkdirSync(folder, { mode: 0o700 })
      return folder
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (round < 100) await new Promise((resolve) => setTimeout(resolve, 200))
      else rmSync(folder, { recursive: true, force: true })
    }
  }
}

async function main() {
  mkdirSync(work, { recursive: true })
  mkdirSync(dirname(out), { recursive: true })
  const { code, map } = await bundle()
  const node = strippedNode()
  const digest = createHash('sha256')
    .update(code)
    .update(JSON.stringify([NODE_OPTIONS, useCodeCache]))
    .update(basename(node))
    .digest('hex')
  const stamp = join(work, `${createHash('sha256').update(out).digest('hex').slice(0, 16)}.built`)
  const isBuilt = existsSync(out) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest
  if (isBuilt) return
  const folder = await claim(FIXED_FOLDER)
  const entry = join(folder, 'apie.cjs')
  writeFileSync(entry, code)
  const temporary = `${out}.${process.pid}`
  const sea = require('@yao-pkg/pkg/lib-es5/sea.js').default
  const log = console.log
  console.log = () => {}
  try {
    await sea(entry, {
      nodePath: node,
      seaConfig: {
        disableExperimentalSEAWarning: true,
        useCodeCache,
        execArgv: NODE_OPTIONS,
        execArgvExtension: 'none',
      },
      targets: [{ nodeRange: 'node24', platform: 'linux', arch: process.arch, output: temporary }],
    })
  } finally {
    console.log = log
    rmSync(folder, { recursive: true, force: true })
  }
  chmodSync(temporary, 0o755)
  execFileSync(temporary, ['version'], { stdio: 'ignore' })
  renameSync(temporary, out)
  writeFileSync(`${out}.map`, map)
  writeFileSync(stamp, digest)
  console.error(`build: ${out}`)
}

await main()
