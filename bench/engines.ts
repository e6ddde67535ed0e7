/**
 * Each engine within one process beside `pgbench`, which inserts one comparable row a transaction into the
 * cluster of the PostgreSQL engine: a private one on loopback, with fsync on, on the same disk as the file engine.
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '../src/domain/ports.ts'
import { streamSequence } from '../src/domain/sequence.ts'
import { makeMongoPlace, mongoUrl, openMongoPlace } from '../test/support/mongodb-store.ts'
import {
  type PostgresCluster,
  postgresPrograms,
  startCluster,
} from '../test/support/postgres-cluster.ts'
import { inDatabase, makePostgresPlace, openPostgresPlace } from '../test/support/postgres-store.ts'
import { appendOf } from './events.ts'
import { openStore } from './filled-store.ts'
import { type Measurement, median, type Row, say } from './measurement.ts'

const PAGE = 20
const ROUNDS = 3
/** On a busy machine its 64 clients take a second to connect, and it counts nothing before. */
const LEAST_SECONDS = 3

/** A row as large as an event, with a key of its own and a number. */
const TABLE =
  'CREATE TABLE comparable (id bigserial PRIMARY KEY, stream text, event_id uuid, json bytea)'
const SCRIPT = `INSERT INTO comparable (stream, event_id, json)
  VALUES ('order-7', gen_random_uuid(), decode(repeat('7b', 400), 'hex'));
`

const CLIENTS = [1, 64] as const
type Clients = (typeof CLIENTS)[number]

/** An engine, and how many times as fast as `pgbench` it has to be. */
type Candidate = {
  readonly name: string
  readonly store: Store
  readonly atLeast?: Readonly<Record<Clients, number>>
  /** Events so far. */
  count: number
  close(): Promise<void>
}

const CLOCK = { now: () => Date.now() }

export const engines: Measurement = {
  name: 'engines',
  title: 'Each engine in one process',
  async run(size) {
    const seconds = Math.max(size.seconds, LEAST_SECONDS)
    if (postgresPrograms() === undefined) {
      say('  left out: PostgreSQL is not installed')
      return []
    }
    const cluster = await startCluster(['shared_buffers=256MB', 'max_wal_size=4GB'])
    const candidates = await openEngines(cluster)
    try {
      await inDatabase(cluster.url, TABLE)
      return await compare(cluster, candidates, seconds)
    } finally {
      for (const candidate of candidates) await candidate.close()
      await cluster.stop()
    }
  },
}

async function openEngines(cluster: PostgresCluster): Promise<Candidate[]> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'apie-engines-'))
  const file = await openStore(join(folder, 'data'))
  const { store } = await openPostgresPlace(await makePostgresPlace(cluster.url), CLOCK)
  const candidates: Candidate[] = [
    {
      name: 'files',
      store: file,
      atLeast: { 1: 0.5, 64: 3 },
      count: 0,
      close: async () => {
        await file.close()
        fs.rmSync(folder, { recursive: true })
      },
    },
    {
      name: 'PostgreSQL',
      store,
      atLeast: { 1: 0.5, 64: 1 },
      count: 0,
      close: () => store.close(),
    },
  ]
  const server = mongoUrl()
  if (server === undefined) say('  MongoDB is left out: APIE_TEST_MONGODB_URL names no server')
  else candidates.push(await openMongo(server))
  return candidates
}

async function openMongo(server: string): Promise<Candidate> {
  const place = await makeMongoPlace(server)
  const { store } = await openMongoPlace(place, CLOCK)
  const close = async () => {
    await store.close()
    await place.remove()
  }
  return { name: 'MongoDB', store, count: 0, close }
}

/** Turn by turn, since the machine is not equally fast all the time. */
async function compare(
  cluster: PostgresCluster,
  candidates: readonly Candidate[],
  seconds: number,
): Promise<Row[]> {
  const rates = new Map<string, number[]>()
  const note = (what: string, perSecond: number) => {
    rates.set(what, [...(rates.get(what) ?? []), perSecond])
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const clients of CLIENTS) {
      settle()
      note(`pgbench ${clients}`, pgbench(cluster.programs, cluster.url, clients, seconds))
      for (const candidate of candidates) {
        settle()
        note(`${candidate.name} ${clients}`, await appends(candidate, clients, seconds))
      }
    }
  }
  const middle = (what: string) => median(rates.get(what) ?? [])
  const rows = CLIENTS.flatMap((clients) => [
    rate(`pgbench, ${clients} at a time`, middle(`pgbench ${clients}`)),
    ...candidates.flatMap(({ name, atLeast }) =>
      appendRows(
        name,
        clients,
        middle(`${name} ${clients}`),
        middle(`pgbench ${clients}`),
        atLeast,
      ),
    ),
  ])
  for (const { name, store } of candidates) {
    rows.push(rate(`${name}: pages of ${PAGE} events`, await pages(store)))
  }
  return rows
}

/** What others have left to write must not be written on the time of who comes next. */
function settle(): void {
  execFileSync('sync')
}

function appendRows(
  name: string,
  clients: Clients,
  own: number,
  other: number,
  atLeast: Candidate['atLeast'],
): Row[] {
  const what = `${name}: appends, ${clients} at a time`
  return [
    rate(what, own),
    {
      what: `${what}, to pgbench`,
      value: own / other,
      unit: '×',
      ...(atLeast && { limit: { atLeast: atLeast[clients] } }),
    },
  ]
}

/** Transactions a second. */
function pgbench(programs: string, url: string, clients: number, seconds: number): number {
  const script = join(fs.mkdtempSync(join(tmpdir(), 'apie-pgbench-')), 'insert.sql')
  fs.writeFileSync(script, SCRIPT)
  const words = ['-n', '-M', 'prepared', '-f', script, '-c', String(clients), '-T', String(seconds)]
  const out = execFileSync(
    join(programs, 'pgbench'),
    [...words, '-j', clients > 1 ? '2' : '1', url],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  fs.rmSync(join(script, '..'), { recursive: true })
  return Number(/tps = ([0-9.]+)/.exec(out)?.[1])
}

/** Appends a second. */
async function appends(candidate: Candidate, clients: number, seconds: number): Promise<number> {
  const start = performance.now()
  const end = start + seconds * 1000
  const from = candidate.count
  const writer = async () => {
    while (performance.now() < end) await candidate.store.log.append(appendOf(candidate.count++, 9))
  }
  await Promise.all(Array.from({ length: clients }, writer))
  return ((candidate.count - from) / (performance.now() - start)) * 1000
}

async function pages({ log }: Store): Promise<number> {
  const sequence = streamSequence('order-7')
  const last = (await log.sequenceHead(sequence))?.number ?? 0
  const count = 1000
  const start = performance.now()
  for (let n = 0; n < count; n++) {
    await log.readSequence(sequence, Math.floor((last * n) / count), 'forwards', PAGE)
  }
  return (count / (performance.now() - start)) * 1000
}

const rate = (what: string, value: number): Row => ({ what, value, unit: '/s' })
