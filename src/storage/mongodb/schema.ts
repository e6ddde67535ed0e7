/** Collections and their indexes, which version of them a database has, and how it comes to the newest one. */
import type { IndexDescription } from 'mongodb'
import { AppError } from '../../domain/app-error.ts'
import type { Collections, Connection } from './connection.ts'

/** Version of the schema before and after. */
export type Migrated = { readonly from: number; readonly to: number }

/** 2: events may have lost their bodies, which an older program takes for damage. */
const NEWEST = 2
const MIGRATE = 'run "apie migrate"'

/** Of the events: every question that is asked of them. */
const EVENT_INDEXES: readonly IndexDescription[] = [
  { name: 'hash', key: { hash: 1 }, unique: true },
  { name: 'id', key: { eventId: 1, stream: 1, _id: 1 } },
  { name: 'stream', key: { stream: 1, version: 1 }, unique: true },
  { name: 'stream-type', key: { stream: 1, type: 1, streamTypeNumber: 1 }, unique: true },
  { name: 'type', key: { type: 1, typeNumber: 1 }, unique: true },
  { name: 'category', key: { category: 1, categoryNumber: 1 }, sparse: true },
  { name: 'streams', key: { streamsNumber: 1 }, sparse: true },
]
const RECORD_INDEXES: readonly IndexDescription[] = [
  { name: 'place', key: { collection: 1, place: 1 } },
  { name: 'group', key: { collection: 1, group: 1, place: 1 } },
]
const CONTENT_INDEXES: readonly IndexDescription[] = [{ name: 'file', key: { file: 1 } }]
const UPLOAD_INDEXES: readonly IndexDescription[] = [{ name: 'age', key: { startedAt: 1 } }]

/** @throws AppError `format-unknown` where the schema is missing, older or newer */
export async function checkSchema(collections: Collections): Promise<void> {
  const found = await readVersion(collections)
  refuseNewer(found)
  if (found === NEWEST) return
  const message = `The database holds no store of this program, or an older one; ${MIGRATE}`
  throw new AppError('format-unknown', message, { found, known: NEWEST })
}

/** Makes what is missing; done twice, or by two at once, it is the same. The version comes last. */
export async function migrate({ collections, db }: Connection): Promise<Migrated> {
  const { events, records, contents, uploads, counters } = collections
  const from = await readVersion(collections)
  refuseNewer(from)
  // Transactions find all collections there.
  const known = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map(nameOf))
  for (const { collectionName } of Object.values(collections)) {
    if (!known.has(collectionName)) await db.createCollection(collectionName).catch(ignoreExisting)
  }
  await events.createIndexes([...EVENT_INDEXES])
  await records.createIndexes([...RECORD_INDEXES])
  await contents.createIndexes([...CONTENT_INDEXES])
  await uploads.createIndexes([...UPLOAD_INDEXES])
  await db.collection('apie_file.files').createIndex({ filename: 1, uploadDate: 1 })
  await db.collection('apie_file.chunks').createIndex({ files_id: 1, n: 1 }, { unique: true })
  await counters.updateOne({ _id: 'format' }, { $max: { number: NEWEST } }, { upsert: true })
  return { from, to: NEWEST }
}

async function readVersion({ counters }: Collections): Promise<number> {
  return (await counters.findOne({ _id: 'format' }))?.number ?? 0
}

const nameOf = ({ name }: { readonly name: string }): string => name

const NAMESPACE_EXISTS = 48

/** Somebody else migrates at the same time. */
function ignoreExisting(error: unknown): void {
  if ((error as { readonly code?: unknown }).code !== NAMESPACE_EXISTS) throw error
}

function refuseNewer(found: number): void {
  if (found <= NEWEST) return
  throw new AppError('format-unknown', 'The schema of the database is newer than this program', {
    found,
    known: NEWEST,
  })
}
