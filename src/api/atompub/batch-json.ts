/** Batches of events in JSON. Names of members are taken in any case; members that are not known are dropped. */
import { AppError } from '../../domain/app-error.ts'
import type { EventBody, EventDraft } from '../../domain/event.ts'
import { jsonElements, jsonMembers } from '../../kit/json-members.ts'
import { JsonError, type JsonText, scanJson } from '../../kit/json-text.ts'
import { invalidBatch, isNested, NO_BYTES, nestedJson, textBody } from './batch-text.ts'
import { type AtomSettings, BATCH_FACTOR, jsonLimits } from './parts.ts'
import { checkEventType, parseGuid } from './single-event.ts'

/** @throws AppError `bad-json`, `bad-field`, `bad-header` */
export function parseJsonBatch(source: string, settings: AtomSettings): EventDraft[] {
  const text = checkedJson(source, settings)
  if (!text.startsWith('[')) throw invalidBatch('it must be an array of events')
  const elements = jsonElements(text)
  if (elements.length === 0) throw invalidBatch('it holds no event')
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

function draftOf(element: JsonText): EventDraft {
  if (!element.startsWith('{')) throw invalidBatch('every event must be an object')
  const members = new Map<string, JsonText>()
  for (const [name, value] of jsonMembers(element)) members.set(name.toLowerCase(), value)
  const id = stringOf(members.get('eventid'))
  if (id === undefined) throw invalidBatch('Empty eventId provided.')
  const type = stringOf(members.get('eventtype'))
  if (type === undefined || type === '') throw invalidBatch('Empty eventType provided.')
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

/** Nothing is no bytes; a string that holds an object or a list is that. */
function bodyOf(text: JsonText | undefined): EventBody {
  if (text === undefined || text === 'null') return NO_BYTES
  if (!text.startsWith('"')) return { kind: 'json', text }
  return textBody(String(JSON.parse(text)))
}

function metadataOf(text: JsonText | undefined): JsonText | undefined {
  if (text === undefined || isNested(text)) return text
  if (!text.startsWith('"') || text === '""') return undefined
  return nestedJson(String(JSON.parse(text))) ?? text
}
