/** `DELETE` of a stream: softly, or for ever. */
import { AppError } from '../../domain/app-error.ts'
import { ALL_STREAM, isMadeByStore } from '../../domain/stream-view.ts'
import type { Handler } from '../../http/handler.ts'
import { WRITE_CODECS } from './media-types.ts'
import { negotiate } from './negotiation.ts'
import type { AtomParts } from './parts.ts'
import {
  checkRequireLeader,
  expectedVersionOf,
  hardDeleteOf,
  producerOf,
} from './request-headers.ts'
import { streamParameter } from './stream-page.ts'

export function deleteStream({ streams }: AtomParts): Handler {
  return async (request, { parameters, principal, query }) => {
    negotiate(request, query, WRITE_CODECS)
    const stream = streamParameter(parameters)
    const expectedVersion = expectedVersionOf(request)
    checkRequireLeader(request)
    const isHard = hardDeleteOf(request)
    await streams.rights.require(principal, 'delete', stream)
    if (stream === ALL_STREAM || (isHard && isMadeByStore(stream))) {
      throw new AppError('access-denied', 'This stream cannot be deleted')
    }
    const deletion = { stream, expectedVersion, createdBy: principal.name, ...producerOf(request) }
    if (isHard) await streams.writer.hardDelete(deletion)
    else await streams.writer.softDelete(deletion)
    return { status: 204, reason: 'Stream deleted', headers: {} }
  }
}
