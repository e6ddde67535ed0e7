/** What the handlers of subscription groups work with. */

import { AppError } from '../../../domain/app-error.ts'
import type { Streams } from '../../../domain/streams.ts'
import { type GroupId, toGroupId } from '../../../domain/subscription-group.ts'
import type { Subscriptions } from '../../../domain/subscriptions.ts'
import type { RequestContext } from '../../../http/handler.ts'
import { escapeSegment } from '../feed.ts'

export type GroupParts = {
  readonly streams: Streams
  readonly subscriptions: Subscriptions
  readonly settings: { readonly baseUrl: string }
}

/** The group that a path names. @throws AppError `group-not-found` where it cannot be one */
export function groupOf({ parameters }: RequestContext): GroupId {
  const { stream = '', group = '' } = parameters
  const id = toGroupId(stream, group)
  if (id) return id
  throw new AppError('group-not-found', 'There is no subscription group of this name', {
    stream,
    name: group,
  })
}

/** A group's own address. */
export function groupUrl(base: string, { stream, name }: GroupId): string {
  return `${base}/subscriptions/${escapeSegment(stream)}/${escapeSegment(name)}`
}
