/** The records of the memory engine. Values are kept as JSON text, so that no caller can change them in place. */
import { AppError } from '../../domain/app-error.ts'
import type {
  Collection,
  ExpectedRevision,
  RecordEngine,
  StoredRecord,
} from '../../domain/ports.ts'

type Kept = { readonly text: string; readonly revision: number }

export class MemoryRecords implements RecordEngine {
  private readonly collectionsByName = new Map<Collection, Map<string, Kept>>()
  private changes = 0

  readonly stamp = (): number => this.changes

  async read(collection: Collection, key: string): Promise<StoredRecord | undefined> {
    const kept = this.records(collection).get(key)
    return kept && toRecord(key, kept)
  }

  async write(
    collection: Collection,
    key: string,
    value: unknown,
    expected: ExpectedRevision,
  ): Promise<StoredRecord> {
    const records = this.records(collection)
    const current = records.get(key)?.revision ?? 'absent'
    if (current !== expected) throw conflict(collection, key)
    const kept = {
      text: JSON.stringify(value),
      revision: current === 'absent' ? 0 : current + 1,
    }
    records.set(key, kept)
    this.changes++
    return toRecord(key, kept)
  }

  async remove(collection: Collection, key: string, expected: number): Promise<void> {
    const records = this.records(collection)
    if (records.get(key)?.revision !== expected) throw conflict(collection, key)
    records.delete(key)
    this.changes++
  }

  async list(collection: Collection, group?: string): Promise<readonly StoredRecord[]> {
    const begin = group === undefined ? '' : `${group}/`
    return [...this.records(collection)]
      .filter(([key]) => key.startsWith(begin))
      .map(([key, kept]) => toRecord(key, kept))
  }

  async collections(): Promise<readonly Collection[]> {
    return [...this.collectionsByName].flatMap(([name, { size }]) => (size > 0 ? [name] : []))
  }

  async close(): Promise<void> {}

  private records(collection: Collection): Map<string, Kept> {
    const found = this.collectionsByName.get(collection)
    if (found) return found
    const made = new Map<string, Kept>()
    this.collectionsByName.set(collection, made)
    return made
  }
}

const toRecord = (key: string, { text, revision }: Kept): StoredRecord => ({
  key,
  value: JSON.parse(text),
  revision,
})

function conflict(collection: Collection, key: string): AppError {
  return new AppError('record-conflict', 'The record was changed by someone else', {
    collection,
    key,
  })
}
