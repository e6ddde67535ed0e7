/** Stores in databases whose rows and documents are changed by hand, behind the back of the program. */
import { Binary, type MongoClient } from 'mongodb'
import type { Store } from '../../src/domain/ports.ts'
import { inMongo, makeMongoPlace, mongoUrl, openMongoPlace } from './mongodb-store.ts'
import { postgresUrl } from './postgres-cluster.ts'
import { inDatabase, makePostgresPlace, openPostgresPlace } from './postgres-store.ts'
import { handClock } from './store.ts'

export type DamagedStore = {
  readonly store: Store
  /** Another letter in the text of an event. */
  changeText(position: number): Promise<void>
  /** A byte in it that no UTF-8 has. */
  spoilText(position: number): Promise<void>
  changeHash(position: number): Promise<void>
  /** Puts the text of an event in the place of another. */
  copyText(from: number, to: number): Promise<void>
  /** @param to exclusive; the end of the log where it is missing */
  remove(from: number, to?: number): Promise<void>
  /** Changes the second chunk of all content. */
  spoilContent(): Promise<void>
  /** Everything that is stored of content: descriptions, uploads that are under way, chunks. */
  countContent(): Promise<readonly number[]>
  close(): Promise<void>
}

export type Database = {
  readonly name: string
  /** Missing: there is no server. */
  readonly url: string | undefined
  /** Events of 1.5 MiB that a page holds. */
  readonly largeInPage: number
  open(): Promise<DamagedStore>
}

const HASH = 'ab'.repeat(32)

const postgres: Database = {
  name: 'PostgreSQL',
  url: postgresUrl(),
  largeInPage: 3,
  async open() {
    const place = await makePostgresPlace(postgres.url ?? '')
    const { store } = await openPostgresPlace(place, handClock())
    const run = async (statement: string) => void (await inDatabase(place.url, statement))
    const update = (position: number, what: string) =>
      run(`UPDATE apie_event SET ${what} WHERE position = ${position}`)
    return {
      store,
      changeText: (position) =>
        update(
          position,
          `json = convert_to(replace(convert_from(json, 'UTF8'), 'ann@', 'bob@'), 'UTF8')`,
        ),
      spoilText: (position) => update(position, 'json = set_byte(json, 20, 255)'),
      changeHash: (position) => update(position, `hash = '\\x${HASH}'`),
      copyText: (from, to) =>
        run(`UPDATE apie_event AS e SET json = p.json FROM apie_event AS p
          WHERE e.position = ${to} AND p.position = ${from}`),
      remove: (from, to) =>
        run(`DELETE FROM apie_event WHERE position >= ${from} AND position < ${to ?? 1e9}`),
      spoilContent: () =>
        run('UPDATE apie_chunk SET bytes = set_byte(bytes, 0, 0) WHERE number = 1'),
      countContent: async () => {
        const counts = ['apie_content', 'apie_upload WHERE NOT is_finished', 'apie_chunk'].map(
          (rows) => `(SELECT count(*) FROM ${rows})`,
        )
        const [row] = await inDatabase(place.url, `SELECT ${counts.join(" || ' ' || ")} AS counts`)
        return String(row?.['counts']).split(' ').map(Number)
      },
      close: async () => {
        await store.close()
        await place.remove()
      },
    }
  },
}

const mongodb: Database = {
  name: 'MongoDB',
  url: mongoUrl(),
  largeInPage: 1,
  async open() {
    const place = await makeMongoPlace(mongodb.url ?? '')
    const { store } = await openMongoPlace(place, handClock())
    const run = <T>(work: (db: ReturnType<MongoClient['db']>) => Promise<T>) =>
      inMongo(place.url, (client) => work(client.db()))
    const events = (db: ReturnType<MongoClient['db']>) =>
      db.collection<{ _id: number; json: Binary; hash: string }>('apie_event')
    const rewrite = (position: number, text: (bytes: Buffer) => Buffer) =>
      run(async (db) => {
        const event = await events(db).findOne({ _id: position })
        const json = new Binary(text(Buffer.from(event?.json.buffer ?? [])))
        await events(db).updateOne({ _id: position }, { $set: { json } })
      })
    return {
      store,
      changeText: (position) =>
        rewrite(position, (bytes) => Buffer.from(bytes.toString().replace('ann@', 'bob@'))),
      spoilText: (position) => rewrite(position, (bytes) => bytes.fill(255, 20, 21)),
      changeHash: (position) =>
        run(
          async (db) =>
            void (await events(db).updateOne({ _id: position }, { $set: { hash: HASH } })),
        ),
      copyText: (from, to) =>
        run(async (db) => {
          const event = await events(db).findOne({ _id: from })
          if (event) await events(db).updateOne({ _id: to }, { $set: { json: event.json } })
        }),
      remove: (from, to = 1e9) =>
        run(async (db) => void (await events(db).deleteMany({ _id: { $gte: from, $lt: to } }))),
      spoilContent: () =>
        run(async (db) => {
          const data = new Binary(Buffer.alloc(255 * 1024))
          await db.collection('apie_file.chunks').updateMany({ n: 1 }, { $set: { data } })
        }),
      countContent: () =>
        run((db) => {
          const names = ['apie_content', 'apie_upload', 'apie_file.chunks']
          return Promise.all(names.map((name) => db.collection(name).countDocuments()))
        }),
      close: async () => {
        await store.close()
        await place.remove()
      },
    }
  },
}

/** Every database there is a server for here: one line each. */
export const databases: readonly Database[] = [postgres, mongodb]
