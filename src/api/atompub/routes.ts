/** Streams under their AtomPub paths. What pages do not need is loaded when it is asked for. */

import { AppError } from '../../domain/app-error.ts'
import type { Handler, Route, RouteAccess } from '../../http/handler.ts'
import { backwardPage, forwardPage, headPage } from './page-request.ts'
import type { AtomParts } from './parts.ts'
import { isAll, metadataParameter, readPage } from './stream-page.ts'

type Row = Pick<Route, 'method' | 'path' | 'handler'>

/** Their order is that of the methods in `Access-Control-Allow-Methods`. */
export function streamRoutes(parts: AtomParts): Route[] {
  const rows = [...allRows(parts), ...metadataRows(parts), ...streamRows(parts)]
  return rows.map((row) => ({ ...row, access: accessOf(row) }))
}

function accessOf({ method }: Row): RouteAccess {
  return method === 'GET' ? 'reader' : 'writer'
}

/** A handler that is made of a module when the first request comes for it. */
function made<M>(load: () => Promise<M>, make: (module: M) => Handler): Handler {
  let handler: Promise<Handler> | undefined
  return async (request, context) => {
    handler ??= load().then(make)
    return (await handler)(request, context)
  }
}

const writing = () => import('./writing.ts')
const deleting = () => import('./deleting.ts')
const oneEvent = () => import('./one-event.ts')
const metadata = () => import('./stream-metadata.ts')
const allPage = () => import('./all-page.ts')

/** The log as a whole has a row of its own only where its path has no parameters. */
function allRows(parts: AtomParts): Row[] {
  const path = '/streams/$all'
  const all =
    (handler: Handler): Handler =>
    (request, context) =>
      handler(request, { ...context, query: context.query, parameters: { stream: '$all' } })
  const read = made(allPage, ({ readAll, allHead }) => readAll(parts, allHead))
  const post = made(writing, ({ postEvents }) => postEvents(parts))
  const remove = made(deleting, ({ deleteStream }) => deleteStream(parts))
  return [
    { method: 'POST', path, handler: all(post) },
    { method: 'DELETE', path, handler: all(remove) },
    { method: 'GET', path, handler: read },
    { method: 'GET', path, handler: read },
    ...filteredRows(parts),
  ]
}

/** The longer paths fit any stream, since names of parameters alone may stand beside `$`. */
function filteredRows(parts: AtomParts): Row[] {
  const head = made(allPage, ({ readFiltered, allHead }) => readFiltered(parts, allHead))
  const back = onlyAll(
    made(allPage, ({ readFiltered, allBackward }) => readFiltered(parts, allBackward)),
  )
  const on = onlyAll(
    made(allPage, ({ readFiltered, allForward }) => readFiltered(parts, allForward)),
  )
  const path = '/streams/:stream/filtered/:number'
  return [
    { method: 'GET', path: '/streams/$all/filtered', handler: head },
    { method: 'GET', path: `${path}/:count`, handler: back },
    { method: 'GET', path: `${path}/backward/:count`, handler: back },
    { method: 'GET', path: `${path}/forward/:count`, handler: on },
  ]
}

const onlyAll =
  (all: Handler): Handler =>
  (request, context) => {
    if (isAll(context.parameters)) return all(request, context)
    throw new AppError('route-not-found', 'Only the log as a whole is filtered')
  }

function metadataRows(parts: AtomParts): Row[] {
  const path = '/streams/:stream/metadata'
  const page = (form: typeof headPage) => readPage(parts, form, metadataParameter)
  const read = made(metadata, ({ readMetadata }) => readMetadata(parts))
  const post = made(metadata, ({ postMetadata }) => postMetadata(parts))
  const one = made(oneEvent, ({ readEvent }) =>
    readEvent(parts, { streamOf: metadataParameter, followsLinks: false }),
  )
  return [
    { method: 'GET', path, handler: read },
    { method: 'POST', path, handler: post },
    { method: 'GET', path: `${path}/:number`, handler: one },
    { method: 'GET', path: `${path}/:number/:count`, handler: page(backwardPage) },
    { method: 'GET', path: `${path}/:number/backward/:count`, handler: page(backwardPage) },
    { method: 'GET', path: `${path}/:number/forward/:count`, handler: page(forwardPage) },
  ]
}

function streamRows(parts: AtomParts): Row[] {
  const path = '/streams/:stream'
  const post = made(writing, ({ postEvents }) => postEvents(parts))
  const incoming = made(writing, ({ postIncoming }) => postIncoming(parts))
  const remove = made(deleting, ({ deleteStream }) => deleteStream(parts))
  const event = made(oneEvent, ({ readEvent }) => readEvent(parts))
  const allBack = made(allPage, ({ readAll, allBackward }) => readAll(parts, allBackward))
  const allOn = made(allPage, ({ readAll, allForward }) => readAll(parts, allForward))
  const backward = orAll(allBack, readPage(parts, backwardPage))
  const forward = orAll(allOn, readPage(parts, forwardPage))
  return [
    // So that whoever forgot the name is told so.
    { method: 'POST', path: '/streams/', handler: post },
    { method: 'POST', path, handler: post },
    { method: 'DELETE', path, handler: remove },
    { method: 'GET', path, handler: readPage(parts, headPage) },
    { method: 'POST', path: `${path}/incoming/:id`, handler: incoming },
    { method: 'GET', path: `${path}/:number`, handler: event },
    { method: 'GET', path: `${path}/:number/:count`, handler: backward },
    { method: 'GET', path: `${path}/:number/backward/:count`, handler: backward },
    { method: 'GET', path: `${path}/:number/forward/:count`, handler: forward },
  ]
}

const orAll =
  (all: Handler, stream: Handler): Handler =>
  (request, context) =>
    (isAll(context.parameters) ? all : stream)(request, context)
