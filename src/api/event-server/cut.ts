import type { HttpHeaders } from '../../http/message.ts'

/** Tells that an answer is not everything there is, and which setting decides how much it may be. */
export function cutHeader(setting: string | undefined): HttpHeaders {
  return setting === undefined ? {} : { 'x-apie-cut': setting }
}
