/**
 * From one store to another, whatever their engines: content first, since events may name it; then the log,
 * byte for byte, declared removals as such; then the records. Each part goes on where an earlier copy broke off.
 */
import { isSameJson } from '../kit/json-equal.ts'
import { createAccountRecords } from './account-records.ts'
import { AppError } from './app-error.ts'
import type { StoredEvent } from './event.ts'
import { linkedEvents } from './linked-event.ts'
import type {
  ContentEngine,
  ImportCount,
  LinkedEvent,
  LogEngine,
  Progress,
  RecordEngine,
  Store,
} from './ports.ts'

export type CopyCounts = {
  /** `whole`: those that the target holds whole and the source has scavenged; an earlier copy took them over. */
  readonly events: ImportCount & { readonly whole: number }
  readonly content: ImportCount
  /** `removed`: those that the target had and the source does not. */
  readonly records: ImportCount & { readonly removed: number }
}

/**
 * @param progress counts events; the log is what takes the time
 * @throws AppError `import-refused` where the target holds another history, or would lose its accounts and get none; `content-damaged` where bytes of the
 * source have another hash
 */
export async function copyStore(from: Store, to: Store, progress: Progress): Promise<CopyCounts> {
  await refuseOtherHistory(from.log, to.log)
  await refuseLossOfAccounts(from.records, to.records)
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

/** Before anything is written: nobody could sign in to the target any more. */
async function refuseLossOfAccounts(from: RecordEngine, to: RecordEngine): Promise<void> {
  if (!(await createAccountRecords(to).hasAny())) return
  if (await createAccountRecords(from).hasAny()) return
  throw new AppError(
    'import-refused',
    'The store of --to has accounts and the one of --from has none, so that all of them would be removed: make an account in the store of --from first, or copy to a store without accounts',
  )
}

async function copyLog(
  from: LogEngine,
  to: LogEngine,
  progress: Progress,
): Promise<CopyCounts['events']> {
  const { count } = await from.head()
  const { count: there } = await to.head()
  let whole = 0
  const events = comparedWith(to, there, linkedEvents(from, count), () => whole++)
  const counts = await to.importEvents(events, (done) => progress(done, count))
  return { ...counts, whole }
}

/**
 * The events as they are. `tell` is called for each that is scavenged and stands whole among the first `there` of
 * `to`, which are read from the first scavenged one on.
 */
async function* comparedWith(
  to: LogEngine,
  there: number,
  events: AsyncIterable<LinkedEvent>,
  tell: () => void,
): AsyncGenerator<LinkedEvent> {
  let position = 0
  let own: AsyncGenerator<StoredEvent, undefined> | undefined
  try {
    for await (const event of events) {
      if (position < there && (own || event.isScavenged)) {
        own ??= eventsOf(to, position, there)
        const { value } = await own.next()
        if (event.isScavenged && value && !value.isScavenged) tell()
      }
      position++
      yield event
    }
  } finally {
    await own?.return(undefined)
  }
}

async function* eventsOf(
  log: LogEngine,
  from: number,
  to: number,
): AsyncGenerator<StoredEvent, undefined> {
  for await (const events of log.readLog(from, to, 'forwards')) yield* events
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
async function copyRecords(from: RecordEngine, to: RecordEngine): Promise<CopyCounts['records']> {
  let imported = 0
  let removed = 0
  let alreadyThere = 0
  const collections = new Set([...(await from.collections()), ...(await to.collections())])
  for (const collection of collections) {
    const wanted = await from.list(collection)
    const there = new Map((await to.list(collection)).map((record) => [record.key, record]))
    const keys = new Set(wanted.map(({ key }) => key))
    for (const { key, revision } of there.values()) {
      if (keys.has(key)) continue
      await to.remove(collection, key, revision)
      removed++
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
  return { imported, alreadyThere, removed }
}
