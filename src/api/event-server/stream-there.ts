/** Whether there is a stream: one is there once it has an event, until it is deleted. */
import type { LogEngine } from '../../domain/ports.ts'
import { streamSequence } from '../../domain/sequence.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import { streamNotFound } from './parameters.ts'

export async function isStreamThere(log: LogEngine, stream: StreamName): Promise<boolean> {
  if ((await log.sequenceHead(streamSequence(stream))) === undefined) return false
  return !(await log.streamState(stream)).isDeleted
}

/** @throws AppError `stream-not-found` */
export async function requireStream(log: LogEngine, stream: StreamName): Promise<void> {
  if (!(await isStreamThere(log, stream))) throw streamNotFound(stream)
}
