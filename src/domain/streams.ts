/**
 * Streams as somebody with an account meets them: what may be read, written and deleted, and what there is
 * to see. Appends are decided by `append.ts`; what this adds is access, metadata and deletion.
 */
import type { Principal } from './account.ts'
import type { Clock, LogEngine } from './ports.ts'
import {
  readStoredMetadata,
  readStreamInfo,
  type StoredMetadata,
  type StreamInfo,
} from './stream-info.ts'
import { type StreamName, toStreamName } from './stream-name.ts'
import { followLinks, readStreamItems, type StreamItem } from './stream-reader.ts'
import { createStreamRights, type StreamRights } from './stream-rights.ts'
import { createStreamWriter, type StreamWriter } from './stream-writer.ts'

export type Streams = {
  readonly rights: StreamRights
  readonly writer: StreamWriter
  info(stream: StreamName): Promise<StreamInfo>
  /** Members `low` to `high` (inclusive) that can be seen, newest first, links not followed. */
  items(info: StreamInfo, low: number, high: number): Promise<readonly StreamItem[]>
  /** Links followed to events that `principal` may read. */
  follow(items: readonly StreamItem[], principal: Principal): Promise<readonly StreamItem[]>
  /** The metadata document of a stream, if it has one. */
  metadata(stream: StreamName): Promise<StoredMetadata | undefined>
}

export function createStreams(parts: { readonly log: LogEngine; readonly clock: Clock }): Streams {
  const { log, clock } = parts
  const info = (stream: StreamName) => readStreamInfo(log, clock, stream)
  const rights = createStreamRights(log)
  return {
    rights,
    writer: createStreamWriter({ log, readInfo: info }),
    info,
    items: (stream, low, high) => readStreamItems(log, stream, low, high),
    follow: async (items, principal) => {
      const known = new Map<string, Promise<StreamInfo | undefined>>()
      const target = (name: string) => {
        const there = known.get(name) ?? readable(name)
        known.set(name, there)
        return there
      }
      const readable = async (name: string) => {
        const stream = toStreamName(name)
        if (stream === undefined || !(await rights.allows(principal, 'read', stream)))
          return undefined
        return info(stream)
      }
      return followLinks(log, items, { target })
    },
    metadata: (stream) => readStoredMetadata(log, stream),
  }
}
