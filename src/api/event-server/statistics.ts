/** Counts of events: the largest streams, all streams, the days of this month. From indexes, without the events. */
import { firstPositionAt } from '../../domain/event-times.ts'
import type { Offsets } from '../../domain/offsets.ts'
import type { Clock, LogEngine } from '../../domain/ports.ts'
import type { Handler } from '../../http/handler.ts'
import { jsonResponse } from '../../http/response.ts'
import { cutHeader } from './cut.ts'
import type { Streams } from './streams.ts'

type Parts = {
  readonly log: LogEngine
  readonly streams: Streams
  readonly offsets: Offsets
  readonly clock: Clock
  readonly settings: { readonly maxStatisticsStreams: number }
}

const LARGEST = 10
const cutOf = (isCut: boolean) => cutHeader(isCut ? 'maxStatisticsStreams' : undefined)

export function readLargestStreams({ streams, settings }: Parts): Handler {
  return async (_request, { principal }) => {
    const listed = await streams.list(principal, settings.maxStatisticsStreams)
    const largest = listed.streams.toSorted((a, b) => b.count - a.count).slice(0, LARGEST)
    const rows = largest.map(({ stream, count }) => ({ label: stream, value: count }))
    return jsonResponse(200, rows, cutOf(listed.isCut))
  }
}

export function readStreamData({ streams, offsets, settings }: Parts): Handler {
  return async (_request, { principal }) => {
    const listed = await streams.list(principal, settings.maxStatisticsStreams)
    const consumed = new Map<string, number>()
    for (const { stream, offset } of await offsets.list()) {
      consumed.set(stream, (consumed.get(stream) ?? 0) + offset)
    }
    const stars = starsOf(listed.streams)
    const rows = listed.streams
      .toSorted((a, b) => (a.stream < b.stream ? 1 : -1))
      .map(({ stream, count }) => ({
        streamName: stream,
        eventsCount: count,
        consumedEvents: consumed.get(stream) ?? 0,
        ranking: stars.get(stream) ?? '*',
      }))
    return jsonResponse(200, rows, cutOf(listed.isCut))
  }
}

const TILES = 5

/** The streams by their counts in five parts as equal as can be, the first ones larger; the fuller, the more stars. */
function starsOf(
  streams: readonly { readonly stream: string; readonly count: number }[],
): ReadonlyMap<string, string> {
  const ascending = streams.toSorted((a, b) => a.count - b.count)
  const whole = Math.floor(ascending.length / TILES)
  const larger = ascending.length % TILES
  const inLarger = larger * (whole + 1)
  return new Map(
    ascending.map(({ stream }, at) => {
      const tile =
        at < inLarger ? Math.floor(at / (whole + 1)) : larger + Math.floor((at - inLarger) / whole)
      return [stream, '*'.repeat(tile + 1)]
    }),
  )
}

const DAY_MS = 86_400_000

/** Every day of this month, in UTC, with how many events the log took in; later days have none yet. */
export function readEventsOfMonth({ log, clock }: Parts): Handler {
  return async () => {
    const counts = await countsOfMonth(log, clock.now())
    const rows = counts.map(({ dayMs, count }, at) => ({
      date: new Date(dayMs).toISOString().slice(0, 10),
      eventcount: count,
      progress: dayMs > clock.now() ? '' : progress(count, counts[at - 1]?.count),
    }))
    return jsonResponse(200, rows)
  }
}

async function countsOfMonth(
  log: LogEngine,
  nowMs: number,
): Promise<{ readonly dayMs: number; readonly count: number }[]> {
  const now = new Date(nowMs)
  const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)
  const { count: high } = await log.head()
  const counts: { dayMs: number; count: number }[] = []
  let dayMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth())
  let low = await firstPositionAt(log, dayMs, 0, high)
  for (; dayMs < end; dayMs += DAY_MS) {
    const next = await firstPositionAt(log, dayMs + DAY_MS, low, high)
    counts.push({ dayMs, count: next - low })
    low = next
  }
  return counts
}

/** How many more or less than the day before: a sign, and the number in three places. */
function progress(count: number, before = count): string {
  const change = count - before
  if (change === 0) return ''
  return `${change > 0 ? '+' : '-'}${String(Math.abs(change)).padStart(3)}`
}
