/** The body of an append as a draft of an event. Members that are not known are dropped. */
import { AppError } from '../../domain/app-error.ts'
import {
  type EventDraft,
  parseEventId,
  parseEventType,
  TOMBSTONE_TYPE,
} from '../../domain/event.ts'
import type { ExpectedVersion } from '../../domain/ports.ts'
import { DEFAULT_STREAM, parseWritableStream, type StreamName } from '../../domain/stream-name.ts'
import type { JsonMembers, JsonText, ScannedJson } from '../../kit/json-text.ts'
import { randomUuid } from '../../kit/uuid.ts'

/** @throws AppError `bad-field`, `bad-name` that name the member */
export function parseEventDraft(json: ScannedJson): {
  readonly stream: StreamName
  readonly draft: EventDraft
  readonly expectedVersion: ExpectedVersion
} {
  const { members } = json
  if (members === undefined) {
    throw new AppError('bad-field', 'The body must be a JSON object', { field: '' })
  }
  const eventType = parseEventType(required(members, 'eventType'))
  if (eventType === TOMBSTONE_TYPE) throw tombstoneRefused()
  const body = members.get('body')
  if (body === undefined) throw missing('body')
  const eventId = optional(members, 'eventId')
  const stream = optional(members, 'stream')
  const metadata = members.get('metadata')
  const draft: EventDraft = {
    eventId: parseEventId(eventId ?? randomUuid()),
    eventType,
    body: { kind: 'json', text: body },
    ...(metadata !== undefined && metadata !== 'null' && { metadata }),
  }
  return {
    stream: stream === undefined ? DEFAULT_STREAM : parseWritableStream(stream),
    draft,
    expectedVersion: parseExpectedVersion(members.get('expectedVersion')),
  }
}

/** The version of the last event of the stream; -1 where there must be no event in it. */
function parseExpectedVersion(text: JsonText | undefined): ExpectedVersion {
  if (text === undefined || text === 'null') return { kind: 'any' }
  if (text === '-1') return { kind: 'no-stream' }
  const version = Number(text)
  if (/^(?:0|[1-9][0-9]*)$/.test(text) && Number.isSafeInteger(version)) {
    return { kind: 'version', version }
  }
  throw new AppError('bad-field', 'expectedVersion must be a whole number from -1', {
    field: 'expectedVersion',
  })
}

const tombstoneRefused = () =>
  new AppError('bad-field', `eventType ${TOMBSTONE_TYPE} is what deleting a stream writes`, {
    field: 'eventType',
  })

function required(members: JsonMembers, field: string): string {
  const text = members.get(field)
  if (text === undefined) throw missing(field)
  return textOf(text, field)
}

/** `null` counts as missing. */
function optional(members: JsonMembers, field: string): string | undefined {
  const text = members.get(field)
  return text === undefined || text === 'null' ? undefined : textOf(text, field)
}

function textOf(text: JsonText, field: string): string {
  const value: unknown = JSON.parse(text)
  if (typeof value === 'string') return value
  throw new AppError('bad-field', `${field} must be a string`, { field })
}

function missing(field: string): AppError {
  return new AppError('bad-field', `${field} is missing`, { field })
}
