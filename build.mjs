/**
 * Builds the executable: `node build.mjs [--entry FILE] [--out FILE] [--no-code-cache]`.
 *
 *  1. tsc and esbuild: everything from the entry on → one minified CommonJS file and its source map; libraries
 *     that few requests need become files of their own (`executable/bundle.mjs`)
 *  2. the official Node binary from the npm package for this machine, stripped: 127 → 108 MB. Stripping has
 *     to come first; a finished executable does not survive it.
 *  3. the program answers reads, an append and a page; what V8 has compiled for each becomes a code cache
 *     (`executable/code-cache.mjs`)
 *  4. pkg: the files, the caches and a loader go into the binary as a single-executable application
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
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundleLibraries, bundleProgram } from './executable/bundle.mjs'
import { asFunction, loader, train } from './executable/code-cache.mjs'

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
/** Other entries are programs to measure against, which answer no requests and have Node's own code cache. */
const entry = resolve(values.entry)
const isProgram = entry === join(project, 'src/main.ts')

/**
 * Options that are baked in: one thread for V8's own work instead of four and none for the inspector, since
 * hosts count threads and Node hangs where it may not start one; no warning ever on a CGI's output.
 */
const NODE_OPTIONS = ['--v8-pool-size=0', '--disable-sigusr1', '--no-warnings']

/** The path of the bundle becomes part of the executable, so it must not tell where it was built. */
const FIXED_FOLDER = '/tmp/apie-build'

/** What the executable is made of; elsewhere the tree may differ from the commit that it names. */
const INPUTS = [
  'src',
  'executable',
  'build.mjs',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
]

function git(...words) {
  const { status, stdout } = spawnSync('git', words, { cwd: project, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

function commit() {
  if (git('rev-parse', '--show-toplevel') !== project) return 'unknown'
  const hash = git('rev-parse', '--short=12', 'HEAD')
  if (hash === undefined) return 'unknown'
  return git('status', '--porcelain', '--', ...INPUTS) ? `${hash}-dirty` : hash
}

/** The path of the Node binary to build on, and a name that tells which one it is. */
function strippedNode() {
  const packageName = `node-linux-${process.arch}`
  const source = require.resolve(`${packageName}/bin/node`)
  const name = `node-${require(`${packageName}/package.json`).version}-${process.arch}`
  const stripped = join(work, name)
  if (existsSync(stripped)) return { path: stripped, name }
  const temporary = `${stripped}.${process.pid}`
  copyFileSync(source, temporary)
  chmodSync(temporary, 0o755)
  const { status } = spawnSync('strip', [temporary], { stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) {
    // Kept under no name, so that the next build strips where the tool has been installed since.
    rmSync(temporary)
    console.error('build: "strip" (binutils) is missing: the executable becomes 19 MB larger')
    return { path: source, name: `${name}-unstripped` }
  }
  renameSync(temporary, stripped)
  return { path: stripped, name }
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

/** What the program knows of itself. */
function constants() {
  const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
  return { APIE_VERSION: JSON.stringify(version), APIE_COMMIT: JSON.stringify(commit()) }
}

/** Tells whether an executable was made of the same. */
function digest(node) {
  const made = createHash('sha256')
  const add = (path) => {
    if (!statSync(path).isDirectory()) return made.update(path).update(readFileSync(path))
    for (const name of readdirSync(path).sort()) add(join(path, name))
  }
  for (const input of INPUTS) add(join(project, input))
  if (!isProgram) add(entry)
  return made.update(JSON.stringify([node.name, useCodeCache, constants()])).digest('hex')
}

/** The main script of the executable, its source map, and what it reads besides, as paths by name. */
async function makeProgram(node, folder) {
  const { code, map } = await bundleProgram(entry, join(folder, 'modules'), constants())
  if (!isProgram) return { code, map, assets: {} }
  const texts = [['apie', code], ...(await bundleLibraries())]
  const assets = {}
  for (const [name, text] of texts) {
    assets[name] = join(folder, `${name}.txt`)
    writeFileSync(assets[name], asFunction(text))
  }
  const bundlePath = join(folder, 'apie.cjs')
  writeFileSync(bundlePath, code)
  if (useCodeCache) {
    const way = { node: node.path, options: NODE_OPTIONS, folder, bundlePath }
    Object.assign(assets, train({ ...way, textPath: assets.apie }))
  }
  return { code: loader(useCodeCache), map, assets }
}

/** @returns the path of the executable, which is not in its place yet */
async function assemble(node, folder, { code, assets }) {
  const main = join(folder, 'apie.cjs')
  writeFileSync(main, code)
  const temporary = `${out}.${process.pid}`
  const sea = require('@yao-pkg/pkg/lib-es5/sea.js').default
  const log = console.log
  console.log = () => {}
  try {
    await sea(main, {
      nodePath: node.path,
      seaConfig: {
        disableExperimentalSEAWarning: true,
        useCodeCache: useCodeCache && !isProgram,
        execArgv: NODE_OPTIONS,
        execArgvExtension: 'none',
        assets,
      },
      targets: [{ nodeRange: 'node24', platform: 'linux', arch: process.arch, output: temporary }],
    })
  } finally {
    console.log = log
  }
  chmodSync(temporary, 0o755)
  return temporary
}

async function main() {
  mkdirSync(work, { recursive: true })
  mkdirSync(dirname(out), { recursive: true })
  const node = strippedNode()
  const madeOf = digest(node)
  const stamp = join(work, `${createHash('sha256').update(out).digest('hex').slice(0, 16)}.built`)
  const isBuilt = existsSync(out) && existsSync(stamp) && readFileSync(stamp, 'utf8') === madeOf
  if (isBuilt) return
  const folder = await claim(FIXED_FOLDER)
  try {
    const program = await makeProgram(node, folder)
    const executable = await assemble(node, folder, program)
    execFileSync(executable, ['version'], { stdio: 'ignore' })
    renameSync(executable, out)
    writeFileSync(`${out}.map`, program.map)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  writeFileSync(stamp, madeOf)
  console.error(`build: ${out}`)
}

await main()
