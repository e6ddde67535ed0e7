/** A PostgreSQL cluster for the tests of one file alone, which they may kill, and a store in it. */
import { afterAll, beforeAll } from 'vitest'
import { type PostgresCluster, startCluster } from '../support/postgres-cluster.ts'
import { makePostgresPlace, type PostgresPlace } from '../support/postgres-store.ts'

export type OwnCluster = { readonly cluster: PostgresCluster; readonly place: PostgresPlace }

/** There while the tests run beside which it is called. */
export function ownCluster(): OwnCluster {
  let started: OwnCluster | undefined
  const there = (): OwnCluster => {
    if (!started) throw new Error('The cluster is there for tests, not before them')
    return started
  }
  beforeAll(async () => {
    const cluster = await startCluster()
    started = { cluster, place: await makePostgresPlace(cluster.url) }
  })
  afterAll(() => started?.cluster.stop())
  return {
    get cluster() {
      return there().cluster
    },
    get place() {
      return there().place
    },
  }
}
