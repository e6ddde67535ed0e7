/** Where the database is and who may come in: the URL, the variables of PostgreSQL, certificates. */
import { execFileSync } from 'node:child_process'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migratePostgres, openPostgresStore } from '../../../src/storage/postgres/engine.ts'
import {
  type PostgresCluster,
  postgresPrograms,
  serverFolder,
  startCluster,
} from '../../support/postgres-cluster.ts'
import { handClock } from '../../support/store.ts'

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url))

/** An authority `NAME.crt`, and a certificate of it for `localhost` in `NAME-server.crt`. */
function makeCertificates(folder: string, name: string): void {
  const run = (...words: string[]) =>
    execFileSync('openssl', words, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout']
  run('req', '-x509', ...key, `${name}.key`, '-out', `${name}.crt`, '-subj', `/CN=${name}`)
  run('req', ...key, `${name}-server.key`, '-out', `${name}.csr`, '-subj', '/CN=localhost')
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost')
  const signer = ['-CA', `${name}.crt`, '-CAkey', `${name}.key`, '-CAcreateserial']
  const files = ['-in', `${name}.csr`, '-out', `${name}-server.crt`, '-extfile', 'names']
  run('x509', '-req', ...files, ...signer)
}

describe.skipIf(postgresPrograms() === undefined)('the address of a PostgreSQL database', () => {
  const { path: folder, own } = serverFolder('certificates')
  let cluster: PostgresCluster
  beforeAll(async () => {
    makeCertificates(folder, 'right')
    makeCertificates(folder, 'wrong')
    const key = join(folder, 'right-server.key')
    chmodSync(key, 0o600)
    own(key)
    const files = [`ssl_cert_file=${join(folder, 'right-server.crt')}`, `ssl_key_file=${key}`]
    cluster = await startCluster(['ssl=on', ...files, 'fsync=off'])
    await migratePostgres(optionsOf(cluster.url))
  })
  afterAll(async () => {
    await cluster?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const optionsOf = (url: string) => ({
    url,
    lockTimeoutMs: 1000,
    connections: 2,
    clock: handClock(),
  })
  const secure = (query: string) =>
    `${cluster.url.replace('127.0.0.1', 'localhost')}?${query}`.replaceAll('NAME', folder)

  /** Whether each connection of a store is encrypted, once some are there. */
  async function connectionsOf(url: string): Promise<readonly boolean[]> {
    const { store } = await openPostgresStore(optionsOf(url))
    await Promise.all(Array.from({ length: 20 }, () => store.log.head()))
    const client = new Client({ connectionString: cluster.url })
    await client.connect()
    const { rows } = await client.query(
      `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'apie'`,
    )
    await client.end()
    await store.close()
    return rows.map(({ ssl }) => ssl)
  }

  test.each(['sslmode=verify-full', 'sslmode=require'])('with %s encrypts', async (mode) => {
    const found = await connectionsOf(secure(`${mode}&sslrootcert=NAME/right.crt`))
    expect(new Set(found)).toEqual(new Set([true]))
  })

  test.each([
    ['another authority', 'sslmode=verify-full&sslrootcert=NAME/wrong.crt'],
    ['another authority, required only', 'sslmode=require&sslrootcert=NAME/wrong.crt'],
    ['no authority', 'sslmode=verify-full'],
  ])('that names %s is refused in words', async (_what, query) => {
    await expect(openPostgresStore(optionsOf(secure(query)))).rejects.toMatchObject({
      code: 'storage-unavailable',
      message: expect.stringContaining('certificate of the database is not trusted'),
    })
  })

  test('that names a file that is not there is refused as a setting', async () => {
    const url = secure('sslmode=verify-full&sslrootcert=NAME/nothing.crt')
    await expect(openPostgresStore(optionsOf(url))).rejects.toMatchObject({ code: 'bad-setting' })
  })

  test('says how many connections there are at most', async () => {
    expect(await connectionsOf(`${cluster.url}?pool=3`)).toHaveLength(3)
    expect(await connectionsOf(`${cluster.url}?pool=1`)).toHaveLength(1)
    await expect(openPostgresStore(optionsOf(`${cluster.url}?pool=0`))).rejects.toMatchObject({
      code: 'bad-setting',
    })
  })

  test('with a wrong password is refused in words', async () => {
    const url = new URL(cluster.url)
    url.password = 'wrong'
    await expect(openPostgresStore(optionsOf(url.href))).rejects.toMatchObject({
      code: 'storage-unavailable',
      message: 'The database refuses the user or the password',
    })
  })

  test('of a database that is not there names it in the cause alone', async () => {
    const url = new URL(cluster.url)
    url.pathname = '/nowhere'
    await expect(openPostgresStore(optionsOf(url.href))).rejects.toMatchObject({
      code: 'storage-unavailable',
      message: 'There is no such database',
      facts: { databaseCode: '3D000' },
      cause: {
        message: `host 127.0.0.1, port ${cluster.port}, database nowhere: database "nowhere" does not exist`,
      },
    })
  })

  test.each(['PGPASSWORD', 'PGPASSFILE'])('comes from the variables and %s', (from) => {
    const { password } = new URL(cluster.url)
    const file = join(folder, 'passwords')
    writeFileSync(file, `127.0.0.1:${cluster.port}:postgres:apie:${decodeURIComponent(password)}\n`)
    chmodSync(file, 0o600)
    const secret = from === 'PGPASSFILE' ? file : decodeURIComponent(password)
    const run = (variables: Readonly<Record<string, string>>) =>
      execFileSync(process.execPath, [MAIN, 'verify', '--json'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          APIE_STORE: 'postgresql://',
          PGHOST: '127.0.0.1',
          PGPORT: String(cluster.port),
          PGUSER: 'apie',
          PGDATABASE: 'postgres',
          ...variables,
        },
      })
    expect(JSON.parse(run({ [from]: secret }))).toMatchObject({ clean: true })
    expect(() => run({ PGPASSWORD: 'wrong' })).toThrow('refuses the user or the password')
  })
})
