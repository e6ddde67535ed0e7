/**
 * Appends as the log decides them, to streams that live again where they were deleted softly.
 *
 * Such a stream is written to in two steps, since its metadata is in another stream and an append is for one:
 *
 *   1. Its metadata lets events from the next version on be seen again.
 *   2. The events are appended.
 *
 * Whoever dies in between leaves a stream that still has nothing to see, and whoever appends next goes on with 2.
 * What would be refused, and a retry, never comes to 1. Where the head of the log is expected, 1 expects it, and 2
 * expects what 1 has made of it: whatever anybody else appends comes before both or makes 2 fail.
 */
import { AppError } from './app-error.ts'
import { decideAppend, type LogView } from './append.ts'
import type { StoredEvent } from './event.ts'
import { dataText } from './event-view.ts'
import { writeMetadata } from './metadata-write.ts'
import type { AppendOutcome, AppendRequest, LogEngine } from './ports.ts'
import { streamSequence } from './sequence.ts'
import { readStoredMetadata, type StoredMetadata } from './stream-info.ts'
import { isDeletedBefore, parseStreamMetadata, withTruncateBefore } from './stream-metadata.ts'
import type { StreamName } from './stream-name.ts'

/** Writers of one stream that get in each other's way so often in a row are a mistake of ours. */
export const MOST_ATTEMPTS = 100

/** The metadata of a stream as it was when somebody wanted to append to it. */
export type KnownMetadata = { readonly metadata: StoredMetadata | undefined }

/**
 * @param known saves a read where the metadata was read for this append already
 * @throws AppError as `LogEngine.append`
 */
export async function appendReopening(
  log: LogEngine,
  request: AppendRequest,
  known?: KnownMetadata,
): Promise<AppendOutcome> {
  let stored = known ? known.metadata : await readStoredMetadata(log, request.stream)
  for (let attempt = 1; ; attempt++) {
    if (!stored || !(await isToBeOpened(log, request.stream, stored))) return log.append(request)
    const decision = await decideAppend(await viewOf(log), request)
    if (decision.kind === 'already-there') return decision
    const opening = await reopen(log, stored, decision.firstVersion, request)
    if (opening) return appendBehind(log, opening, request)
    if (attempt === MOST_ATTEMPTS) throw overtaken()
    stored = await readStoredMetadata(log, request.stream)
  }
}

/** Whether the metadata of a stream hide what is appended next. */
async function isToBeOpened(
  log: LogEngine,
  stream: StreamName,
  { event }: StoredMetadata,
): Promise<boolean> {
  const { truncateBefore } = parseStreamMetadata(dataText(event.data))
  if (truncateBefore === undefined) return false
  const last = await lastVersion(log, stream)
  return last >= 0 && truncateBefore !== last + 1 && isDeletedBefore(truncateBefore, last)
}

const lastVersion = async (log: LogEngine, stream: StreamName): Promise<number> =>
  (await log.sequenceHead(streamSequence(stream)))?.number ?? -1

/** The log as it is now, to tell beforehand what an append would come to. */
async function viewOf(log: LogEngine): Promise<LogView> {
  return {
    head: await log.head(),
    lastVersion: (stream) => lastVersion(log, stream),
    streamState: (stream) => log.streamState(stream),
    find: (stream, eventId) => log.findEventId(stream, eventId),
  }
}

/**
 * Lets the events of a stream be seen from version `from` on.
 * @returns `undefined` where `stored` is not the newest document of the stream any more
 */
export function reopen(
  log: LogEngine,
  stored: StoredMetadata,
  from: number,
  { stream, createdBy, expectedHead }: Pick<AppendRequest, 'stream' | 'createdBy' | 'expectedHead'>,
): Promise<StoredEvent | undefined> {
  return writeMetadata(log, {
    stream,
    createdBy,
    ...(expectedHead !== undefined && { expectedHead }),
    behind: stored.version,
    document: withTruncateBefore(dataText(stored.event.data), from),
  })
}

/** Appends behind the metadata that have opened the stream. */
async function appendBehind(
  log: LogEngine,
  opening: StoredEvent,
  request: AppendRequest,
): Promise<AppendOutcome> {
  const { expectedHead } = request
  if (expectedHead === undefined) return log.append(request)
  try {
    return await log.append({ ...request, expectedHead: opening.hash })
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'head-mismatch') throw error
    // What the client expected, not what we made of it.
    throw new AppError(error.code, error.message, { ...error.facts, expected: expectedHead }, error)
  }
}

const overtaken = () =>
  new AppError('internal', 'The metadata of a stream changed with every look at it')
