/** Is the process there, and does its store answer? For load balancers and for people. */
import type { EventLog } from '../../domain/event-log.ts'
import type { Route } from '../../http/handler.ts'
import { jsonResponse } from '../../http/response.ts'

/** `/ping` and `/health/live` ask the process alone and need no account; `/health` asks the store as well. */
export function healthRoutes({ events }: { readonly events: EventLog }): Route[] {
  return [
    {
      method: 'GET',
      path: '/ping',
      access: 'public',
      handler: async () => jsonResponse(200, { text: 'Ping request successfully handled' }),
    },
    {
      method: 'GET',
      path: '/health/live',
      access: 'public',
      handler: async () => ({ status: 204, headers: {} }),
    },
    {
      method: 'GET',
      path: '/health',
      access: 'reader',
      handler: async () => {
        await events.head()
        return jsonResponse(200, { status: 'ok' })
      },
    },
  ]
}
