/** The event log and the content store under their Apie paths. */
import type { EventLog } from '../../domain/event-log.ts'
import type { ContentEngine } from '../../domain/ports.ts'
import type { StreamRights } from '../../domain/stream-rights.ts'
import type { Route } from '../../http/handler.ts'
import type { JsonLimits } from '../../kit/json-text.ts'
import { appendEvent, readEvent, readEvents, verifyEvents } from './events.ts'
import { readInfo, readRoot } from './info.ts'
import { deleteContent, getContent, getNamedContent, putContent, verifyContent } from './storage.ts'
import { type AccountService, updateUser } from './user.ts'

export type ApieParts = {
  readonly events: EventLog
  readonly rights: StreamRights
  readonly content: ContentEngine
  readonly accounts: AccountService
  readonly version: string
  readonly settings: {
    readonly maxEventBytes: number
    readonly maxContentBytes: number
    readonly maxJsonDepth: number
    readonly maxJsonValues: number
    readonly maxJsonKeys: number
    readonly maxPageEvents: number
  }
}

export function apieRoutes(parts: ApieParts): Route[] {
  const { events, content, accounts, version, settings } = parts
  const json: JsonLimits = {
    depth: settings.maxJsonDepth,
    values: settings.maxJsonValues,
    keys: settings.maxJsonKeys,
  }
  const limits = { bodyBytes: settings.maxEventBytes, pageEvents: settings.maxPageEvents, json }
  const append = appendEvent(parts, limits)
  const upload = putContent(content, settings.maxContentBytes)
  return [
    { method: 'GET', path: '/', access: 'reader', handler: readRoot(version) },
    {
      method: 'GET',
      path: '/info',
      access: 'reader',
      handler: readInfo(events, accounts, version),
    },

    { method: 'GET', path: '/events', access: 'reader', handler: readEvents(parts, limits) },
    { method: 'PUT', path: '/events', access: 'writer', handler: append },
    { method: 'POST', path: '/events', access: 'writer', handler: append },
    { method: 'POST', path: '/events/verify', access: 'reader', handler: verifyEvents(events) },
    { method: 'GET', path: '/events/:hash', access: 'reader', handler: readEvent(parts) },

    { method: 'POST', path: '/storage/verify', access: 'reader', handler: verifyContent(content) },
    { method: 'PUT', path: '/storage', access: 'writer', handler: upload },
    { method: 'POST', path: '/storage', access: 'writer', handler: upload },
    { method: 'GET', path: '/storage/:name', access: 'reader', handler: getContent(content) },
    { method: 'PUT', path: '/storage/:name', access: 'writer', handler: upload },
    { method: 'POST', path: '/storage/:name', access: 'writer', handler: upload },
    { method: 'DELETE', path: '/storage/:name', access: 'writer', handler: deleteContent(content) },
    {
      method: 'GET',
      path: '/storage/:start/:hash/:name',
      access: 'reader',
      handler: getNamedContent(content),
    },

    { method: 'POST', path: '/user/update', access: 'reader', handler: updateUser(accounts, json) },
  ]
}
