/** Stores on the MongoDB server that `APIE_TEST_MONGODB_URL` names, each in a database of its own. */
import { MongoClient } from 'mongodb'
import type { Clock } from '../../src/domain/ports.ts'
import { migrateMongo, openMongoStore } from '../../src/storage/mongodb/engine.ts'

export type MongoPlace = {
  /** For `APIE_STORE`. */
  readonly url: string
  remove(): Promise<void>
}

/** Of a server, with or without options; what it says of a database is not used. */
export const mongoUrl = (): string | undefined => process.env['APIE_TEST_MONGODB_URL'] || undefined

let made = 0

/** The URL of one database of a server. */
function databaseUrl(serverUrl: string, name: string): string {
  const [, server = '', , query = ''] =
    /^([a-z+]+:\/\/[^/?]+)(\/[^?]*)?(\?.*)?$/.exec(serverUrl) ?? []
  return `${server}/${name}${query}`
}

/** An empty store. */
export async function makeMongoPlace(serverUrl: string): Promise<MongoPlace> {
  const name = `apie_t${process.pid}_${Date.now().toString(36)}_${made++}`
  const url = databaseUrl(serverUrl, name)
  await migrateMongo(mongoOptions(url))
  return {
    url,
    remove: () => inMongo(url, async (client) => void (await client.db().dropDatabase())),
  }
}

const mongoOptions = (url: string) => ({ url, lockTimeoutMs: 8000, connections: 4 })

export const openMongoPlace = ({ url }: MongoPlace, clock: Clock) =>
  openMongoStore({ ...mongoOptions(url), clock })

export async function inMongo<T>(
  url: string,
  work: (client: MongoClient) => Promise<T>,
): Promise<T> {
  const client = new MongoClient(url)
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}
