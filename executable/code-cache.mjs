/**
 * What the executable starts with: a loader, and what V8 has compiled when the program has answered requests, so
 * that no process compiles it again.
 */
import { execFileSync } from 'node:child_process'
import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LIBRARIES } from './bundle.mjs'

const PROLOGUE = '(function(exports,require,module,__filename,__dirname){'

export const asFunction = (code) =>
  Buffer.concat([Buffer.from(PROLOGUE), code, Buffer.from('\n})')])

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

/** The main script of an executable. V8 itself refuses a cache that does not fit, and compiles. */
export const loader = (isCached) => `const { getRawAsset } = require('node:sea')
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
  ${isCached ? 'cachedData: Buffer.from(getRawAsset(kind)),' : ''}
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
 * @param node       path of the Node that the executable has
 * @param options    of that Node
 * @param folder     for what the program writes
 * @param bundlePath the program as a file that Node runs
 * @param textPath   the same as a script
 * @returns the paths of the caches by name
 */
export function train({ node, options, folder, bundlePath, textPath }) {
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
      run([...options, check, textPath, cache])
      return [name, cache]
    }),
  )
}
