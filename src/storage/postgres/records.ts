/** Records as rows: compare-and-set is one statement that finds the row at the expected revision or none. */
import { AppError } from '../../domain/app-error.ts'
import type { RecordEngine, StoredRecord } from '../../domain/ports.ts'
import { sha256Bytes } from '../../kit/sha256.ts'
import type { Connection, Row, Statement } from './connection.ts'

const READ: Statement = {
  name: 'read-record',
  text: `SELECT key, value, revision FROM apie_record
    WHERE collection = $1::text AND key_hash = $2::bytea ORDER BY key_hash`,
}
const INSERT: Statement = {
  name: 'insert-record',
  text: `INSERT INTO apie_record (collection, key_hash, key, group_hash, revision, value)
    VALUES ($1::text, $2::bytea, $3::bytea, $4::bytea, 0, $5::text)
    ON CONFLICT DO NOTHING RETURNING revision`,
}
const UPDATE: Statement = {
  name: 'update-record',
  text: `UPDATE apie_record SET value = $3::text, revision = revision + 1
    WHERE collection = $1::text AND key_hash = $2::bytea AND revision = $4::bigint RETURNING revision`,
}
const REMOVE: Statement = {
  name: 'remove-record',
  text: `DELETE FROM apie_record
    WHERE collection = $1::text AND key_hash = $2::bytea AND revision = $3::bigint RETURNING revision`,
}
const LIST: Statement = {
  name: 'list-records',
  text: `SELECT key, value, revision, place FROM apie_record
    WHERE collection = $1::text AND place > $2::bigint ORDER BY place LIMIT $3::bigint`,
}
const LIST_GROUP: Statement = {
  name: 'list-group',
  text: `SELECT key, value, revision, place FROM apie_record
    WHERE collection = $1::text AND group_hash = $4::bytea AND place > $2::bigint
    ORDER BY place LIMIT $3::bigint`,
}
const COLLECTIONS: Statement = {
  name: 'collections',
  text: 'SELECT DISTINCT collection FROM apie_record ORDER BY collection',
}

const PAGE = 500

export function createPostgresRecords({ read, change }: Connection): RecordEngine {
  return {
    async read(collection, key) {
      const [row] = await read(READ, [collection, sha256Bytes(key)])
      return row && toRecord(row)
    },
    async write(collection, key, value, expected) {
      const text = JSON.stringify(value)
      const hash = sha256Bytes(key)
      const [row] =
        expected === 'absent'
          ? await change(INSERT, [collection, hash, Buffer.from(key), groupOf(key), text])
          : await change(UPDATE, [collection, hash, text, expected])
      if (!row) throw conflict(key)
      return { key, value: JSON.parse(text), revision: Number(row['revision']) }
    },
    async remove(collection, key, expected) {
      const [row] = await change(REMOVE, [collection, sha256Bytes(key), expected])
      if (!row) throw conflict(key)
    },
    async list(collection, group) {
      const records: StoredRecord[] = []
      for (let behind = -1; ; ) {
        const values = [collection, behind, PAGE]
        const rows =
          group === undefined
            ? await read(LIST, values)
            : await read(LIST_GROUP, [...values, sha256Bytes(group)])
        for (const row of rows) records.push(toRecord(row))
        if (rows.length < PAGE) return records
        behind = Number(rows.at(-1)?.['place'])
      }
    },
    async collections() {
      const rows = await read(COLLECTIONS)
      return rows.map((row) => String(row['collection']))
    },
    async close() {},
  }
}

/** What stands before the first `/` of a key. */
function groupOf(key: string): Buffer | null {
  const end = key.indexOf('/')
  return end < 0 ? null : sha256Bytes(key.slice(0, end))
}

function toRecord(row: Row): StoredRecord {
  return {
    key: (row['key'] as Buffer).toString('utf8'),
    value: JSON.parse(String(row['value'])),
    revision: Number(row['revision']),
  }
}

function conflict(key: string): AppError {
  return new AppError('record-conflict', 'The record was changed meanwhile', { key })
}
