/** Statements whose rows are only counted, on connections of the driver to a real server. */
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { countRows } from '../../../src/storage/postgres/bare-query.ts'
import { postgresUrl } from '../../support/postgres-cluster.ts'

const clusterUrl = postgresUrl()

const SERIES = 'SELECT n FROM generate_series(1, $1::integer) AS n'

describe.skipIf(clusterUrl === undefined)('a bare query', () => {
  let pool: pg.Pool
  let client: pg.PoolClient

  const connect = async (settings: pg.PoolConfig = {}) => {
    pool = new pg.Pool({ connectionString: clusterUrl ?? '', max: 1, ...settings })
    client = await pool.connect()
    client.on('error', () => {})
  }

  beforeEach(() => connect())

  afterEach(async () => {
    client.release(true)
    await pool.end()
  })

  test('tells how many rows came, each time it is sent', async () => {
    expect(await countRows(client, 'series', SERIES, [3])).toBe(3)
    expect(await countRows(client, 'series', SERIES, [0])).toBe(0)
    expect(await countRows(client, 'series', SERIES, [2])).toBe(2)
  })

  test('is prepared once on a connection', async () => {
    await countRows(client, 'series', SERIES, [1])
    await countRows(client, 'series', SERIES, [1])
    const { rows } = await client.query(
      'SELECT name, generic_plans + custom_plans AS used FROM pg_prepared_statements',
    )
    expect(rows).toEqual([{ name: 'series', used: '2' }])
  })

  test('sends bytes, texts, numbers, claims and nothing as what they are', async () => {
    const text = `SELECT 1 WHERE $1::bytea = '\\x00ff27'::bytea AND $2::text = 'ä''\\' AND $3::bigint = 9007199254740991
      AND $4::boolean AND $5::text IS NULL AND $6::bigint IS NULL AND $7::bytea = ''::bytea`
    const bytes = Buffer.from([0, 255, 39])
    const values = [bytes, `ä'\\`, 9007199254740991, true, undefined, null, Buffer.alloc(0)]
    expect(await countRows(client, 'values', text, values)).toBe(1)
  })

  test('that the server refuses rejects, and the connection serves the next one', async () => {
    const text = 'SELECT 1 / $1::integer'
    await expect(countRows(client, 'divide', text, [0])).rejects.toMatchObject({ code: '22012' })
    expect(await countRows(client, 'divide', text, [1])).toBe(1)
    await expect(countRows(client, 'wrong', 'SELEC', [])).rejects.toMatchObject({ code: '42601' })
    expect(await countRows(client, 'wrong', 'SELECT 1', [])).toBe(1)
    expect((await client.query('SELECT 5 AS five')).rows).toEqual([{ five: 5 }])
  })

  test('whose connection ends rejects, and so does the next one on it', async () => {
    const end = 'SELECT pg_terminate_backend(pg_backend_pid())'
    await expect(countRows(client, 'end', end, [])).rejects.toMatchObject({ code: '57P01' })
    await expect(countRows(client, 'series', SERIES, [1])).rejects.toThrow()
  })

  test('that takes longer than the driver may wait rejects', async () => {
    client.release(true)
    await pool.end()
    await connect({ query_timeout: 50 })
    await expect(countRows(client, 'sleep', 'SELECT pg_sleep(60)', [])).rejects.toThrow('timeout')
  })
})
