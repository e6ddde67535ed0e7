/**
 * The texts that the executable runs: the program, and each library that most requests do not need.
 *
 * tsc makes CommonJS modules of the sources, and esbuild one text of them. From ES modules esbuild would put all
 * functions of all modules side by side, and every process would create each of them at its start, needed or not;
 * a CommonJS module remains one function until somebody asks for it, which is where something of it is used and
 * not where it is imported. A read costs 2 to 3 ms less. So no module may count on being evaluated before that.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { indexThread } from './index-thread.mjs'

const steps = dirname(fileURLToPath(import.meta.url))
const project = dirname(steps)
const require = createRequire(import.meta.url)

/** Two thirds of all text. A process that loads it with the program pays 1 ms, used or not. */
export const LIBRARIES = ['mongodb', 'pg', 'fast-xml-parser', 'bcryptjs', 'cli-progress']

/** The lock library's signal-exit checks one argument with Node's assert, which takes 1.5 ms to load. */
const SMALL_ASSERT = 'exports.equal = (a, b, text) => { if (a !== b) throw new TypeError(text) }'

/** What tsc's modules ask for. Nothing is copied from the module: some of Node's have members that load others. */
const IMPORT_HELPERS = `const withDefault = (module) => Object.create(module, { default: { value: module } })
exports.__importStar = (module) => module.__esModule ? module : withDefault(module)
exports.__importDefault = (module) => module.__esModule ? module : { default: module }`

/** Has the text stand for a module. */
function replace(name, text, isFor = () => true) {
  return {
    name: `small-${name}`,
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${name}$`) }, ({ path, importer }) =>
        isFor(importer) ? { path, namespace: name } : undefined,
      )
      onLoad({ filter: /./, namespace: name }, () => ({ contents: text }))
    },
  }
}

/** Asks for our modules where they are used. Lines stay where they are, for the source map. */
const lateRequire = {
  name: 'late-require',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.js$/, namespace: 'file' }, ({ path }) => {
      if (path.includes('/node_modules/')) return undefined
      const imports = /^const (\w+) = (require\("\.[^"]+"\));$/gm
      const text = readFileSync(path, 'utf8')
      // esbuild takes whatever names it for an ES module.
      let contents = text.replace(imports, '').replaceAll('import.meta.url', '""')
      for (const [, name, required] of text.matchAll(imports)) {
        contents = contents.replaceAll(new RegExp(`\\b${name}\\.`, 'g'), `(${required}).`)
        if (new RegExp(`\\b${name}\\b`).test(contents))
          throw new Error(`${path}: ${name} is used whole`)
      }
      return { contents, loader: 'js' }
    })
  },
}

const OPTIONS = {
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  legalComments: 'none',
  write: false,
  // import() of a module of Node would start its loader of ES modules, and fails in a script that the loader of
  // the executable runs; require() is there already.
  supported: { 'dynamic-import': false },
}

/**
 * @param entry  a file below `src` or `bench/programs`
 * @param folder for tsc's modules; is made, and left to the caller
 * @param define constants by name
 * @returns the text and its source map
 */
export async function bundleProgram(entry, folder, define) {
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', steps, '--outDir', folder], { stdio: 'inherit' })
  const module = join(folder, relative(project, entry).replace(/\.ts$/, '.js'))
  const { outputFiles } = await build({
    ...OPTIONS,
    entryPoints: [module],
    nodePaths: [join(project, 'node_modules')],
    outfile: join(project, 'build/apie.cjs'),
    external: LIBRARIES,
    sourcemap: 'external',
    sourcesContent: false,
    // Only who runs the sources asks where they are.
    define: { ...define, ...(await indexThread()), 'import.meta.url': '""' },
    // proper-lockfile asks for graceful-fs, which patches the whole of fs and takes 4 ms to load. It is only
    // the default for calls that we pass in ourselves.
    alias: { 'graceful-fs': 'node:fs' },
    plugins: [
      replace('assert', SMALL_ASSERT, (importer) => importer.includes('/signal-exit/')),
      replace('tslib', IMPORT_HELPERS),
      lateRequire,
    ],
  })
  const [map, code] = outputFiles.map(({ contents }) => Buffer.from(contents))
  return { code, map }
}

/** @returns pairs of name and text */
export function bundleLibraries() {
  return Promise.all(
    LIBRARIES.map(async (name) => {
      const stdin = { contents: `module.exports = require('${name}')`, resolveDir: project }
      const { outputFiles } = await build({ ...OPTIONS, stdin })
      return [name, Buffer.from(outputFiles[0].contents)]
    }),
  )
}
