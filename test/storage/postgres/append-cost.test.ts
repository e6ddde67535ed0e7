/** What an append costs the database, counted by the database itself. */
import { setTimeout } from 'node:timers/promises'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { appendTo, draft } from '../../support/drafts.ts'
import { postgresUrl } from '../../support/postgres-cluster.ts'
import { makePostgresPlace, openPostgresPlace } from '../../support/postgres-store.ts'
import { handClock } from '../../support/store.ts'

const LENGTH = 2000
const APPENDS = 20

/** Rows of the events that were stored, and entries of their indexes that were read, as far as they are told. */
async function counts(client: Client): Promise<{ readonly stored: number; readonly read: number }> {
  const { rows } = await client.query(
    `SELECT sum(i.idx_tup_read) AS read, max(t.n_tup_ins) AS stored
       FROM pg_stat_user_indexes AS i JOIN pg_stat_user_tables AS t USING (relid)
       WHERE t.relid = 'apie_event'::regclass`,
  )
  return { stored: Number(rows[0]?.stored), read: Number(rows[0]?.read) }
}

const clusterUrl = postgresUrl()

describe.skipIf(clusterUrl === undefined)('an append in PostgreSQL', () => {
  test('to a long stream does not read the events of it', async () => {
    const place = await makePostgresPlace(clusterUrl ?? '')
    const client = new Client({ connectionString: place.url })
    await client.connect()
    const before = await counts(client)
    const { store } = await openPostgresPlace(place, handClock())
    // Its statement is planned while the log is empty, and the plan stays as long as the connection.
    await store.log.append(appendTo('long', [draft(0)]))
    const events = Array.from({ length: LENGTH }, (_, n) => draft(1 + n))
    await store.log.append(appendTo('long', events))
    for (let n = 1; n <= APPENDS; n++) {
      await store.log.append(appendTo('long', [draft(LENGTH + n)]))
    }
    await store.close()
    // A connection tells its counts when it ends, which is after it was let go of.
    let after = await counts(client)
    while (after.stored < before.stored + 1 + LENGTH + APPENDS) {
      await setTimeout(20)
      after = await counts(client)
    }
    expect(after.read - before.read).toBeLessThan(10 * APPENDS)
    await client.end()
    await place.remove()
  })
})
