/** What of `Transfer-Encoding` the gateways take, so that all of them take the same. */
import { AppError } from '../domain/app-error.ts'

/**
 * `chunked` alone is undone before a body is handed on. Under any other coding (RFC 9112 §6.1) the bytes
 * would be stored as they travelled, and a proxy in front may see another end of the body than we do.
 */
export function codingProblem(coding: string | undefined): AppError | undefined {
  if (!coding || coding.trim().toLowerCase() === 'chunked') return undefined
  return new AppError('bad-header', 'Transfer-Encoding must be "chunked"', {
    header: 'Transfer-Encoding',
  })
}
