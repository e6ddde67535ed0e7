/** One event whose body is the body of the request, with type and id said elsewhere. */
import { AppError } from '../../domain/app-error.ts'
import {
  type EventBody,
  type EventDraft,
  type EventId,
  type EventType,
  parseEventType,
  TOMBSTONE_TYPE,
} from '../../domain/event.ts'
import { readBody } from '../../http/body.ts'
import type { HttpRequest } from '../../http/message.ts'
import { JsonError, JsonLimitError, scanJson } from '../../kit/json-text.ts'
import type { BodyCodec } from './body-codec.ts'
import { type AtomSettings, jsonLimits } from './parts.ts'

const guid = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i

/** @throws AppError `bad-header` where `text` is no GUID, or all zeros */
export function parseGuid(text: string, what: string): EventId {
  const plain = text.replace(/^[{(](.*)[)}]$/, '$1')
  const digits = plain.replaceAll('-', '').toLowerCase()
  if (!guid.test(plain) || /^0*$/.test(digits)) {
    throw new AppError(
      'bad-header',
      `${what} has wrong format: it must be a GUID that is not empty`,
    )
  }
  const groups = [0, 8, 12, 16, 20].map((at, index) => digits.slice(at, [8, 12, 16, 20, 32][index]))
  return groups.join('-') as EventId
}

/** @throws AppError `bad-field` where `text` is no type, or one that only the store may write */
export function checkEventType(text: string): EventType {
  const type = parseEventType(text)
  if (type !== TOMBSTONE_TYPE) return type
  throw new AppError('bad-field', 'Only the store itself writes events of this type', {
    field: 'eventType',
  })
}

/** @throws AppError `body-too-large`, `bad-json` */
export async function singleEvent(
  request: HttpRequest,
  codec: Extract<BodyCodec, { kind: 'single' }>,
  name: Pick<EventDraft, 'eventId' | 'eventType'>,
  settings: AtomSettings,
): Promise<EventDraft> {
  const bytes = await readBody(request, settings.maxEventBytes)
  return { ...name, body: bodyOf(bytes, codec, settings) }
}

function bodyOf(
  bytes: Buffer,
  { mediaType, isJson }: Extract<BodyCodec, { kind: 'single' }>,
  settings: AtomSettings,
): EventBody {
  const json = isJson ? jsonBody(bytes, settings) : undefined
  return json ?? { kind: 'bytes', mediaType, bytes }
}

/** What claims to be JSON and is none is kept as it came. What is JSON, but too much, would be none to its readers. */
function jsonBody(bytes: Buffer, settings: AtomSettings): EventBody | undefined {
  const source = textOf(bytes)
  if (source === undefined) return undefined
  try {
    return { kind: 'json', text: scanJson(source, jsonLimits(settings)).text }
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    if (!(error instanceof JsonLimitError && isJson(source))) return undefined
    throw new AppError('bad-json', `Write request body invalid. ${error.message}`, {}, error)
  }
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function isJson(source: string): boolean {
  try {
    JSON.parse(source)
    return true
  } catch {
    return false
  }
}
