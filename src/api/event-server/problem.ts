/**
 * Errors as the contract writes them: a JSON string that begins with the name of the status. What of an error
 * a program may want to know besides stands in headers.
 */
import type { AppError } from '../../domain/app-error.ts'
import type { HttpResponse } from '../../http/message.ts'
import { problemResponse } from '../../http/problem.ts'
import { JSON_TYPE } from '../../http/response.ts'

/** What an answer of each status begins with. */
const NAMES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  423: 'Locked',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

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
  return `${NAMES[status] ?? 'Error'} - ${message}`
}
