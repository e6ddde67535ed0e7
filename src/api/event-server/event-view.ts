/**
 * A stored event as consumers see it: the document that was published, with the ids and numbers that the
 * server gave it. Events that came through another API become documents of the same form.
 */
import { type EventId, parseStoredEvent, type StoredEvent, storedText } from '../../domain/event.ts'
import { jsonMembers } from '../../kit/json-members.ts'
import type { JsonMembers, JsonText } from '../../kit/json-text.ts'

/** @param sequence number of the event among those of its name in its stream, from 1 on */
export function eventView(
  stored: StoredEvent,
  sequence: number,
): { readonly eventId: EventId; readonly text: JsonText } {
  const { eventId, eventType, stream, createdBy, createdAt } = parseStoredEvent(stored)
  const members = jsonMembers(storedText(stored))
  const document = documentOf(members, eventType) ?? madeOf(members, { createdBy, createdAt })
  const id = eventId.toLowerCase() as EventId
  const event = { name: eventType, version: document.version, id }
  const added = { eventId: id, sequence, createdAt, streamName: stream }
  const text =
    (`{"event":${JSON.stringify(event)},"system":${document.system},"trigger":${document.trigger},` +
      `"payload":${document.payload},${JSON.stringify(added).slice(1)}`) as JsonText
  return { eventId: id, text }
}

/** The text in which a search for text looks: the payload. */
export function payloadText(stored: StoredEvent): JsonText {
  const members = jsonMembers(storedText(stored))
  const name: unknown = JSON.parse(members.get('eventType') ?? '""')
  const payload = documentOf(members, String(name))?.payload
  return payload ?? members.get('body') ?? ('null' as JsonText)
}

type Document = {
  readonly version: number
  readonly system: JsonText
  readonly trigger: JsonText
  readonly payload: JsonText
}

/** The body as a document, or `undefined` where it is none. */
function documentOf(members: JsonMembers, name: string): Document | undefined {
  const body = members.get('body')
  if (!body?.startsWith('{') || members.has('mediaType')) return undefined
  const parts = jsonMembers(body)
  const [event, system, trigger, payload] = ['event', 'system', 'trigger', 'payload'].map(
    (part) => {
      const text = parts.get(part)
      return text?.startsWith('{') ? text : undefined
    },
  )
  if (!event || !system || !trigger || !payload) return undefined
  const { name: named, version } = JSON.parse(event) as { name?: unknown; version?: unknown }
  if (named !== name || typeof version !== 'number') return undefined
  return { version, system, trigger, payload }
}

/** A document around a body that is none: an object is the payload, anything else a member of it. */
function madeOf(
  members: JsonMembers,
  { createdBy, createdAt }: { readonly createdBy: string; readonly createdAt: string },
): Document {
  const time = createdAt.slice(0, 19).replace('T', ' ')
  const system = { id: 'apie', name: 'apie', time, timezone: 'UTC' }
  const trigger = { type: 'append', name: createdBy }
  return {
    version: 1,
    system: JSON.stringify(system) as JsonText,
    trigger: JSON.stringify(trigger) as JsonText,
    payload: payloadOf(members),
  }
}

function payloadOf(members: JsonMembers): JsonText {
  const body = members.get('body') ?? ('null' as JsonText)
  if (body.startsWith('{')) return body
  const about = ['mediaType', 'encoding'].flatMap((name) => {
    const value = members.get(name)
    return value === undefined ? [] : [`,"${name}":${value}`]
  })
  return `{"body":${body}${about.join('')}}` as JsonText
}
