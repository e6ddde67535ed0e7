/** `If-Match` and `If-None-Match` of an append as the hash that the head of the log must have. */
import { AppError } from '../../domain/app-error.ts'
import { EMPTY_HASH } from '../../domain/event.ts'
import type { EventLog } from '../../domain/event-log.ts'
import type { LogHead } from '../../domain/ports.ts'
import { parseTagCondition } from '../../http/conditional.ts'
import type { HttpRequest } from '../../http/message.ts'
import { hashOfTag } from './event-tags.ts'

/**
 * The expected head; `undefined` where the append is unconditional. The hash of nothing, or
 * `If-None-Match: *`, expects an empty log; `If-Match: *` one that is not empty.
 * @throws AppError `head-mismatch` for `*` where the log is empty; `bad-header`
 */
export async function expectedHeadOf(
  request: HttpRequest,
  events: EventLog,
): Promise<string | undefined> {
  const match = parseTagCondition(request.headers['if-match'])
  const noneMatch = parseTagCondition(request.headers['if-none-match'])
  if (match === 'malformed') {
    throw new AppError('bad-header', 'If-Match must be *, or a tag or several', {
      header: 'If-Match',
    })
  }
  if (noneMatch) {
    if (match || noneMatch === 'malformed' || noneMatch.kind !== 'any') {
      throw new AppError('bad-header', 'An append knows If-Match, or else If-None-Match: *', {
        header: 'If-None-Match',
      })
    }
    return EMPTY_HASH
  }
  if (!match) return undefined
  // What is no hash is expected like one that no event has: a retry is answered first (RFC 9110 §13.1.1).
  const hashes = match.kind === 'tags' ? match.tags.map(hashOfTag) : []
  if (hashes.length === 1) return hashes[0]
  const head = await events.head()
  if (match.kind === 'any') {
    if (head.count === 0) throw mismatch(head)
    return undefined
  }
  return hashes.includes(head.hash) ? head.hash : hashes[0]
}

function mismatch(head: LogHead): AppError {
  return new AppError('head-mismatch', 'The head of the log is another than the one expected', {
    expected: '*',
    head: head.hash,
  })
}
