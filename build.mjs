/**
 * Builds the executable: `node build.mjs [--entry FILE] [--out FILE] [--no-code-cache]`.
 *
 *  1. esbuild: everything from the entry on → one minified CommonJS file and its source map; libraries that few
 *     requests need become files of their own
 *  2. the official Node binary from the npm package for this machine, stripped: 127 → 108 MB. Stripping has
 *     to come first; a finished executable does not survive it.
 *  3. the program answers reads, an append and a page; what V8 has compiled for each becomes a code cache
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
/** Other entries are programs to measure against, which answer no requests and have Node's own code cache. */
const isProgram = resolve(values.entry) === join(project, 'src/main.ts')

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

/** Two thirds of all text. A process that loads it with the program pays 1 ms, used or not. */
const LIBRARIES = ['mongodb', 'pg', 'fast-xml-parser', 'bcryptjs', 'cli-progress']

const OUTPUT = {
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  legalComments: 'none',
  write: false,
  // import() of a module of Node would start its loader of ES modules, and fails in a script that the loader
  // below runs; require() is there already.
  supported: { 'dynamic-import': false },
}

async function bundleLibrary(name) {
  const stdin = { contents: `module.exports = require('${name}')`, resolveDir: project }
  const { outputFiles } = await build({ ...OUTPUT, stdin })
  return [name, Buffer.from(outputFiles[0].contents)]
}

