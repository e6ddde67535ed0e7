/**
 * Builds the executable: `node build.mjs [--entry FILE] [--out FILE] [--no-code-cache]`.
 *
 *  1. esbuild: everything from the entry on → one minified CommonJS file and its source map
 *  2. the official Node binary from the npm package for this machine, stripped: 127 → 108 MB. Stripping has
 *     to come first; a finished executable does not survive it.
 *  3. the program answers an append and a read; what V8 has compiled by then becomes its code cache
 *  4. pkg: file, cache and a loader for both go into the binary as a single-executable application
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
  openSync,
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
// Other entries are programs to measure against, which answer no requests.
const isWarm = useCodeCache && resolve(values.entry) === join(project, 'src/main.ts')

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
    // import() of a module of Node would start the loader of ES modules; require() is there already.
    supported: { 'dynamic-import': false },
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

const PROLOGUE = '(function(exports,require,module,__filename,__dirname){'

/** Stacks count columns as in the bundle, so that its map still fits. */
const SCRIPT_OPTIONS = `filename: 'apie.cjs', columnOffset: -${PROLOGUE.length}`

/**
 * V8 caches what is compiled when it is asked, and compiles a function when it is first called. The cache that
 * Node makes of a main script therefore holds hardly any, and every process would compile its own again: 6 ms
 * of a request. This main script runs the program with a cache that was taken after the first calls. V8
 * itself refuses a cache that does not fit, and then compiles.
 */
const LOADER = `const { getRawAsset } = require('node:sea')
const { Script } = require('node:vm')
const text = Buffer.from(getRawAsset('text')).latin1Slice()
const cachedData = Buffer.from(getRawAsset('cache'))
const script = new Script(text, { ${SCRIPT_OPTIONS}, cachedData })
script.runInThisContext()(exports, require, module, __filename, __dirname)
`

/** Answers an append and then a read in one process, and writes the cache. */
const TRAINER = `const fs = require('node:fs')
const { Script } = require('node:vm')
const [text, cache, hash] = process.argv.splice(2)
const script = new Script(fs.readFileSync(text, 'latin1'), { ${SCRIPT_OPTIONS} })
const exit = process.exit
const answer = (method, path) => new Promise((resolve) => {
  process.exit = resolve
  Object.assign(process.env, { REQUEST_METHOD: method, REQUEST_URI: path })
  script.runInThisContext()({}, require, { exports: {} }, __filename, __dirname)
})
const train = async () => {
  await answer('PUT', '/events')
  process.env.CONTENT_LENGTH = ''
  await answer('GET', '/events/' + hash)
  fs.writeFileSync(cache, script.createCachedData())
  exit.call(process, 0)
}
void train()
`

function warmCache(node, folder, code, { text, cache }) {
  const body = '{"eventType":"x","body":{"n":1}}'
  const [program, trainer, input] = ['program.cjs', 'trainer.cjs', 'input'].map((name) =>
    join(folder, name),
  )
  writeFileSync(program, code)
  writeFileSync(trainer, TRAINER)
  writeFileSync(input, body)
  const data = join(folder, 'data')
  const run = (words, env, stdin = 'ignore') =>
    execFileSync(node, words, { env, encoding: 'utf8', stdio: [stdin, 'pipe', 'ignore'] })
  const account = ['user', 'add', 'x', '--role', 'admin', '--generate', '--data', data]
  const [password] = /[A-Za-z0-9_-]{22,}/.exec(run([program, ...account], {})) ?? ['']
  const request = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    REQUEST_METHOD: 'PUT',
    REQUEST_URI: '/events',
    HTTP_HOST: 'localhost',
    HTTP_AUTHORIZATION: `Basic ${Buffer.from(`x:${password}`).toString('base64')}`,
    CONTENT_TYPE: 'application/json',
    CONTENT_LENGTH: String(body.length),
    APIE_DATA: data,
  }
  const [, hash] = /"hash":"([0-9a-f]{64})"/.exec(run([program], request, openSync(input))) ?? []
  if (hash === undefined) throw new Error('the program did not answer an append')
  run([trainer, text, cache, hash], request, openSync(input))
}

async function main() {
  mkdirSync(work, { recursive: true })
  mkdirSync(dirname(out), { recursive: true })
  const { code, map } = await bundle()
  const node = strippedNode()
  const digest = createHash('sha256')
    .update(code)
    .update(JSON.stringify([NODE_OPTIONS, useCodeCache, LOADER, TRAINER]))
    .update(basename(node))
    .digest('hex')
  const stamp = join(work, `${createHash('sha256').update(out).digest('hex').slice(0, 16)}.built`)
  const isBuilt = existsSync(out) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest
  if (isBuilt) return
  const folder = await claim(FIXED_FOLDER)
  const entry = join(folder, 'apie.cjs')
  const assets = {}
  if (isWarm) {
    Object.assign(assets, { text: join(folder, 'text'), cache: join(folder, 'cache') })
    writeFileSync(assets.text, Buffer.concat([Buffer.from(PROLOGUE), code, Buffer.from('\n})')]))
    warmCache(node, folder, code, assets)
    writeFileSync(entry, LOADER)
  } else {
    writeFileSync(entry, code)
  }
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
        assets,
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
