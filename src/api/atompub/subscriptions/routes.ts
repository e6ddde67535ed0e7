/** Subscription groups and their messages under `/subscriptions`. */
import type { Route } from '../../../http/handler.ts'
import { asDocuments } from '../document-form.ts'
import type { AtomParts } from '../parts.ts'
import { acknowledge, giveBack } from './acknowledging.ts'
import { listAllGroups, listGroupsOfStream, readGroup } from './information.ts'
import { createGroup, removeGroup, replayParked, restartAll, updateGroup } from './managing.ts'
import { fetchMessages } from './messages.ts'
import { parkedPages } from './parked.ts'
import type { GroupParts } from './parts.ts'

type Row = Pick<Route, 'method' | 'path' | 'handler'>

export function groupRoutes(parts: GroupParts & AtomParts): Route[] {
  const group = '/subscriptions/:stream/:group'
  const fetch = fetchMessages(parts)
  const documents: Row[] = [
    { method: 'GET', path: '/subscriptions', handler: listAllGroups(parts) },
    { method: 'GET', path: '/subscriptions/:stream', handler: listGroupsOfStream(parts) },
    { method: 'POST', path: '/subscriptions/:stream', handler: restartAll(parts) },
    { method: 'PUT', path: group, handler: createGroup(parts) },
    { method: 'POST', path: group, handler: updateGroup(parts) },
    { method: 'DELETE', path: group, handler: removeGroup(parts) },
    { method: 'GET', path: `${group}/info`, handler: readGroup(parts) },
    { method: 'POST', path: `${group}/replayParked`, handler: replayParked(parts) },
  ]
  const messages: Row[] = [
    { method: 'GET', path: group, handler: fetch },
    { method: 'POST', path: `${group}/ack`, handler: acknowledge(parts) },
    { method: 'POST', path: `${group}/ack/:id`, handler: acknowledge(parts) },
    { method: 'POST', path: `${group}/nack`, handler: giveBack(parts) },
    { method: 'POST', path: `${group}/nack/:id`, handler: giveBack(parts) },
    { method: 'GET', path: `${group}/:count`, handler: fetch },
  ]
  const rows = [...parkedPages(parts), ...asDocuments('Subscription', documents), ...messages]
  return rows.map((row) => ({ ...row, access: 'reader' }))
}
