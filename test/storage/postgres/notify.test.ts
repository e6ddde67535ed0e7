/** What those who follow the log from other processes are told of. */
import { once } from 'node:events'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { appendTo, draft } from '../../support/drafts.ts'
import { postgresUrl } from '../../support/postgres-cluster.ts'
import { inDatabase, makePostgresPlace, openPostgresPlace } from '../../support/postgres-store.ts'
import { handClock } from '../../support/store.ts'

const clusterUrl = postgresUrl()

describe.skipIf(clusterUrl === undefined)('whoever listens in PostgreSQL', () => {
  test('is told of an append of one event and of an append of several', async () => {
    // In a database of its own, since whoever listens hears all that its database says.
    await inDatabase(clusterUrl ?? '', 'CREATE DATABASE told')
    const url = new URL(clusterUrl ?? '')
    url.pathname = '/told'
    const { store } = await openPostgresPlace(await makePostgresPlace(url.href), handClock())
    const listener = new Client({ connectionString: url.href })
    await listener.connect()
    await listener.query('LISTEN apie')
    const heard: [string, number][] = []
    for (const drafts of [[draft(0)], [draft(1), draft(2)], [draft(3)]]) {
      const told = once(listener, 'notification')
      await store.log.append(appendTo('told', drafts))
      const [{ channel }] = await told
      heard.push([channel, (await store.log.head()).count])
    }
    expect(heard).toEqual([
      ['apie', 1],
      ['apie', 3],
      ['apie', 4],
    ])
    await listener.end()
    await store.close()
    await inDatabase(clusterUrl ?? '', 'DROP DATABASE told')
  })
})
