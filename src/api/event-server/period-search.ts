/** The events that a stream took in lately, and who has acknowledged each. */
import { AppError } from '../../domain/app-error.ts'
import { parseStoredEvent, type StoredEvent } from '../../domain/event.ts'
import type { Offset, Offsets } from '../../domain/offsets.ts'
import type { Clock, LogEngine, SequenceEvent } from '../../domain/ports.ts'
import { streamSequence, streamTypeSequence } from '../../domain/sequence.ts'
import { firstNumberAt } from '../../domain/sequence-range.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import type { Handler } from '../../http/handler.ts'
import { jsonResponse } from '../../http/response.ts'
import { cutHeader } from './cut.ts'
import { onlyValue, streamOf } from './parameters.ts'
import type { Streams } from './streams.ts'

type Parts = {
  readonly log: LogEngine
  readonly streams: Streams
  readonly offsets: Offsets
  readonly clock: Clock
  readonly settings: { readonly maxPageEvents: number }
}

const HOUR_MS = 3_600_000

/** When each period began, seen from now. */
const PERIODS: Readonly<Record<string, (nowMs: number) => number>> = {
  '6hour': (nowMs) => nowMs - 6 * HOUR_MS,
  '24hour': (nowMs) => nowMs - 24 * HOUR_MS,
  '2day': (nowMs) => nowMs - 48 * HOUR_MS,
  '7day': (nowMs) => nowMs - 7 * 24 * HOUR_MS,
  '14day': (nowMs) => nowMs - 14 * 24 * HOUR_MS,
  '1month': (nowMs) => new Date(nowMs).setUTCMonth(new Date(nowMs).getUTCMonth() - 1),
}

/** Newest first. */
export function searchPeriod({ log, streams, offsets, clock, settings }: Parts): Handler {
  return async (_request, { principal, parameters, query }) => {
    const stream = streamOf(parameters)
    const since = sinceOf(query, clock.now())
    if (!(await streams.find(principal, stream))) return jsonResponse(200, [])
    const all = await offsets.list(stream)
    const rows: PeriodRow[] = []
    const sequences = createSequences(log, stream)
    for await (const event of newestFirst(log, stream, since)) {
      if (rows.length === settings.maxPageEvents) {
        return jsonResponse(200, rows, cutHeader('maxPageEvents'))
      }
      rows.push(await periodRow(event, sequences, all))
    }
    return jsonResponse(200, rows)
  }
}

function sinceOf(query: URLSearchParams, nowMs: number): number {
  const period = onlyValue(query, 'period')
  const begin = Object.hasOwn(PERIODS, period) ? PERIODS[period] : undefined
  if (begin) return begin(nowMs)
  const message = `period must be one of ${Object.keys(PERIODS).join(', ')}`
  throw new AppError('bad-query', message, { parameter: 'period' })
}

const PAGE = 200

async function* newestFirst(
  log: LogEngine,
  stream: StreamName,
  sinceMs: number,
): AsyncGenerator<StoredEvent> {
  const sequence = streamSequence(stream)
  const head = await log.sequenceHead(sequence)
  for (let from = head?.number ?? -1; from >= 0; ) {
    const page: readonly SequenceEvent[] = await log.readSequence(sequence, from, 'backwards', PAGE)
    if (page.length === 0) return
    for (const { event } of page) {
      if (Date.parse(parseStoredEvent(event).createdAt) < sinceMs) return
      yield event
    }
    from -= page.length
  }
}

type PeriodRow = {
  readonly eventId: string
  readonly eventName: string
  readonly createdAt: string
  readonly consumerids: readonly string[]
}

async function periodRow(
  stored: StoredEvent,
  sequenceOf: (stored: StoredEvent, eventType: string) => Promise<number>,
  offsets: readonly Offset[],
): Promise<PeriodRow> {
  const { eventId, eventType, createdAt } = parseStoredEvent(stored)
  const sequence = await sequenceOf(stored, eventType)
  const consumerids = offsets
    .filter((entry) => entry.eventType === eventType && entry.offset >= sequence)
    .map(({ consumer }) => consumer)
  return { eventId, eventName: eventType, createdAt, consumerids }
}

/** Sequences of events that come newest first: the first of a name is looked up, the others count down. */
function createSequences(log: LogEngine, stream: StreamName) {
  const last = new Map<string, number>()
  return async (stored: StoredEvent, eventType: string): Promise<number> => {
    const above = last.get(eventType)
    const sequence =
      above === undefined
        ? (await firstNumberAt(log, streamTypeSequence(stream, eventType), stored.position)) + 1
        : above - 1
    last.set(eventType, sequence)
    return sequence
  }
}
