/**
 * Writes to streams: events and deletions. What the log itself decides (retries, versions, owners) it
 * decides; this knows about metadata, which is in another stream than the events.
 *
 * A stream that was deleted softly is written to in two steps, see `reopening.ts`.
 */
import { AppError } from './app-error.ts'
import { refuseForeign } from './append.ts'
import { TOMBSTONE_TYPE } from './event.ts'
import { dataText, type EventView } from './event-view.ts'
import { jsonDraft, writeMetadata } from './metadata-write.ts'
import type { AppendOutcome, AppendRequest, ExpectedVersion, LogEngine } from './ports.ts'
import { MOST_ATTEMPTS, reopen } from './reopening.ts'
import { readStoredMetadata, type StreamInfo } from './stream-info.ts'
import { deletedDocument } from './stream-metadata.ts'
import type { StreamName } from './stream-name.ts'
import { viewOf } from './stream-reader.ts'

/** A batch for one stream, as an `AppendRequest` that goes by ids. */
export type StreamWrite = Omit<AppendRequest, 'retryRule' | 'expectedHead'>

export type StreamDelete = Omit<StreamWrite, 'events'>

export type StreamWriter = {
  /**
   * Appends; ids that are there already, next to each other and in this order, are a retry.
   * @returns version of the first of the events
   * @throws AppError `wrong-expected-version` (fact `current`), `stream-deleted`, and as `LogEngine.append`
   */
  append(write: StreamWrite): Promise<number>
  /** Hides all events; what is written next goes on counting. @throws AppError as `append`, `stream-locked` */
  softDelete(request: StreamDelete): Promise<void>
  /** Ends the stream for ever. @throws AppError as `append` */
  hardDelete(request: StreamDelete): Promise<void>
}

type Parts = {
  readonly log: LogEngine
  readonly readInfo: (stream: StreamName) => Promise<StreamInfo>
}

export function createStreamWriter(parts: Parts): StreamWriter {
  return {
    append: (write) => append(parts, write),
    softDelete: (request) => softDelete(parts, request),
    hardDelete: async (request) => {
      const tombstone = jsonDraft(TOMBSTONE_TYPE, '{}')
      await append(parts, { ...request, events: [tombstone] })
    },
  }
}

async function append(parts: Parts, write: StreamWrite): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const info = await parts.readInfo(write.stream)
    refuseDeleted(info)
    const isRetry = info.last >= 0 && (await isKnown(parts.log, write))
    const expectedVersion = isRetry ? ANY : settledVersion(info, write.expectedVersion)
    if (!isRetry && info.state === 'soft-deleted') {
      refuseForeign(await parts.log.streamState(write.stream), write)
      const isOpen = await open(parts.log, info, write)
      if (!isOpen && attempt < MOST_ATTEMPTS) continue
    }
    const outcome = await appended(parts, { ...write, expectedVersion })
    return firstVersion(parts.log, outcome, write, info)
  }
}

const ANY: ExpectedVersion = { kind: 'any' }

async function isKnown(log: LogEngine, { stream, events }: StreamWrite): Promise<boolean> {
  const [first] = events
  return first !== undefined && (await log.findEventId(stream, first.eventId)) !== undefined
}

/** An id that is taken by an event of another batch is nothing a retry would end up with. */
async function appended(
  parts: Parts,
  request: Omit<AppendRequest, 'retryRule'>,
): Promise<AppendOutcome> {
  try {
    return await parts.log.append({ ...request, retryRule: 'equal-id' })
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'event-id-conflict') throw error
    throw wrongVersion((await parts.readInfo(request.stream)).last, error)
  }
}

/** Where the events stand; those of a retry must be where the write would have put them. */
async function firstVersion(
  log: LogEngine,
  { kind, events }: AppendOutcome,
  { expectedVersion }: StreamWrite,
  info: StreamInfo,
): Promise<number> {
  const views: EventView[] = []
  const needed = kind === 'appended' ? events.slice(0, 1) : events
  for (const event of needed) views.push(await viewOf(log, event))
  const first = views[0]?.number ?? 0
  if (kind === 'appended') return first
  const isContiguous = views.every(({ number }, at) => number === first + at)
  if (!isContiguous || !isWhereExpected(first, expectedVersion, info)) throw wrongVersion(info.last)
  return first
}

function isWhereExpected(first: number, expected: ExpectedVersion, info: StreamInfo): boolean {
  switch (expected.kind) {
    case 'any':
    case 'stream-exists':
      return true
    case 'no-stream':
      return first === 0 || first === info.metadata.truncateBefore
    case 'version':
      return first === expected.version + 1
    default:
      return expected satisfies never
  }
}

/**
 * What the log is to expect where the client expects `asked` of a stream in this state.
 * @throws AppError `wrong-expected-version`, `stream-deleted` where it can be told already
 */
function settledVersion(info: StreamInfo, asked: ExpectedVersion): ExpectedVersion {
  const { state, last, metadataVersion } = info
  if (asked.kind === 'version' && asked.version !== last) throw wrongVersion(last)
  if (state === 'soft-deleted') {
    if (asked.kind === 'stream-exists') throw streamDeleted()
    return asked.kind === 'no-stream' ? { kind: 'version', version: last } : asked
  }
  const hasMetadataOnly = state === 'missing' && metadataVersion >= 0
  return asked.kind === 'stream-exists' && hasMetadataOnly ? ANY : asked
}

function refuseDeleted({ state }: StreamInfo): void {
  if (state === 'hard-deleted') throw streamDeleted()
}

const streamDeleted = () =>
  new AppError('stream-deleted', 'The stream was deleted and cannot be used again')

function wrongVersion(current: number, cause?: unknown): AppError {
  const message = 'The stream is not at the expected version'
  return new AppError('wrong-expected-version', message, { current }, cause)
}

/** @returns false where somebody else has changed the metadata meanwhile */
async function open(log: LogEngine, info: StreamInfo, write: StreamWrite): Promise<boolean> {
  const stored = await readStoredMetadata(log, info.stream)
  if (stored?.version !== info.metadataVersion) return false
  return (await reopen(log, stored, info.last + 1, write)) !== undefined
}

async function softDelete(parts: Parts, request: StreamDelete): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const info = await parts.readInfo(request.stream)
    refuseDeleted(info)
    refuseForeign(await parts.log.streamState(request.stream), request)
    checkVersion(info, request.expectedVersion)
    if (info.state !== 'live') return
    const { stream, createdBy } = request
    const stored = await readStoredMetadata(parts.log, stream)
    // Links that the store makes go on being made, and are seen again from the next one on.
    const seen = info.view.holds === 'links' ? info.last + 1 : undefined
    const document = deletedDocument(stored && dataText(stored.event.data), seen)
    const behind = info.metadataVersion
    const isCurrent = (stored?.version ?? -1) === behind
    if (isCurrent && (await writeMetadata(parts.log, { stream, behind, document, createdBy })))
      return
    if (attempt === MOST_ATTEMPTS) throw wrongVersion(info.last)
  }
}

function checkVersion(info: StreamInfo, asked: ExpectedVersion): void {
  const expected = settledVersion(info, asked)
  const isThere = info.state === 'live'
  if (expected.kind === 'no-stream' && isThere) throw wrongVersion(info.last)
  if (expected.kind === 'stream-exists' && !isThere) throw wrongVersion(info.last)
}
