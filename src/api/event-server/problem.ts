/**
 * Errors as the contract writes them: a JSON string that begins with the name of the status. What of an error
 * a program may want to know besides stands in headers.
 */
import type { AppError } from '../../domain/app-error.ts'
import type { HttpResponse } from '../../http/message.ts'
import { problemResponse } from '../../http/problem.ts'
import { JSON_TYPE } from '../../http/response.ts'
import { statusText } from '../../kit/status-text.ts'

/** Full storage is trouble of the storage like any other; clients of the contract know no other status for it. */
const FULL = 507

/** The answer for a refusal or failure; the header `X-Apie-Code` has its code. */
export function eventServerProblem(error: AppError, reference?: string): HttpResponse {
  const { status: found, headers } = problemResponse(error, reference)
  const status = found === FULL ? 503 : found
  return {
    status,
    headers: {
      ...headers,
      ...(found === FULL && { 'retry-after': '60' }),
      'content-type': JSON_TYPE,
      'x-apie-code': error.code,
    },
    body: JSON.stringify(textOf(error, status)),
  }
}

function textOf({ code, message }: AppError, status: number): string {
  if (status === 401) return 'Unauthorized'
  if (status === 423) return 'Locked - Second writers not allowed'
  // The contract has these two words alone where an event is not there.
  if (code === 'event-not-found') return 'Not Found'
  return `${statusText(status)} - ${message}`
}
