/** Is the process there, and does its store answer? For load balancers and for people. */
import { AppError } from '../../domain/app-error.ts'
import { readLastEvent } from '../../domain/last-event.ts'
import type { LogEngine } from '../../domain/ports.ts'
import type { Handler, Route } from '../../http/handler.ts'
import { preferredMediaType } from '../../http/media-type.ts'
import { jsonResponse, textResponse } from '../../http/response.ts'

/** `/ping` and `/health/live` ask the process alone and need no account; `/health` reads the end of the log as well. */
export function healthRoutes({ log }: { readonly log: LogEngine }): Route[] {
  return [
    { method: 'GET', path: '/ping', access: 'public', handler: ping },
    { method: 'GET', path: '/health/live', access: 'public', handler: live },
    {
      method: 'GET',
      path: '/health',
      access: 'reader',
      handler: async () => {
        await readLastEvent(log)
        return jsonResponse(200, { status: 'ok' })
      },
    },
  ]
}

const PONG = 'Ping request successfully handled'

const ping: Handler = async (request) => {
  const types = ['application/json', 'application/xml', 'text/xml', 'text/plain'] as const
  const type = await preferredMediaType(request, types)
  const vary = { vary: 'Accept' }
  if (type === 'text/plain') {
    const { status, headers, body = '' } = textResponse(200, PONG)
    return { status, headers: { ...headers, ...vary }, body }
  }
  if (type === undefined || type === 'application/json')
    return jsonResponse(200, { text: PONG }, vary)
  const body = `<?xml version="1.0" encoding="utf-8"?><TextMessage><Text>${PONG}</Text></TextMessage>`
  return { status: 200, headers: { 'content-type': `${type}; charset=utf-8`, ...vary }, body }
}

/** The status is what `?liveCode=` asks for: some load balancers insist on one. */
const live: Handler = async (_request, { query }) => {
  const code = query.get('liveCode') ?? '204'
  if (/^[2-5][0-9]{2}$/.test(code)) return { status: Number(code), headers: {} }
  throw new AppError('bad-query', 'liveCode must be a number from 200 to 599', {
    parameter: 'liveCode',
  })
}
