/**
 * Runs once before the tests that go through every engine: where PostgreSQL is missing and this is root on a
 * Debian system, it is installed, then a cluster is started for them. Without one, the tests of that engine
 * are left out, and the report says so.
 */
import { installPackages } from './debian-packages.ts'
import { postgresPrograms, postgresUrl, startCluster } from './postgres-cluster.ts'

export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (postgresUrl() !== undefined) return undefined
  if (postgresPrograms() === undefined) installPackages('postgresql')
  if (postgresPrograms() === undefined) {
    process.stderr.write('tests with PostgreSQL are left out: it is not installed\n')
    return undefined
  }
  const cluster = await startCluster(['fsync=off', 'synchronous_commit=off'])
  process.env['APIE_TEST_POSTGRES_URL'] = cluster.url
  return async () => {
    delete process.env['APIE_TEST_POSTGRES_URL']
    await cluster.stop()
  }
}
