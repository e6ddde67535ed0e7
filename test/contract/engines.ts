/** Every engine there is: one line each, and each runs through every suite. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncDisk, type Disk, syncDisk } from '../../src/storage/file/disk.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { openTestStore } from '../support/file-store.ts'
import { makeMongoPlace, mongoUrl, openMongoPlace } from '../support/mongodb-store.ts'
import { postgresUrl } from '../support/postgres-cluster.ts'
import { makePostgresPlace, openPostgresPlace } from '../support/postgres-store.ts'
import type { Engine } from '../support/store.ts'

const memory: Engine = {
  name: 'memory',
  persistence: { kind: 'none', reason: 'nothing outlives the store by design' },
  async open(options) {
    const store = createMemoryStore(options)
    return { store, reopen: async () => store, close: () => store.close() }
  },
}

/** Small files of the log, so that every suite also meets the change from one to the next. */
const file = (name: string, disk: Disk): Engine => ({
  name,
  persistence: { kind: 'durable' },
  async open({ clock }) {
    const folder = mkdtempSync(join(tmpdir(), 'apie-contract-'))
    const open = async () => {
      return openTestStore(join(folder, 'data'), {
        disk,
        clock,
        segmentBytes: 64 * 1024,
        leaveRecordsAt: 10,
        isLongLived: disk === asyncDisk,
      })
    }
    let store = await open()
    return {
      store,
      reopen: async () => {
        await store.close()
        store = await open()
        return store
      },
      close: async () => {
        await store.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
})

const postgres = (clusterUrl: string): Engine => ({
  name: 'postgresql',
  persistence: { kind: 'durable' },
  async open({ clock }) {
    const place = await makePostgresPlace(clusterUrl)
    let { store } = await openPostgresPlace(place, clock)
    return {
      store,
      reopen: async () => {
        await store.close()
        store = (await openPostgresPlace(place, clock)).store
        return store
      },
      close: async () => {
        await store.close()
        await place.remove()
      },
    }
  },
})

const mongodb = (serverUrl: string): Engine => ({
  name: 'mongodb',
  persistence: { kind: 'durable' },
  async open({ clock }) {
    const place = await makeMongoPlace(serverUrl)
    let { store } = await openMongoPlace(place, clock)
    return {
      store,
      reopen: async () => {
        await store.close()
        store = (await openMongoPlace(place, clock)).store
        return store
      },
      close: async () => {
        await store.close()
        await place.remove()
      },
    }
  },
})

const clusterUrl = postgresUrl()
const serverUrl = mongoUrl()

export const engines: readonly Engine[] = [
  memory,
  file('file, one request', syncDisk),
  file('file, many requests', asyncDisk),
  ...(clusterUrl === undefined ? [] : [postgres(clusterUrl)]),
  ...(serverUrl === undefined ? [] : [mongodb(serverUrl)]),
]
