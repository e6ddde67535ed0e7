import type { VerifyReport } from '../../domain/ports.ts'
import type { HttpResponse } from '../../http/message.ts'
import { jsonResponse } from '../../http/response.ts'

/**
 * A verification as a response: `ok` or `damaged`, what was counted, and what was found. Finding damage is
 * a success of verifying, hence always 200.
 */
export function verifyResponse({ counts, findings, mayHaveMore }: VerifyReport): HttpResponse {
  const isClean = findings.every(({ kind }) => kind === 'notice')
  return jsonResponse(200, {
    ...counts,
    ...(findings.length > 0 && { findings }),
    ...(mayHaveMore && { mayHaveMore }),
    status: isClean ? 'ok' : 'damaged',
  })
}
