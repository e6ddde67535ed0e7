/** Streams under their AtomPub paths. */
import type { Handler, Route, RouteAccess } from '../../http/handler.ts'
import { allBackward, allForward, allHead, readAll } from './all-page.ts'
import { deleteStream } from './deleting.ts'
import { readEvent } from './one-event.ts'
import { backwardPage, forwardPage, headPage } from './page-request.ts'
import type { AtomParts } from './parts.ts'
import { metadataParameter, postMetadata, readMetadata } from './stream-metadata.ts'
import { isAll, readPage } from './stream-page.ts'
import { postEvents, postIncoming } from './writing.ts'

type Row = Pick<Route, 'method' | 'path' | 'handler'>

/** Their order is that of the methods in `Access-Control-Allow-Methods`. */
export function streamRoutes(parts: AtomParts): Route[] {
  const rows = [...allRows(parts), ...metadataRows(parts), ...streamRows(parts)]
  return rows.map((row) => ({ ...row, access: accessOf(row) }))
}

function accessOf({ method }: Row): RouteAccess {
  return method === 'GET' ? 'reader' : 'writer'
}

/** The log as a whole has a row of its own only where its path has no parameters. */
function allRows(parts: AtomParts): Row[] {
  const path = '/streams/$all'
  const all =
    (handler: Handler): Handler =>
    (request, context) =>
      handler(request, { ...context, parameters: { stream: '$all' } })
  const read = readAll(parts, allHead)
  return [
    { method: 'POST', path, handler: all(postEvents(parts)) },
    { method: 'DELETE', path, handler: all(deleteStream(parts)) },
    { method: 'GET', path, handler: read },
    { method: 'GET', path, handler: read },
  ]
}

function metadataRows(parts: AtomParts): Row[] {
  const path = '/streams/:stream/metadata'
  const page = (form: typeof headPage) => readPage(parts, form, metadataParameter)
  const one = readEvent(parts, { streamOf: metadataParameter, followsLinks: false })
  return [
    { method: 'GET', path, handler: readMetadata(parts) },
    { method: 'POST', path, handler: postMetadata(parts) },
    { method: 'GET', path: `${path}/:number`, handler: one },
    { method: 'GET', path: `${path}/:number/:count`, handler: page(backwardPage) },
    { method: 'GET', path: `${path}/:number/backward/:count`, handler: page(backwardPage) },
    { method: 'GET', path: `${path}/:number/forward/:count`, handler: page(forwardPage) },
  ]
}

function streamRows(parts: AtomParts): Row[] {
  const path = '/streams/:stream'
  const backward = orAll(readAll(parts, allBackward), readPage(parts, backwardPage))
  const forward = orAll(readAll(parts, allForward), readPage(parts, forwardPage))
  return [
    { method: 'POST', path, handler: postEvents(parts) },
    { method: 'DELETE', path, handler: deleteStream(parts) },
    { method: 'GET', path, handler: readPage(parts, headPage) },
    { method: 'POST', path: `${path}/incoming/:id`, handler: postIncoming(parts) },
    { method: 'GET', path: `${path}/:number`, handler: readEvent(parts) },
    { method: 'GET', path: `${path}/:number/:count`, handler: backward },
    { method: 'GET', path: `${path}/:number/backward/:count`, handler: backward },
    { method: 'GET', path: `${path}/:number/forward/:count`, handler: forward },
  ]
}

const orAll =
  (all: Handler, stream: Handler): Handler =>
  (request, context) =>
    (isAll(context.parameters) ? all : stream)(request, context)
