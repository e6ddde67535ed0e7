/**
 * Search for text in streams and events, and for the ids of events, producers and consumers.
 *
 * Payloads have no index: the events are looked through, the latest first, as many as a setting allows.
 */

import type { Principal } from '../../domain/account.ts'
import { type EventId, parseStoredEvent, type StoredEvent, storedText } from '../../domain/event.ts'
import type { Offsets } from '../../domain/offsets.ts'
import type { LogEngine } from '../../domain/ports.ts'
import { readableEvents } from '../../domain/readable-events.ts'
import type { StreamRights } from '../../domain/stream-rights.ts'
import type { Handler } from '../../http/handler.ts'
import { jsonResponse } from '../../http/response.ts'
import { isUuid } from '../../kit/uuid.ts'
import { cutHeader } from './cut.ts'
import { payloadText } from './event-view.ts'
import { onlyValue } from './parameters.ts'
import type { Streams } from './streams.ts'

type Parts = {
  readonly log: LogEngine
  readonly rights: StreamRights
  readonly streams: Streams
  readonly offsets: Offsets
  readonly settings: {
    readonly maxStatisticsStreams: number
    readonly maxSearchEvents: number
    readonly maxSearchResults: number
  }
}

type Found = {
  readonly label: string
  readonly category: 'events' | 'streams' | 'consumers'
  /** Below the prefix of the API. */
  readonly path: string
}

export function search(parts: Parts): Handler {
  return async (_request, { principal, query, baseUrl }) => {
    const text = onlyValue(query, '_q').toLowerCase()
    const results: unknown[] = []
    let cut: string | undefined
    const onCut = (setting: string) => {
      cut ??= setting
    }
    for await (const { label, category, path } of everything(parts, principal, text, onCut)) {
      if (results.length === parts.settings.maxSearchResults) {
        cut = 'maxSearchResults'
        break
      }
      results.push({ search_result: { label, category, url: `${baseUrl}/api/v1${path}` } })
    }
    return jsonResponse(200, results, cutHeader(cut))
  }
}

/** @param onCut is told the setting that leaves something out */
async function* everything(
  { log, rights, streams, offsets, settings }: Parts,
  principal: Principal,
  text: string,
  onCut: (setting: string) => void,
): AsyncGenerator<Found> {
  const id = isUuid(text) ? (text as EventId) : undefined
  const isReadable = readableEvents(rights, principal) ?? (() => true)
  const byId = id && (await eventWithId(log, id))
  if (byId && (await isReadable(byId))) yield eventFound(byId)
  const listed = await streams.list(principal, settings.maxStatisticsStreams)
  if (listed.isCut) onCut('maxStatisticsStreams')
  if (id) yield* consumersWithId(offsets, id, new Set(listed.streams.map(({ stream }) => stream)))
  for (const { stream, owner } of listed.streams) {
    if (stream.toLowerCase().includes(text) || owner === text) yield streamFound(stream)
  }
  const { count } = await log.head()
  const from = Math.max(0, count - settings.maxSearchEvents)
  if (from > 0) onCut('maxSearchEvents')
  for await (const run of log.readLog(from, count, 'backwards')) {
    for (const event of run) {
      if (hasText(event, text) && (await isReadable(event))) yield eventFound(event)
    }
  }
}

async function eventWithId(log: LogEngine, id: EventId): Promise<StoredEvent | undefined> {
  const position = await log.findEventIdAnywhere(id)
  return position === undefined ? undefined : log.read(position)
}

async function* consumersWithId(
  offsets: Offsets,
  id: string,
  readable: ReadonlySet<string>,
): AsyncGenerator<Found> {
  const own = (await offsets.list()).filter(({ consumer }) => consumer === id)
  const streams = new Set(own.map(({ stream }) => stream).filter((name) => readable.has(name)))
  for (const stream of streams) {
    yield { label: id, category: 'consumers', path: `/consumers/${encodeURIComponent(stream)}` }
  }
}

/** Whether name or payload hold the text. Most events do not, and are told by their stored bytes alone. */
function hasText(stored: StoredEvent, text: string): boolean {
  const json = storedText(stored)
  // Behind a backslash a character may be written in another way.
  if (!json.includes('\\') && !json.toLowerCase().includes(text)) return false
  const { eventType, stream } = parseStoredEvent(stored)
  if (stream.startsWith('$')) return false
  if (eventType.toLowerCase().includes(text)) return true
  const payload = payloadText(stored)
  if (payload.toLowerCase().includes(text)) return true
  return JSON.stringify(JSON.parse(payload)).toLowerCase().includes(text)
}

function eventFound(stored: StoredEvent): Found {
  const { eventId, eventType } = parseStoredEvent(stored)
  return { label: eventType, category: 'events', path: `/events/${eventId}/payload` }
}

function streamFound(stream: string): Found {
  return { label: stream, category: 'streams', path: `/consumers/${encodeURIComponent(stream)}` }
}
