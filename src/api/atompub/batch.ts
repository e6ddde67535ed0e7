/** What a request body is, and batches of events in JSON (those in XML are `batch-xml.ts`). */
import { AppError } from '../../domain/app-error.ts'
import type { EventBody, EventDraft } from '../../domain/event.ts'
import { readText } from '../../http/body.ts'
import type { HttpRequest } from '../../http/message.ts'
import { jsonElements, jsonMembers } from '../../kit/json-members.ts'
import { JsonError, type JsonText, scanJson } from '../../kit/json-text.ts'
import { type AtomSettings, jsonLimits } from './parts.ts'
import { checkEventType, parseGuid } from './single-event.ts'

/** The body as one event, or as a batch that names types and ids. */
export type BodyCodec =
  | { readonly kind: 'single'; readonly mediaType: string; readonly isJson: boolean }
  | { readonly kind: 'batch'; readonly form: 'json' | 'xml' }

const single = (mediaType: string): BodyCodec => ({
  kind: 'single',
  mediaType,
  isJson: mediaType === 'application/json',
})
const BODIES: Readonly<Record<string, BodyCodec>> = {
  'application/json': single('application/json'),
  'application/xml': single('application/xml'),
  'text/xml': single('text/xml'),
  'application/octet-stream': single('application/octet-stream'),
  'application/vnd.eventstore.events+json': { kind: 'batch', form: 'json' },
  'application/vnd.eventstore.event+json': { kind: 'batch', form: 'json' },
  'application/vnd.eventstore.events+xml': { kind: 'batch', form: 'xml' },
  'application/vnd.eventstore.event+xml': { kind: 'batch', form: 'xml' },
}

/** @throws AppError `media-type-unsupported` */
export function bodyCodec({ headers }: HttpRequest): BodyCodec {
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase())
  const name = type.replace('vnd.kurrent.', 'vnd.eventstore.')
  const codec = Object.hasOwn(BODIES, name) ? BODIES[name] : undefined
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))
  if (codec && (charset === undefined || /^charset="?utf-?8"?$/.test(charset))) return codec
  throw new AppError('media-type-unsupported', 'Invalid or missing Content-Type')
}

/** How many values a batch may hold for each that one event may. */
const BATCH_FACTOR = 10

/** @throws AppError `bad-json`, `bad-field`, `body-too-large` */
export async function readBatch(
  request: HttpRequest,
  form: 'json' | 'xml',
  settings: AtomSettings,
): Promise<readonly EventDraft[]> {
  const text = await readText(request, settings.maxBatchBytes)
  const drafts =
    form === 'json'
      ? parseJsonBatch(text, settings)
      : (await import('./batch-xml.ts')).parseXmlBatch(text)
  for (const draft of drafts) checkSize(draft, settings.maxEventBytes)
  return drafts
}

function parseJsonBatch(source: string, settings: AtomSettings): EventDraft[] {
  const text = checkedJson(source, settings)
  if (!text.startsWith('[')) throw invalid('it must be an array of events')
  const elements = jsonElements(text)
  if (elements.length === 0) throw invalid('it holds no event')
  return elements.map(draftOf)
}

function checkedJson(source: string, settings: AtomSettings): JsonText {
  const { depth, values, keys } = jsonLimits(settings)
  try {
    return scanJson(source, { depth: depth + 2, values: values * BATCH_FACTOR, keys }).text
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new AppError('bad-json', `Write request body invalid. ${error.message}`, {}, error)
  }
}

export function invalid(problem: string): AppError {
  return new AppError('bad-field', `Write request body invalid. ${problem}`)
}

function draftOf(element: JsonText): EventDraft {
  if (!element.startsWith('{')) throw invalid('every event must be an object')
  const members = new Map<string, JsonText>()
  for (const [name, value] of jsonMembers(element)) members.set(name.toLowerCase(), value)
  const id = stringOf(members.get('eventid'))
  if (id === undefined) throw invalid('Empty eventId provided.')
  const type = stringOf(members.get('eventtype'))
  if (type === undefined || type === '') throw invalid('Empty eventType provided.')
  const metadata = metadataOf(members.get('metadata'))
  return {
    eventId: parseGuid(id, 'Write request body invalid. eventId'),
    eventType: checkEventType(type),
    body: bodyOf(members.get('data')),
    ...(metadata !== undefined && { metadata }),
  }
}

function stringOf(text: JsonText | undefined): string | undefined {
  return text?.startsWith('"') ? String(JSON.parse(text)) : undefined
}

const isNested = (text: string): boolean => text.startsWith('{') || text.startsWith('[')

/** Nothing is no bytes; a string that holds an object or a list is that. */
function bodyOf(text: JsonText | undefined): EventBody {
  if (text === undefined || text === 'null') return NO_BYTES
  if (!text.startsWith('"')) return { kind: 'json', text }
  return textBody(String(JSON.parse(text)))
}

const NO_BYTES: EventBody = {
  kind: 'bytes',
  mediaType: 'application/octet-stream',
  bytes: new Uint8Array(0),
}

/** A text as a body: the JSON in it, or else its own bytes. */
export function textBody(text: string): EventBody {
  const json = nestedJson(text)
  if (json !== undefined) return { kind: 'json', text: json }
  return { kind: 'bytes', mediaType: 'text/plain; charset=utf-8', bytes: Buffer.from(text) }
}

function nestedJson(text: string): JsonText | undefined {
  if (!isNested(text.trimStart())) return undefined
  try {
    return scanJson(text, { depth: 64, values: 1_000_000, keys: 100_000 }).text
  } catch {
    return undefined
  }
}

function metadataOf(text: JsonText | undefined): JsonText | undefined {
  if (text === undefined || isNested(text)) return text
  if (!text.startsWith('"') || text === '""') return undefined
  return nestedJson(String(JSON.parse(text))) ?? text
}

function checkSize({ body, metadata = '' as JsonText }: EventDraft, maxBytes: number): void {
  const size = body.kind === 'json' ? Buffer.byteLength(body.text) : body.bytes.length
  if (size + Buffer.byteLength(metadata) <= maxBytes) return
  throw new AppError('body-too-large', `An event may have at most ${maxBytes} bytes`, { maxBytes })
}
