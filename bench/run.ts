/**
 * Measures, prints a table, writes `bench/results/latest.json`; a whole run of full size also writes
 * `docs/speed.md` and `docs/growth.svg`.
 *
 *     npm run bench [-- --quick] [--only NAME]
 *
 * Each measurement runs in a process of its own, so that what one leaves behind does not slow the next.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { apache } from './apache.ts'
import { atompub } from './atompub.ts'
import { cgi } from './cgi.ts'
import { content } from './content.ts'
import { engine } from './engine.ts'
import { engines } from './engines.ts'
import { eventServer } from './event-server.ts'
import { clearOldStores, filledStore, sourceDigest } from './filled-store.ts'
import { growth } from './growth.ts'
import { growthPicture } from './growth-picture.ts'
import { isKept, type Measurement, type Row, type Size, say } from './measurement.ts'
import { buildApie } from './programs.ts'
import { serveAppends } from './serve-appends.ts'
import { streamEvents } from './stream-events.ts'
import { markdownTable, textTable } from './table.ts'

const ALL: readonly Measurement[] = [
  cgi,
  growth,
  serveAppends,
  streamEvents,
  content,
  atompub,
  apache,
  engine,
  eventServer,
  engines,
]

const QUICK: Size = {
  isQuick: true,
  events: 100_000,
  runs: 30,
  seconds: 1,
  contentBytes: 256 * 2 ** 20,
}
const FULL: Size = {
  isQuick: false,
  events: 1_000_000,
  runs: 100,
  seconds: 3,
  contentBytes: 2 ** 30,
}

/** No rows where the measurement failed. */
type Result = {
  readonly name: string
  readonly title: string
  readonly rows: readonly Row[]
  readonly hasFailed: boolean
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    // How a measurement is started in its own process: prints its rows as JSON.
    rows: { type: 'string' },
  },
})
const size = values.quick ? QUICK : FULL

function path(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

async function printRows(name: string): Promise<void> {
  const measurement = ALL.find((one) => one.name === name)
  if (measurement === undefined) throw new Error(`There is no measurement ${name}`)
  process.stdout.write(JSON.stringify(await measurement.run(size)))
}

function measure({ name, title }: Measurement): Result {
  say(`${title} (${name})`)
  const words = [path('run.ts'), '--rows', name, ...(values.quick ? ['--quick'] : [])]
  const { status, stdout } = spawnSync(process.execPath, words, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const hasFailed = status !== 0
  return { name, title, rows: hasFailed ? [] : (JSON.parse(stdout) as Row[]), hasFailed }
}

async function measureAll(): Promise<boolean> {
  const chosen = ALL.filter(({ name }) => values.only === undefined || name === values.only)
  if (chosen.length === 0) {
    throw new Error(`--only takes one of: ${ALL.map(({ name }) => name).join(', ')}`)
  }
  buildApie()
  clearOldStores()
  process.env['APIE_BENCH_SOURCES'] = sourceDigest()
  const results: Result[] = []
  for (const measurement of chosen) {
    const result = measure(measurement)
    results.push(result)
    console.log(`\n${result.title}\n${textTable(result.rows)}\n`)
  }
  fs.mkdirSync(path('results'), { recursive: true })
  const about = { at: new Date().toISOString(), machine: machine(), size }
  fs.writeFileSync(path('results/latest.json'), JSON.stringify({ ...about, results }, null, 2))
  const isWhole = values.only === undefined && !results.some(({ hasFailed }) => hasFailed)
  if (isWhole && !values.quick) await writeDocuments(results)
  return results.every(
    ({ rows, hasFailed }) => !hasFailed && rows.every((row) => isKept(row) !== false),
  )
}

async function writeDocuments(results: readonly Result[]): Promise<void> {
  const { growth: curve } = await filledStore(size.events)
  fs.writeFileSync(path('../docs/growth.svg'), growthPicture(curve))
  const sections = results.map(({ title, rows }) => `## ${title}\n\n${markdownTable(rows)}\n`)
  fs.writeFileSync(path('../docs/speed.md'), `${introduction()}\n${sections.join('\n')}`)
}

function introduction(): string {
  return `# Speed

Written by \`npm run bench\`, which also draws the picture. Times are of one machine (${machine()}) and
mean little on another; ratios were taken in one run, with both sides taking turns. An event is about 300 bytes.

![appends a second and the longest append while a log grows](growth.svg)
`
}

function machine(): string {
  const [cpu] = os.cpus()
  return `${os.cpus().length} × ${cpu?.model ?? 'unknown'}, Node ${process.versions.node}`
}

if (values.rows !== undefined) {
  await printRows(values.rows)
} else {
  const isAllKept = await measureAll()
  if (!isAllKept) say('Some measurement failed, or a figure misses what is wanted: see above.')
}
