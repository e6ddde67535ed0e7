/** How long answers may be kept, and by whom. */
import type { StreamName } from '../../domain/stream-name.ts'
import type { HttpHeaders, HttpRequest } from '../../http/message.ts'
import { isForwarded } from './base-url.ts'
import type { AtomParts } from './parts.ts'

/** Caches that others use too may keep only what anybody would be told; `none`: nobody keeps anything. */
export type Scope = 'public' | 'private' | 'none'

const ONE_YEAR = 31_536_000

export async function scopeOf(
  { streams, settings }: AtomParts,
  request: HttpRequest,
  stream: StreamName,
): Promise<Scope> {
  if (!settings.feedCaching) return 'none'
  // Links follow headers that no cache knows an answer by, so another client could have chosen them.
  if (settings.anonymous === 'none' || isForwarded(request, settings.baseUrl)) return 'private'
  return (await streams.rights.isForEverybody(stream)) ? 'public' : 'private'
}

/** @param cacheSeconds what the metadata of the stream says about its head */
export function cacheHeaders(
  kind: 'mutable' | 'immutable',
  scope: Scope,
  cacheSeconds?: number,
): HttpHeaders {
  const seconds = kind === 'immutable' ? ONE_YEAR : cacheSeconds
  const control =
    seconds === undefined || scope === 'none'
      ? 'max-age=0, no-cache, must-revalidate'
      : `max-age=${seconds}, ${scope}`
  return { 'cache-control': control }
}
