/** Names behind `?` in the address of a database. */
import { describe, expect, test } from 'vitest'
import { openPostgresStore } from '../../../src/storage/postgres/engine.ts'
import { handClock } from '../../support/store.ts'

/** What comes of opening a database at a port on which nobody listens. */
const opened = (query: string) =>
  openPostgresStore({
    url: `postgresql://ann:secret@127.0.0.1:1/shop?${query}`,
    lockTimeoutMs: 1000,
    connections: 1,
    clock: handClock(),
  })

describe('a parameter in the address of a database', () => {
  test.each([
    ['pol=3', 'pol', 'pool'],
    ['sslmode=disable&sslrotcert=x', 'sslrotcert', 'sslrootcert'],
    ['ssl_mode=require', 'ssl_mode', 'sslmode'],
    ['connect_timout=3', 'connect_timout', 'connect_timeout'],
  ])('that is a slip (%s) is refused with the one that was meant', async (query, given, meant) => {
    await expect(opened(query)).rejects.toMatchObject({
      code: 'bad-setting',
      message: `store: the address of the database has an unknown parameter "${given}", the nearest is "${meant}"`,
    })
  })

  test.each([
    'pool=3&options=-c%20geqo=off',
    'query_timeout=2147483647',
    'application_name=x&statement_timeout=5000',
    'connect_timeout=3&target_session_attrs=read-write&channel_binding=prefer&gssencmode=disable',
    'pgbouncer=true&connection_limit=1&schema=public&sslaccept=strict',
  ])('of ours, the driver, libpq or a host (%s) is taken', async (query) => {
    await expect(opened(query)).rejects.toMatchObject({ code: 'storage-unavailable' })
  })

  test.each([
    ['pool=abc', 'has a parameter "pool" that is no number from 1 to 9999'],
    ...['', 'abc', '-1', '0', '5s', '2147483648', '300&query_timeout=x'].map((value) => [
      `query_timeout=${value}`,
      'has a parameter "query_timeout" that is no number from 1 to 2147483647',
    ]),
    [
      'sslmode=foo',
      'has an unknown sslmode; there are disable, no-verify, verify-full, allow, prefer, require, verify-ca',
    ],
  ])('with a value that it cannot have (%s) is refused', async (query, problem) => {
    await expect(opened(query)).rejects.toMatchObject({
      code: 'bad-setting',
      message: `store: the address of the database ${problem}`,
    })
  })
})

test.each([
  'postgresql://ann:secret@/shop?host=/no/socket&port=25432',
  'postgresql://ann:secret@?host=/no/socket&port=25432',
])('an address with a user and no host (%s) leads where the parameter says', async (url) => {
  const options = { url, lockTimeoutMs: 1000, connections: 1, clock: handClock() }
  await expect(openPostgresStore(options)).rejects.toMatchObject({
    code: 'storage-unavailable',
    cause: { message: expect.stringMatching(/^host \/no\/socket, port 25432, database /) },
  })
})
