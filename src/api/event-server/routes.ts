/** The event server under `/api/v1`: producers that own streams, consumers with offsets. */
import { createOffsets } from '../../domain/offsets.ts'
import type { Clock, LogEngine, RecordEngine } from '../../domain/ports.ts'
import { createStreamRights } from '../../domain/stream-rights.ts'
import type { LoadedApi } from '../../http/api.ts'
import { defaultStyle } from '../../http/default-style.ts'
import type { Handler, Route, RouteAccess } from '../../http/handler.ts'
import type { JsonLimits } from '../../kit/json-text.ts'
import { acknowledge } from './acknowledge.ts'
import { changeOffset } from './change-offset.ts'
import { readConsumers } from './consumers.ts'
import { HandedOut } from './handed-out.ts'
import { requireJsonAccepted } from './headers.ts'
import { readHealth } from './health.ts'
import { readMetrics } from './metrics.ts'
import { readPayload } from './payload.ts'
import { searchPeriod } from './period-search.ts'
import { eventServerProblem } from './problem.ts'
import { publish } from './publish.ts'
import { readEvents } from './read-events.ts'
import { search } from './search.ts'
import { readEventsOfMonth, readLargestStreams, readStreamData } from './statistics.ts'
import { createStreams } from './streams.ts'

const PREFIX = '/api/v1'

export type EventServerParts = {
  readonly log: LogEngine
  readonly records: RecordEngine
  readonly clock: Clock
  readonly settings: {
    readonly corsOrigins: readonly string[]
    readonly openMetrics: boolean
    readonly maxEventBytes: number
    readonly maxJsonDepth: number
    readonly maxJsonValues: number
    readonly maxJsonKeys: number
    readonly maxPageEvents: number
    readonly maxStatisticsStreams: number
    readonly maxSearchEvents: number
    readonly maxSearchResults: number
  }
}

export function eventServerApi(parts: EventServerParts): LoadedApi {
  return {
    routes: eventServerRoutes(parts).map((route) => ({ ...route, path: PREFIX + route.path })),
    style: defaultStyle(
      parts.settings,
      (error, _request, reference) => eventServerProblem(error, reference),
      false,
    ),
  }
}

function eventServerRoutes({ log, records, clock, settings }: EventServerParts): readonly Route[] {
  const json: JsonLimits = {
    depth: settings.maxJsonDepth,
    values: settings.maxJsonValues,
    keys: settings.maxJsonKeys,
  }
  const rights = createStreamRights(log)
  const streams = createStreams({ log, clock, rights })
  const offsets = createOffsets({ log, records, clock })
  const handedOut = new HandedOut()
  const parts = { log, rights, streams, offsets, handedOut, clock, settings }
  const body = { maxBytes: settings.maxEventBytes, json }
  const metricsAccess: RouteAccess = settings.openMetrics ? 'public' : 'reader'
  const get = (path: string, handler: Handler, access: RouteAccess = 'reader'): Route => ({
    method: 'GET',
    path,
    access,
    handler,
  })
  const post = (path: string, handler: Handler, access: RouteAccess): Route => ({
    method: 'POST',
    path,
    access,
    handler,
  })
  return [
    post('/streams/:stream/events', answeringJson(publish(parts, body)), 'writer'),
    get('/streams/:stream/events', answeringJson(readEvents(parts))),
    post('/streams/:stream/events/:event', answeringJson(acknowledge(parts)), 'reader'),
    get('/events/:event/payload', answeringJson(readPayload(parts))),

    get('/consumers/:stream', answeringJson(readConsumers(parts))),
    get('/stats/events-per-stream', answeringJson(readLargestStreams(parts))),
    get('/stats/stream-data', answeringJson(readStreamData(parts))),
    get('/stats/events-current-month', answeringJson(readEventsOfMonth(parts))),
    post('/search', answeringJson(search(parts)), 'reader'),
    post('/event-period-search/:stream', answeringJson(searchPeriod(parts)), 'reader'),

    get('/metrics', readMetrics(parts), metricsAccess),
    get('/health', readHealth({ log, records }), 'public'),

    post(
      '/:stream/:consumer/:eventName/change/:offset',
      answeringJson(changeOffset(parts)),
      'reader',
    ),
  ]
}

/** Whoever takes no JSON in UTF-8 is refused before anything else is looked at. */
function answeringJson(handler: Handler): Handler {
  return async (request, context) => {
    requireJsonAccepted(request)
    return handler(request, context)
  }
}
