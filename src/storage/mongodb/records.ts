/** Records as documents: compare-and-set is one update that finds the document at the expected revision or none. */
import { AppError } from '../../domain/app-error.ts'
import type { RecordEngine, StoredRecord } from '../../domain/ports.ts'
import type { Connection } from './connection.ts'
import type { RecordDocument } from './documents.ts'
import { isDuplicate } from './errors.ts'

const PAGE = 500

export function createMongoRecords(connection: Connection): RecordEngine {
  const insert = async (collection: string, key: string, text: string): Promise<boolean> => {
    const counter = await connection.change(({ counters }) =>
      counters.findOneAndUpdate(
        { _id: 'place' },
        { $inc: { number: 1 } },
        { upsert: true, returnDocument: 'after' },
      ),
    )
    const end = key.indexOf('/')
    const record: RecordDocument = {
      _id: idOf(collection, key),
      collection,
      key,
      ...(end >= 0 && { group: key.slice(0, end) }),
      place: counter?.number ?? 0,
      revision: 0,
      value: text,
    }
    return connection.change(async ({ records }) => {
      try {
        await records.insertOne(record)
        return true
      } catch (error) {
        if (isDuplicate(error)) return false
        throw error
      }
    })
  }
  const update = (collection: string, key: string, value: string, revision: number) =>
    connection.change(async ({ records }) => {
      const filter = { _id: idOf(collection, key), revision }
      const change = { $set: { value }, $inc: { revision: 1 } }
      return (await records.updateOne(filter, change)).matchedCount > 0
    })
  return {
    async read(collection, key) {
      const _id = idOf(collection, key)
      const found = await connection.read(({ records }) => records.findOne({ _id }))
      return found ? toRecord(found) : undefined
    },
    async write(collection, key, value, expected) {
      const text = JSON.stringify(value)
      const isWritten =
        expected === 'absent'
          ? await insert(collection, key, text)
          : await update(collection, key, text, expected)
      if (!isWritten) throw conflict(key)
      const revision = expected === 'absent' ? 0 : expected + 1
      return { key, value: JSON.parse(text), revision }
    },
    async remove(collection, key, revision) {
      const filter = { _id: idOf(collection, key), revision }
      const { deletedCount } = await connection.change(({ records }) => records.deleteOne(filter))
      if (deletedCount === 0) throw conflict(key)
    },
    async list(collection, group) {
      const all: StoredRecord[] = []
      for (let behind = -1; ; ) {
        const filter = {
          collection,
          ...(group !== undefined && { group }),
          place: { $gt: behind },
        }
        const found = await connection.read(({ records }) =>
          records.find(filter, { sort: { place: 1 }, limit: PAGE }).toArray(),
        )
        all.push(...found.map(toRecord))
        if (found.length < PAGE) return all
        behind = found.at(-1)?.place ?? behind
      }
    },
    async collections() {
      return connection.read(({ records }) => records.distinct('collection'))
    },
    async close() {},
  }
}

/** The name of a collection holds no `/`. */
const idOf = (collection: string, key: string): string => `${collection}/${key}`

const toRecord = ({ key, value, revision }: RecordDocument): StoredRecord => ({
  key,
  value: JSON.parse(value),
  revision,
})

function conflict(key: string): AppError {
  return new AppError('record-conflict', 'The record was changed meanwhile', { key })
}
