/** The event document of a publish: checked member by member, and worded as it is stored. */
import { AppError } from '../../domain/app-error.ts'
import { type EventType, parseEventType } from '../../domain/event.ts'
import type { JsonLimits, JsonMembers, JsonText, ScannedJson } from '../../kit/json-text.ts'
import { scanJson } from '../../kit/json-text.ts'
import { isLocalTime, isTimeZone } from '../../kit/local-time.ts'

export type EventDocument = {
  /** `event.name`. */
  readonly eventType: EventType
  /** What is stored: the members that are known, and the payload as it was sent. */
  readonly text: JsonText
}

/** Characters of the texts in `system` and `trigger`. */
const MAX_TEXT = 255

/** What was checked before is scanned again for its members. */
const NO_LIMITS: JsonLimits = { depth: 512, values: Infinity, keys: Infinity }

/**
 * Members that are not known are dropped, but for those in the payload.
 * @throws AppError `bad-field` that names the member
 */
export function parseEventDocument({ members }: ScannedJson): EventDocument {
  if (members === undefined) throw new AppError('bad-field', 'The body must be a JSON object', {})
  refuseId(members, 'eventId')
  const event = objectOf(members, 'event')
  refuseId(event, 'id', 'event.')
  refuseId(event, 'eventId', 'event.')
  const eventType = nameOf(event)
  const version = versionOf(event)
  const system = objectOf(members, 'system')
  const kept = {
    id: textOf(system, 'system.id'),
    name: textOf(system, 'system.name'),
    time: timeOf(system),
    timezone: timeZoneOf(system),
  }
  const trigger = objectOf(members, 'trigger')
  const cause = { type: textOf(trigger, 'trigger.type'), name: textOf(trigger, 'trigger.name') }
  objectOf(members, 'payload')
  const text =
    `{"event":${JSON.stringify({ name: eventType, version })},"system":${JSON.stringify(kept)},` +
    `"trigger":${JSON.stringify(cause)},"payload":${members.get('payload')}}`
  return { eventType, text: text as JsonText }
}

/** Ids are the server's to give. */
function refuseId(members: JsonMembers, name: string, owner = ''): void {
  if (!members.has(name)) return
  const field = `${owner}${name}`
  throw bad(field, 'must not be given: the server makes it')
}

function objectOf(members: JsonMembers, field: string): JsonMembers {
  const text = members.get(field)
  if (text === undefined) throw bad(field, 'is missing')
  const scanned = text.startsWith('{') ? scanJson(text, NO_LIMITS).members : undefined
  if (scanned === undefined) throw bad(field, 'must be an object')
  return scanned
}

function nameOf(event: JsonMembers): EventType {
  const name = textOf(event, 'event.name')
  try {
    return parseEventType(name)
  } catch (error) {
    const message = error instanceof AppError ? error.message.replace(/^eventType /, '') : ''
    throw bad('event.name', message, error)
  }
}

function versionOf(event: JsonMembers): number {
  const value: unknown = JSON.parse(event.get('version') ?? 'null')
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value
  throw bad('event.version', 'must be a whole number from 1 on')
}

/** @param field owner and name with a dot between them */
function textOf(members: JsonMembers, field: string): string {
  const text = members.get(field.slice(field.indexOf('.') + 1))
  if (text === undefined) throw bad(field, 'is missing')
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'string') throw bad(field, 'must be a string')
  if (value === '') throw bad(field, 'must not be empty')
  if ([...value].length > MAX_TEXT) throw bad(field, `must have at most ${MAX_TEXT} characters`)
  return value
}

function timeOf(system: JsonMembers): string {
  const time = textOf(system, 'system.time')
  if (isLocalTime(time)) return time
  throw bad('system.time', 'must be a date and time such as 2026-01-31 12:00:00, without an offset')
}

function timeZoneOf(system: JsonMembers): string {
  const zone = textOf(system, 'system.timezone')
  if (isTimeZone(zone)) return zone
  throw bad(
    'system.timezone',
    'must be a name of the IANA time zone database, such as Europe/Berlin',
  )
}

function bad(field: string, problem: string, cause?: unknown): AppError {
  return new AppError('bad-field', `${field} ${problem}`, { field }, cause)
}
