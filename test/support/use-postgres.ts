/**
 * Runs once before the tests that go through every engine: where PostgreSQL is missing and this is root on a
 * Debian system, it is installed, then a cluster is started for them. Without one, the tests of that engine
 * are left out, and the report says so.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { postgresPrograms, postgresUrl, startCluster } from './postgres-cluster.ts'

function install(): void {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return
  process.stderr.write('installing postgresql\n')
  // Without the service of the machine: nobody asked for one.
  const policy = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const options = { env: policy, stdio: 'ignore' as const }
  try {
    execFileSync('apt-get', ['update', '-q'], options)
    execFileSync('apt-get', ['install', '-qy', '--no-install-recommends', 'postgresql'], options)
  } catch (error) {
    process.stderr.write(`could not install it: ${(error as Error).message}\n`)
  }
}

export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (postgresUrl() !== undefined) return undefined
  if (postgresPrograms() === undefined) install()
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
