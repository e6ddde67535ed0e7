/**
 * Streams as consumers meet them: there once they have an event, until they are deleted. What metadata keep from
 * being seen (a stream that was cut, or keeps its latest events only) is passed over as if it was done with.
 */
import type { Principal } from '../../domain/account.ts'
import { AppError } from '../../domain/app-error.ts'
import type { Position } from '../../domain/event.ts'
import type { Clock, LogEngine } from '../../domain/ports.ts'
import { type SequenceKey, streamSequence } from '../../domain/sequence.ts'
import { firstNumberAt } from '../../domain/sequence-range.ts'
import { readStoredMetadata, readStreamInfo } from '../../domain/stream-info.ts'
import { type ListedStream, listStreams, type StreamList } from '../../domain/stream-list.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import type { StreamRights } from '../../domain/stream-rights.ts'

export type Streams = {
  /**
   * The stream for somebody who reads it, or `undefined` where it is not there.
   * @throws AppError as `StreamRights.require`
   */
  find(principal: Principal, stream: StreamName): Promise<ReadableStream | undefined>
  /** @throws AppError as `find`; `stream-not-found` */
  require(principal: Principal, stream: StreamName): Promise<ReadableStream>
  /** The first streams, without those that are closed to somebody. */
  list(principal: Principal, most: number): Promise<StreamList>
}

export type ReadableStream = {
  /** Number of the first member of a sequence of the stream that stands at `from` or later and can be seen. */
  firstVisible(sequence: SequenceKey, from: number): Promise<number>
}

type Parts = { readonly log: LogEngine; readonly clock: Clock; readonly rights: StreamRights }

export function createStreams({ log, clock, rights }: Parts): Streams {
  const find: Streams['find'] = async (principal, stream) => {
    await rights.require(principal, 'read', stream)
    const since = await firstPosition(log, clock, stream)
    if (since === undefined) return undefined
    return {
      firstVisible: async (sequence, from) =>
        since === 0 ? from : Math.max(from, await firstNumberAt(log, sequence, since)),
    }
  }
  return {
    find,
    require: async (principal, stream) => {
      const found = await find(principal, stream)
      if (found) return found
      throw new AppError('stream-not-found', 'There is no such stream', { stream })
    },
    list: async (principal, most) => {
      const { streams, isCut } = await listStreams(log, most)
      const readable: ListedStream[] = []
      for (const listed of streams) {
        if (await rights.allows(principal, 'read', listed.stream)) readable.push(listed)
      }
      return { streams: readable, isCut }
    },
  }
}

/** Where the events of a stream begin that can be seen; `undefined` where it is not there. */
async function firstPosition(
  log: LogEngine,
  clock: Clock,
  stream: StreamName,
): Promise<Position | undefined> {
  const sequence = streamSequence(stream)
  if ((await log.sequenceHead(sequence)) === undefined) return undefined
  if ((await log.streamState(stream)).isDeleted) return undefined
  if ((await readStoredMetadata(log, stream)) === undefined) return 0
  const { state, firstVisible } = await readStreamInfo(log, clock, stream)
  if (state !== 'live') return undefined
  if (firstVisible === 0) return 0
  const [first] = await log.readSequence(sequence, firstVisible, 'forwards', 1)
  return first?.event.position ?? Number.MAX_SAFE_INTEGER
}
