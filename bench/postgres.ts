/**
 * The PostgreSQL engine within one process beside `pgbench`, which inserts one comparable row a transaction
 * into the same cluster: a private one on loopback, with fsync on.
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '../src/domain/ports.ts'
import { streamSequence } from '../src/domain/sequence.ts'
import { postgresPrograms, startCluster } from '../test/support/postgres-cluster.ts'
import { inDatabase, makePostgresPlace, openPostgresPlace } from '../test/support/postgres-store.ts'
import { appendOf } from './events.ts'
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

export const postgres: Measurement = {
  name: 'postgresql',
  title: 'The PostgreSQL engine in one process',
  async run(size) {
    const seconds = Math.max(size.seconds, LEAST_SECONDS)
    if (postgresPrograms() === undefined) {
      say('  left out: PostgreSQL is not installed')
      return []
    }
    const cluster = await startCluster(['shared_buffers=256MB', 'max_wal_size=4GB'])
    const place = await makePostgresPlace(cluster.url)
    const { store } = await openPostgresPlace(place, { now: () => Date.now() })
    try {
      await inDatabase(cluster.url, TABLE)
      const rates = {
        one: [] as number[],
        many: [] as number[],
        own: [] as number[],
        ownMany: [] as number[],
      }
      let from = 0
      // Turn by turn, since the machine is not equally fast all the time.
      for (let round = 0; round < ROUNDS; round++) {
        rates.one.push(pgbench(cluster.programs, cluster.url, 1, seconds))
        from += await appends(store, from, 1, seconds, rates.own)
        rates.many.push(pgbench(cluster.programs, cluster.url, 64, seconds))
        from += await appends(store, from, 64, seconds, rates.ownMany)
      }
      const [one, many, own, ownMany] = [rates.one, rates.many, rates.own, rates.ownMany].map(
        median,
      )
      return [
        rate('pgbench, 1 client', one),
        rate('appends, one at a time', own),
        ratio('one at a time to pgbench', own, one, 0.5),
        rate('pgbench, 64 clients', many),
        rate('appends, 64 at a time', ownMany),
        ratio('64 at a time to pgbench', ownMany, many, 1),
        rate(`pages of ${PAGE} events`, await pages(store)),
      ]
    } finally {
      await store.close()
      await cluster.stop()
    }
  },
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

/** @returns how many were appended */
async function appends(
  store: Store,
  from: number,
  concurrent: number,
  seconds: number,
  rates: number[],
): Promise<number> {
  const start = performance.now()
  const end = start + seconds * 1000
  let next = from
  const writer = async () => {
    while (performance.now() < end) await store.log.append(appendOf(next++, 9))
  }
  await Promise.all(Array.from({ length: concurrent }, writer))
  rates.push(((next - from) / (performance.now() - start)) * 1000)
  return next - from
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

const rate = (what: string, value = Number.NaN): Row => ({ what, value, unit: '/s' })

const ratio = (what: string, own = Number.NaN, other = Number.NaN, atLeast: number): Row => ({
  what,
  value: own / other,
  unit: '×',
  limit: { atLeast },
})
