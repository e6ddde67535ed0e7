/**
 * From one store to another, whatever their engines: content first, since events may name it; then the log,
 * byte for byte, declared removals as such; then the records. Each part goes on where an earlier copy broke off.
 */
import { isSameJson } from '../kit/json-equal.ts'
import { AppError } from './app-error.ts'
import { linkedEvents } from './linked-event.ts'
import type {
  ContentEngine,
  ImportCount,
  LogEngine,
  Progress,
  RecordEngine,
  Store,
} from './ports.ts'

export type CopyCounts = {
  readonly events: ImportCount
  readonly content: ImportCount
  readonly records: ImportCount
}

/**
 * @param progress counts events; the log is what takes the time
 * @throws AppError `import-refused` where the target holds another history; `content-damaged` where bytes of the
 * source have another hash
 */
export async function copyStore(from: Store, to: Store, progress: Progress): Promise<CopyCounts> {
  await refuseOtherHistory(from.log, to.log)
  const content = await copyContent(from.content, to.content)
  const events = await copyLog(from.log, to.log, progress)
  const records = await copyRecords(from.records, to.records)
  return { events, content, records }
}

/** Before anything is written: the last event of the target must stand in the source at the same position. */
async function refuseOtherHistory(from: LogEngine, to: LogEngine): Promise<void> {
  const { count, hash } = await to.head()
  if (count === 0 || (await from.read(count - 1))?.hash === hash) return
  throw new AppError('import-refused', 'The store of --to holds another history', {
    position: count - 1,
  })
}

async function copyLog(from: LogEngine, to: LogEngine, progress: Progress): Promise<ImportCount> {
  const { count } = await from.head()
  return to.importEvents(linkedEvents(from, count), (done) => progress(done, count))
}

async function copyContent(from: ContentEngine, to: ContentEngine): Promise<ImportCount> {
  let imported = 0
  let alreadyThere = 0
  for await (const { hash, filename, mediaType, createdAtMs } of from.list()) {
    if (await to.info(hash)) {
      alreadyThere++
      continue
    }
    const bytes = await from.read(hash)
    if (!bytes) continue
    const put = await to.put(bytes, { filename, mediaType, createdAtMs })
    if (put.hash !== hash) {
      await to.remove(put.hash)
      throw new AppError('content-damaged', 'Bytes of the source have another hash', { hash })
    }
    imported++
  }
  return { imported, alreadyThere }
}

/** Makes the records of the target those of the source. */
async function copyRecords(from: RecordEngine, to: RecordEngine): Promise<ImportCount> {
  let imported = 0
  let alreadyThere = 0
  const collections = new Set([...(await from.collections()), ...(await to.collections())])
  for (const collection of collections) {
    const wanted = await from.list(collection)
    const there = new Map((await to.list(collection)).map((record) => [record.key, record]))
    const keys = new Set(wanted.map(({ key }) => key))
    for (const { key, revision } of there.values()) {
      if (!keys.has(key)) await to.remove(collection, key, revision)
    }
    for (const { key, value } of wanted) {
      const known = there.get(key)
      if (known && isSameJson(known.value, value)) {
        alreadyThere++
        continue
      }
      await to.write(collection, key, value, known?.revision ?? 'absent')
      imported++
    }
  }
  return { imported, alreadyThere }
}
