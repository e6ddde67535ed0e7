/** Parked messages as the feed of the stream of links that they stand in. */
import { AppError } from '../../../domain/app-error.ts'
import { parkedStreamOf, toGroupId } from '../../../domain/subscription-group.ts'
import type { Handler, RequestContext, Route } from '../../../http/handler.ts'
import { backwardPage, forwardPage, headPage } from '../page-request.ts'
import type { AtomParts } from '../parts.ts'
import { readPage } from '../stream-page.ts'

export function parkedPages(parts: AtomParts): Pick<Route, 'method' | 'path' | 'handler'>[] {
  const path = '/subscriptions/viewparkedmessages/:stream/:group'
  const page = (form: typeof headPage): Handler => readPage(parts, form, parkedStream)
  return [
    { method: 'GET', path, handler: page(headPage) },
    { method: 'GET', path: `${path}/:number/backward/:count`, handler: page(backwardPage) },
    { method: 'GET', path: `${path}/:number/forward/:count`, handler: page(forwardPage) },
  ]
}

function parkedStream({ stream = '', group = '' }: RequestContext['parameters']) {
  const id = toGroupId(stream, group)
  if (id) return parkedStreamOf(id)
  throw new AppError('stream-not-found', 'There is no such subscription group')
}
