/** Streams under their AtomPub paths. */
import type { Route, RouteAccess } from '../../http/handler.ts'
import { deleteStream } from './deleting.ts'
import type { AtomParts } from './parts.ts'
import { backwardPage, forwardPage, headPage, readPage } from './stream-page.ts'
import { postEvents, postIncoming } from './writing.ts'

type Row = Pick<Route, 'method' | 'path' | 'handler'>

export function streamRoutes(parts: AtomParts): Route[] {
  const backward = readPage(parts, backwardPage)
  const forward = readPage(parts, forwardPage)
  const rows: Row[] = [
    { method: 'POST', path: '/streams/:stream', handler: postEvents(parts) },
    { method: 'DELETE', path: '/streams/:stream', handler: deleteStream(parts) },
    { method: 'GET', path: '/streams/:stream', handler: readPage(parts, headPage) },
    { method: 'POST', path: '/streams/:stream/incoming/:id', handler: postIncoming(parts) },
    { method: 'GET', path: '/streams/:stream/:number/:count', handler: backward },
    { method: 'GET', path: '/streams/:stream/:number/backward/:count', handler: backward },
    { method: 'GET', path: '/streams/:stream/:number/forward/:count', handler: forward },
  ]
  return rows.map((row) => ({ ...row, access: accessOf(row) }))
}

function accessOf({ method }: Row): RouteAccess {
  return method === 'GET' ? 'reader' : 'writer'
}
