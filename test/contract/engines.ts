/** Every engine there is: one line each, and each runs through every suite. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Binary } from 'mongodb'
import { asyncDisk, type Disk, syncDisk } from '../../src/storage/file/disk.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { openTestStore } from '../support/file-store.ts'
import { inMongo, makeMongoPlace, mongoUrl, openMongoPlace } from '../support/mongodb-store.ts'
import { postgresUrl } from '../support/postgres-cluster.ts'
import { inDatabase, makePostgresPlace, openPostgresPlace } from '../support/postgres-store.ts'
import type { Engine, Spoiling } from '../support/store.ts'

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
      spoil: async (hash, how) => {
        const path = join(folder, 'data/content', hash.slice(0, 2), `${hash}.blob`)
        writeFileSync(path, spoilt(readFileSync(path), how))
      },
      close: async () => {
        await store.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
})

function spoilt(bytes: Buffer, how: Spoiling): Buffer {
  if (how === 'cut') return bytes.subarray(0, -1)
  const [first = 0] = bytes
  return Buffer.from(bytes).fill(first ^ 1, 0, 1)
}

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
      spoil: async (hash, how) => {
        const bytes =
          how === 'changed'
            ? 'set_byte(bytes, 0, get_byte(bytes, 0) # 1)'
            : 'substring(bytes FOR length(bytes) - 1)'
        const which = how === 'changed' ? 'min' : 'max'
        const upload = `(SELECT upload FROM apie_content WHERE hash = '\\x${hash}')`
        await inDatabase(
          place.url,
          `UPDATE apie_chunk SET bytes = ${bytes} WHERE upload = ${upload}
           AND number = (SELECT ${which}(number) FROM apie_chunk WHERE upload = ${upload})`,
        )
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
      spoil: (hash, how) =>
        inMongo(place.url, async (client) => {
          const chunks = client.db().collection('apie_file.chunks')
          const content = await client
            .db()
            .collection('apie_content')
            .findOne<{ file: unknown }>({ _id: hash as never })
          const sort = { n: how === 'changed' ? 1 : -1 } as const
          const chunk = await chunks.findOne({ files_id: content?.file }, { sort })
          if (!chunk) throw new Error('This content has no chunk')
          const data = new Binary(spoilt(Buffer.from(chunk['data'].buffer), how))
          await chunks.updateOne({ _id: chunk._id }, { $set: { data } })
        }),
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
