/** Entity tags of pages: where the stream ends, and which media type the page is in. */
import { isKnownToClient } from '../../http/conditional.ts'
import type { HttpRequest } from '../../http/message.ts'
import type { Codec } from './media-types.ts'

/** Without quotes. */
export function pageTag(last: number, { mediaType }: Codec): string {
  return `${last};${textHash(mediaType)}`
}

/** The hash of a text that counts by 31, in 32 bits with a sign. */
export function textHash(text: string): number {
  let hash = 0
  for (let at = 0; at < text.length; at++) hash = (Math.imul(31, hash) + text.charCodeAt(at)) | 0
  return hash
}

export function isKnownPage(request: HttpRequest, tag: string): boolean {
  return isKnownToClient(request.headers['if-none-match'], tag)
}
