/** Writes metadata documents of streams: each is the next event of the stream that holds them. */
import type { JsonText } from '../kit/json-text.ts'
import { randomUuid } from '../kit/uuid.ts'
import { AppError } from './app-error.ts'
import type { EventDraft, EventId, EventType, StoredEvent } from './event.ts'
import type { AppendRequest, ExpectedVersion, LogEngine } from './ports.ts'
import { METADATA_TYPE, metadataStream } from './stream-metadata.ts'
import type { StreamName } from './stream-name.ts'

export type MetadataWrite = Pick<AppendRequest, 'createdBy' | 'expectedHead'> & {
  readonly stream: StreamName
  /** Version of the document that this one takes the place of; -1 where there is none. */
  readonly behind: number
  readonly document: string
}

/** @returns `undefined` where there is a newer document meanwhile. @throws AppError as `LogEngine.append` */
export async function writeMetadata(
  log: LogEngine,
  { stream, behind, document, ...conditions }: MetadataWrite,
): Promise<StoredEvent | undefined> {
  const holder = metadataStream(stream)
  if (holder === undefined) {
    throw new AppError('bad-name', 'This stream has no metadata', { field: 'stream' })
  }
  const expectedVersion: ExpectedVersion =
    behind < 0 ? { kind: 'no-stream' } : { kind: 'version', version: behind }
  const events = [jsonDraft(METADATA_TYPE, document)]
  try {
    const outcome = await log.append({
      ...conditions,
      stream: holder,
      expectedVersion,
      retryRule: 'equal-id',
      events,
    })
    return outcome.events[0]
  } catch (error) {
    if (error instanceof AppError && error.code === 'wrong-expected-version') return undefined
    throw error
  }
}

/** An event that the store itself writes. */
export function jsonDraft(eventType: string, body: string): EventDraft {
  return {
    eventId: randomUuid() as EventId,
    eventType: eventType as EventType,
    body: { kind: 'json', text: body as JsonText },
  }
}
