/** Stores in a PostgreSQL cluster, each in a schema of its own. */
import { Client } from 'pg'
import type { Clock } from '../../src/domain/ports.ts'
import { migratePostgres, openPostgresStore } from '../../src/storage/postgres/engine.ts'

export type PostgresPlace = {
  /** For `APIE_STORE`. */
  readonly url: string
  remove(): Promise<void>
}

let made = 0
/** Places that were given back, by cluster: emptying tables is faster than making them. */
const free = new Map<string, string[]>()

const EMPTY = `
  DELETE FROM apie_event; DELETE FROM apie_record; DELETE FROM apie_upload; DELETE FROM apie_chunk;
  DELETE FROM apie_content; DELETE FROM apie_attempt; DELETE FROM apie_setup;
  UPDATE apie_head SET count = 0, hash = sha256(''), created_at_ms = 0;`

/** An empty store. */
export async function makePostgresPlace(clusterUrl: string): Promise<PostgresPlace> {
  const known = free.get(clusterUrl) ?? []
  free.set(clusterUrl, known)
  const url = known.pop() ?? (await newPlace(clusterUrl))
  const remove = async () => {
    await inDatabase(url, EMPTY)
    known.push(url)
  }
  return { url, remove }
}

async function newPlace(clusterUrl: string): Promise<string> {
  const schema = `t${process.pid}_${Date.now().toString(36)}_${made++}`
  await inDatabase(clusterUrl, `CREATE SCHEMA ${schema}`)
  const url = `${clusterUrl}?options=${encodeURIComponent(`-c search_path=${schema}`)}`
  await migratePostgres(postgresOptions(url))
  return url
}

const postgresOptions = (url: string) => ({ url, lockTimeoutMs: 8000, connections: 4 })

export async function openPostgresPlace({ url }: PostgresPlace, clock: Clock) {
  return openPostgresStore({ ...postgresOptions(url), clock })
}

type Row = Readonly<Record<string, unknown>>

export async function inDatabase(url: string, statement: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}
