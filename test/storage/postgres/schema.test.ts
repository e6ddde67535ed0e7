/** A store that an earlier version made in PostgreSQL. */
import { describe, expect, test } from 'vitest'
import { migratePostgres, openPostgresStore } from '../../../src/storage/postgres/engine.ts'
import { MIGRATIONS } from '../../../src/storage/postgres/migrations.ts'
import { appendTo, draft } from '../../support/drafts.ts'
import { postgresUrl } from '../../support/postgres-cluster.ts'
import { inDatabase } from '../../support/postgres-store.ts'
import { handClock, verifyStore } from '../../support/store.ts'

const clusterUrl = postgresUrl()
const [first = []] = MIGRATIONS

/** An event as the first version wrote it, whose number 0 it is everywhere. */
const EVENT = `
  INSERT INTO apie_event SELECT 0, 0, 0, 0, NULL, 0, sha256(convert_to(
      encode(sha256(''), 'hex') || chr(10) || json, 'UTF8')), decode(repeat('00', 15) || '01', 'hex'),
    substring(sha256('s/s') FOR 16), substring(sha256('b/s/t') FOR 16), substring(sha256('t/t') FOR 16), NULL,
    NULL, convert_to(json, 'UTF8')
  FROM (SELECT '{"eventId":"00000000-0000-0000-0000-000000000001","eventType":"t","stream":"s","version":0,' ||
    '"position":0,"body":1,"createdBy":"a","createdAt":"2020-01-01T00:00:00.000Z","hash":null}' AS json) AS e;
  UPDATE apie_head SET count = 1, hash = (SELECT hash FROM apie_event);`

describe.skipIf(clusterUrl === undefined)('a store in PostgreSQL of the first version', () => {
  test('is refused until it is upgraded, and then holds what it held', async () => {
    const schema = `old_${process.pid}`
    await inDatabase(
      clusterUrl ?? '',
      `DROP SCHEMA IF EXISTS ${schema} CASCADE; CREATE SCHEMA ${schema}`,
    )
    const url = `${clusterUrl}?options=${encodeURIComponent(`-c search_path=${schema}`)}`
    const options = { url, lockTimeoutMs: 8000, connections: 2, clock: handClock() }
    const format =
      'CREATE TABLE apie_format (version integer NOT NULL); INSERT INTO apie_format VALUES (1)'
    await inDatabase(url, [format, ...first, EVENT].join(';\n'))
    await expect(openPostgresStore(options)).rejects.toMatchObject({
      code: 'format-unknown',
      facts: { found: 1, known: MIGRATIONS.length },
    })
    expect(await migratePostgres(options)).toEqual({ from: 1, to: MIGRATIONS.length })
    const { store } = await openPostgresStore(options)
    expect(Buffer.from((await store.log.read(0))?.json ?? '').toString()).toContain('"body":1')
    await store.log.append(
      appendTo('s', [draft(2)], { expectedVersion: { kind: 'version', version: 0 } }),
    )
    await verifyStore(store)
    await store.close()
    expect(await migratePostgres(options)).toEqual({ from: 2, to: 2 })
  })
})
