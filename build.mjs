/**
 * Builds the executable: `node build.mjs [--entry FILE] [--out FILE] [--no-code-cache]`.
 *
 *  1. esbuild: everything from the entry on → one minified CommonJS file and its source map
 *  2. the official Node binary from the npm package for this machine, stripped: 127 → 108 MB. Stripping has
 *     to come first; a finished executable does not survive it.
 *  3. the program answers an append and some reads; what V8 has compiled by then becomes its code cache
 *  4. pkg: the file, its cache and a loader go into the binary as a single-executable application
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
import { dirname, join, resolve } from 'node:path'
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
/** Other entries are programs to measure against, which answer no requests: Node's own code cache does. */
const isTrained = useCodeCache && resolve(values.entry) === join(project, 'src/main.ts')

/**
 * Options that are baked in: one thread for V8's own work instead of four and none for the inspector, since
 * hosts count threads and Node hangs where it may not start one; no warning ever on a CGI's output.
 */
const NODE_OPTIONS = ['--v8-pool-size=0', '--disable-sigusr1', '--no-warnings']

/** The path of the bundle becomes part of the executable, so it must not tell where it was built. */
const FIXED_FOLDER = '/tmp/apie-build'

/** What the executable is made of; elsewhere the tree may differ from the commit that it names. */
const INPUTS = ['src', 'build.mjs', 'package.json', 'package-lock.json']

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

/** The lock library's signal-exit checks one argument with Node's assert, which takes 1.5 ms to load. */
const smallAssert = {
  name: 'small-assert',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^assert$/ }, ({ path, importer }) =>
      importer.includes('/signal-exit/') ? { path, namespace: 'small-assert' } : undefined,
    )
    onLoad({ filter: /^assert$/, namespace: 'small-assert' }, () => ({
      contents: 'exports.equal = (a, b, text) => { if (a !== b) throw new TypeError(text) }',
    }))
  },
}

/** The bundle and its map. */
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
    plugins: [smallAssert],
    // import() of a module of Node would start its loader of ES modules; require() is there already.
    supported: { 'dynamic-import': false },
  })
  const [map, code] = result.outputFiles.map(({ contents }) => Buffer.from(contents))
  return { code, map }
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

const PROLOGUE = '(function(exports,require,module,__filename,__dirname){'

/** Stacks count columns as in the bundle, so that its map fits. */
const SCRIPT_OPTIONS = `filename: 'apie.cjs', columnOffset: -${PROLOGUE.length}`

/**
 * The main script of the executable. V8 caches what is compiled when it is asked, and compiles a function when
 * it is first called: the cache that Node makes of a main script holds hardly any of them, and every process
 * would compile its own again. Ours was taken after the first calls; V8 itself refuses one that does not fit,
 * and compiles.
 */
const LOADER = `const { getRawAsset } = require('node:sea')
const { Script } = require('node:vm')
const text = Buffer.from(getRawAsset('text')).latin1Slice()
const cachedData = Buffer.from(getRawAsset('cache'))
const script = new Script(text, { ${SCRIPT_OPTIONS}, cachedData })
script.runInThisContext()(exports, require, module, __filename, __dirname)
`

/** Answers an append, a read and a page of a stream in one process, and writes the cache. */
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
  process.env.HTTP_ACCEPT = 'application/json'
  await answer('GET', '/streams/default?embed=body')
  fs.writeFileSync(cache, script.createCachedData())
  exit.call(process, 0)
}
void train()
`

/** Ends well where V8 takes the cache under the options that the executable has. */
const CACHE_CHECK = `const fs = require('node:fs')
const [text, cache] = process.argv.slice(2)
const { Script } = require('node:vm')
const options = { ${SCRIPT_OPTIONS}, cachedData: fs.readFileSync(cache) }
if (new Script(fs.readFileSync(text, 'latin1'), options).cachedDataRejected) process.exit(1)
`

/**
 * Writes the program as a script, and its cache.
 * @param bundlePath the program as a file that Node runs
 */
function train(node, folder, bundlePath, code, { text, cache }) {
  const body = '{"eventType":"trained","body":{"n":1}}'
  const scripts = { 'trainer.cjs': TRAINER, 'check.cjs': CACHE_CHECK, 'body.json': body }
  const [trainer, check, input] = Object.entries(scripts).map(([name, content]) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  })
  writeFileSync(text, Buffer.concat([Buffer.from(PROLOGUE), code, Buffer.from('\n})')]))
  const run = (words, env = {}, stdin = 'ignore') =>
    execFileSync(node, words, { env, encoding: 'utf8', stdio: [stdin, 'pipe', 'pipe'] })
  const data = join(folder, 'data')
  const account = ['user', 'add', 'trainer', '--role', 'admin', '--generate', '--data', data]
  const password = run([bundlePath, ...account]).trim()
  const request = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    REQUEST_METHOD: 'PUT',
    REQUEST_URI: '/events',
    HTTP_HOST: 'localhost',
    HTTP_AUTHORIZATION: `Basic ${Buffer.from(`trainer:${password}`).toString('base64')}`,
    CONTENT_TYPE: 'application/json',
    CONTENT_LENGTH: String(body.length),
    APIE_DATA: data,
  }
  const [, hash] = /"hash":"([0-9a-f]{64})"/.exec(run([bundlePath], request, openSync(input))) ?? []
  if (hash === undefined) throw new Error('the program did not answer an append')
  run([trainer, text, cache, hash], request, openSync(input))
  run([...NODE_OPTIONS, check, text, cache])
}

async function main() {
  mkdirSync(work, { recursive: true })
  mkdirSync(dirname(out), { recursive: true })
  const { code, map } = await bundle()
  const node = strippedNode()
  const digest = createHash('sha256')
    .update(code)
    .update(map)
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .update(JSON.stringify([node.name, useCodeCache, require('@yao-pkg/pkg/package.json').version]))
    .digest('hex')
  const stamp = join(work, `${createHash('sha256').update(out).digest('hex').slice(0, 16)}.built`)
  const isBuilt = existsSync(out) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest
  if (isBuilt) return
  const folder = await claim(FIXED_FOLDER)
  const entry = join(folder, 'apie.cjs')
  const assets = isTrained ? { text: join(folder, 'text'), cache: join(folder, 'cache') } : {}
  const temporary = `${out}.${process.pid}`
  const sea = require('@yao-pkg/pkg/lib-es5/sea.js').default
  const log = console.log
  console.log = () => {}
  try {
    writeFileSync(entry, code)
    if (isTrained) {
      train(node.path, folder, entry, code, assets)
      writeFileSync(entry, LOADER)
    }
    await sea(entry, {
      nodePath: node.path,
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
