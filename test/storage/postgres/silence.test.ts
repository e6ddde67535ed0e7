/** Databases that say nothing, or not what is needed: a network that drops what it is given, no password, no UTF-8. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Client } from 'pg'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Connection } from '../../../src/storage/postgres/connection.ts'
import { migratePostgres, openPostgresStore } from '../../../src/storage/postgres/engine.ts'
import { appendTo, draft } from '../../support/drafts.ts'
import { postgresUrl } from '../../support/postgres-cluster.ts'
import { inDatabase, makePostgresPlace } from '../../support/postgres-store.ts'
import { handClock } from '../../support/store.ts'

const clusterUrl = postgresUrl() ?? ''
const undo: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** Goes between a store and its database, and stops passing anything on when it is told to. */
async function proxyTo(url: URL) {
  const sockets = new Set<Socket>()
  let isSilent = false
  const server = createServer((near) => {
    const far = connect(Number(url.port), url.hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('data', (bytes) => isSilent || to.write(bytes))
      from.on('end', () => isSilent || to.end())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    fallSilent: () => {
      isSilent = true
    },
    speak: () => {
      isSilent = false
    },
  }
}

describe.skipIf(clusterUrl === '')('a database behind a network that drops everything', () => {
  test('is away for reads and unknown for appends, ends in time, and is found again', async () => {
    const place = await makePostgresPlace(clusterUrl)
    undo.push(place.remove)
    const url = new URL(place.url)
    const proxy = await proxyTo(new URL(place.url))
    url.port = String(proxy.port)
    url.hostname = '127.0.0.1'
    url.searchParams.set('query_timeout', '400')
    const options = { url: url.href, lockTimeoutMs: 1000, connections: 2, clock: handClock() }
    const { store } = await openPostgresStore(options)
    // What is remembered of the first leads the second to its commit at once.
    await store.log.append(appendTo('s', [draft(1)]))
    await store.log.append(appendTo('s', [draft(3)]))
    proxy.fallSilent()
    await expect(store.log.append(appendTo('s', [draft(2)]))).rejects.toMatchObject({
      code: 'outcome-unknown',
    })
    proxy.speak()
    await store.log.head()
    proxy.fallSilent()
    await expect(store.log.read(0)).rejects.toMatchObject({
      code: 'storage-unavailable',
      message: 'The database does not answer',
    })
    proxy.speak()
    expect(await store.log.append(appendTo('s', [draft(2)]))).toBeDefined()
    expect(await store.log.head()).toMatchObject({ count: 3 })
    proxy.fallSilent()
    await store.close()
  })
})

test.skipIf(clusterUrl === '')('a transaction without an answer waits for no other', async () => {
  const url = new URL(clusterUrl)
  const proxy = await proxyTo(new URL(clusterUrl))
  url.port = String(proxy.port)
  url.hostname = '127.0.0.1'
  url.searchParams.set('query_timeout', '300')
  const connection = new Connection({ url: url.href, lockTimeoutMs: 1000, connections: 1 })
  undo.push(() => connection.close())
  const asked = vi.spyOn(Client.prototype, 'query')
  undo.push(() => asked.mockRestore())
  const work = connection.transaction(async (run) => {
    await run({ name: 'one', text: 'SELECT 1' })
    proxy.fallSilent()
    await run({ name: 'two', text: 'SELECT 2' })
  })
  await expect(work).rejects.toMatchObject({ code: 'storage-unavailable' })
  expect(asked).toHaveBeenCalledWith('BEGIN')
  expect(asked).not.toHaveBeenCalledWith('ROLLBACK')
})

describe.skipIf(clusterUrl === '')('a database', () => {
  test('that asks for a password where none is given is told as that, and nothing stays open', async () => {
    const url = new URL(clusterUrl)
    url.password = ''
    const before = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap')
    const options = { url: url.href, lockTimeoutMs: 1000, connections: 2 }
    const { PGPASSWORD, PGPASSFILE } = process.env
    undo.push(() => Object.assign(process.env, PGPASSWORD !== undefined && { PGPASSWORD }))
    undo.push(() => Object.assign(process.env, PGPASSFILE !== undefined && { PGPASSFILE }))
    delete process.env['PGPASSWORD']
    process.env['PGPASSFILE'] = '/not/there'
    undo.push(() => delete process.env['PGPASSFILE'])
    await expect(migratePostgres(options)).rejects.toMatchObject({
      code: 'storage-unavailable',
      message: expect.stringContaining('asks for a password'),
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    const after = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap')
    // Those of the test before may have gone meanwhile.
    expect(after.length).toBeLessThanOrEqual(before.length)
  })

  test('whose encoding is not UTF-8 is refused by migrate', async () => {
    const name = `latin_${process.pid}`
    await inDatabase(
      clusterUrl,
      `CREATE DATABASE ${name} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
    )
    undo.push(() => inDatabase(clusterUrl, `DROP DATABASE ${name}`))
    const url = new URL(clusterUrl)
    url.pathname = `/${name}`
    await expect(
      migratePostgres({ url: url.href, lockTimeoutMs: 1000, connections: 1 }),
    ).rejects.toMatchObject({
      code: 'bad-setting',
      message: 'store: the database is encoded in LATIN1, and must be in UTF8',
    })
    const client = new Client({ connectionString: url.href })
    await client.connect()
    const { rows } = await client.query(`SELECT to_regclass('apie_format') AS found`)
    await client.end()
    expect(rows).toEqual([{ found: null }])
  })

  test('without the schema of the search path is refused by migrate, which says what is missing', async () => {
    const url = `${clusterUrl}?options=${encodeURIComponent('-c search_path=not_there')}`
    await expect(
      migratePostgres({ url, lockTimeoutMs: 1000, connections: 1 }),
    ).rejects.toMatchObject({
      code: 'bad-setting',
      message: expect.stringContaining('no schema of the search path'),
    })
  })
})