/** The bundle, its map, and the libraries by name. */
async function bundle() {
  const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
  const result = await build({
    ...OUTPUT,
    entryPoints: [values.entry],
    outfile: join(work, 'apie.cjs'),
    external: isProgram ? LIBRARIES : [],
    sourcemap: 'external',
    sourcesContent: false,
    define: {
      APIE_VERSION: JSON.stringify(version),
      APIE_COMMIT: JSON.stringify(commit()),
    },
    // proper-lockfile asks for graceful-fs, which patches the whole of fs and takes 4 ms to load. It is only
    // the default for calls that we pass in ourselves.
    alias: { 'graceful-fs': 'node:fs' },
    plugins: [smallAssert],
  })
  const [map, code] = result.outputFiles.map(({ contents }) => Buffer.from(contents))
  const libraries = isProgram ? await Promise.all(LIBRARIES.map(bundleLibrary)) : []
  return { code, map, libraries }
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

const asFunction = (code) => Buffer.concat([Buffer.from(PROLOGUE), code, Buffer.from('\n})')])

/** Stacks count columns as in the bundle, so that its map fits. */
const SCRIPT_OPTIONS = `filename: 'apie.cjs', columnOffset: -${PROLOGUE.length}`

/**
 * What is done to fill a code cache: requests, as method and path. V8 caches what is compiled when it is asked,
 * and compiles a function when it is first called: the cache that Node makes of a main script holds hardly any
 * of them, and every process would compile its own again. And all that is in a cache is unpacked, needed or not,
 * 0.4 ms each 100 KB: so there is one for each kind of request, whose name the loader takes from it.
 */
const CACHES = {
  reads: [
    ['GET', '/events/HASH'],
    ['GET', '/events?limit=10'],
  ],
  pages: [['GET', '/streams/default?embed=body']],
  writes: [['PUT', '/events']],
}

/** The main script of the executable. V8 itself refuses a cache that does not fit, and compiles. */
const LOADER = `const { getRawAsset } = require('node:sea')
const { Script } = require('node:vm')
const { REQUEST_METHOD: method, REQUEST_URI: target = '' } = process.env
const kind = method !== 'GET' ? 'writes' : target.includes('/streams') ? 'pages' : 'reads'
const libraries = { ${LIBRARIES.map((name) => `'${name}': undefined`).join(', ')} }
const run = (name, options) => {
  const text = Buffer.from(getRawAsset(name)).latin1Slice()
  const module = { exports: {} }
  const start = new Script(text, options).runInThisContext()
  start(module.exports, requireAny, module, __filename, __dirname)
  return module.exports
}
const requireAny = (name) => {
  if (!Object.hasOwn(libraries, name)) return require(name)
  libraries[name] ??= run(name, { filename: name })
  return libraries[name]
}
run('apie', {
  ${SCRIPT_OPTIONS},
  ${useCodeCache ? 'cachedData: Buffer.from(getRawAsset(kind)),' : ''}
})
`

/** Answers requests in one process, and writes the cache. */
const TRAINER = `const fs = require('node:fs')
const { Script } = require('node:vm')
const [text, cache, requests] = process.argv.splice(2)
const script = new Script(fs.readFileSync(text, 'latin1'), { ${SCRIPT_OPTIONS} })
const exit = process.exit
const answer = (method, path) => new Promise((resolve) => {
  process.exit = resolve
  Object.assign(process.env, { REQUEST_METHOD: method, REQUEST_URI: path })
  script.runInThisContext()({}, require, { exports: {} }, __filename, __dirname)
})
const train = async () => {
  for (const [method, path] of JSON.parse(requests)) await answer(method, path)
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
 * Writes the caches of a program.
 * @param bundlePath the program as a file that Node runs
 * @param textPath   the same as a script
 * @returns the paths of the caches by name
 */
function train(node, folder, bundlePath, textPath) {
  const body = '{"eventType":"trained","body":{"n":1}}'
  const scripts = { 'trainer.cjs': TRAINER, 'check.cjs': CACHE_CHECK, 'body.json': body }
  const [trainer, check, input] = Object.entries(scripts).map(([name, content]) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  })
  const run = (words, env = {}, stdin = 'ignore') =>
    execFileSync(node, words, { env, encoding: 'utf8', stdio: [stdin, 'pipe', 'pipe'] })
  const data = join(folder, 'data')
  const account = ['user', 'add', 'trainer', '--role', 'admin', '--generate', '--data', data]
  const password = run([bundlePath, ...account]).trim()
  const read = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    HTTP_HOST: 'localhost',
    HTTP_ACCEPT: 'application/json',
    HTTP_AUTHORIZATION: `Basic ${Buffer.from(`trainer:${password}`).toString('base64')}`,
    APIE_DATA: data,
  }
  const type = 'application/json'
  const append = { ...read, CONTENT_TYPE: type, CONTENT_LENGTH: String(body.length) }
  const first = { ...append, REQUEST_METHOD: 'PUT', REQUEST_URI: '/events' }
  const [, hash] = /"hash":"([0-9a-f]{64})"/.exec(run([bundlePath], first, openSync(input))) ?? []
  if (hash === undefined) throw new Error('the program did not answer an append')
  return Object.fromEntries(
    Object.entries(CACHES).map(([name, requests]) => {
      const cache = join(folder, name)
      const words = JSON.stringify(requests).replace('HASH', hash)
      const env = name === 'writes' ? append : read
      run([trainer, textPath, cache, words], env, openSync(input))
      run([...NODE_OPTIONS, check, textPath, cache])
      return [name, cache]
    }),
  )
}

/** The texts of the program and its libraries, and the caches, as files by the name of their asset. */
function writeAssets(node, folder, entry, { code, libraries }) {
  const write = (name, content) => {
    const path = join(folder, `${name}.txt`)
    writeFileSync(path, asFunction(content))
    return [name, path]
  }
  const texts = [['apie', code], ...libraries].map(([name, content]) => write(name, content))
  const assets = Object.fromEntries(texts)
  return useCodeCache ? { ...assets, ...train(node, folder, entry, assets.apie) } : assets
}

async function main() {
  mkdirSync(work, { recursive: true })
  mkdirSync(dirname(out), { recursive: true })
  const bundled = await bundle()
  const { code, map, libraries } = bundled
  const node = strippedNode()
  const own = readFileSync(fileURLToPath(import.meta.url))
  const made = createHash('sha256')
  for (const part of [code, map, ...libraries.map(([, content]) => content), own]) made.update(part)
  const digest = made
    .update(JSON.stringify([node.name, useCodeCache, require('@yao-pkg/pkg/package.json').version]))
    .digest('hex')
  const stamp = join(work, `${createHash('sha256').update(out).digest('hex').slice(0, 16)}.built`)
  const isBuilt = existsSync(out) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest
  if (isBuilt) return
  const folder = await claim(FIXED_FOLDER)
  const entry = join(folder, 'apie.cjs')
  let assets = {}
  const temporary = `${out}.${process.pid}`
  const sea = require('@yao-pkg/pkg/lib-es5/sea.js').default
  const log = console.log
  console.log = () => {}
  try {
    writeFileSync(entry, code)
    if (isProgram) {
      assets = writeAssets(node.path, folder, entry, bundled)
      writeFileSync(entry, LOADER)
    }
    await sea(entry, {
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
