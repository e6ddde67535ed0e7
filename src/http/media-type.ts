/** Accept and Content-Type. What a client prefers is found by a library, and only where it is in question. */
import { AppError } from '../domain/app-error.ts'
import type { HttpRequest } from './message.ts'

/**
 * The one of `available` that the client prefers, or `undefined` where it accepts none of them; without an
 * `Accept` header the first.
 */
export async function preferredMediaType<T extends string>(
  request: HttpRequest,
  available: readonly [T, ...T[]],
): Promise<T | undefined> {
  const accept = request.headers['accept']
  if (accept === undefined || accept === '' || accept === '*/*') return available[0]
  const exact = available.find((type) => type === accept)
  if (exact) return exact
  const { default: Negotiator } = await import('negotiator')
  const found = new Negotiator({ headers: { accept } }).mediaType(available)
  return available.find((type) => type === found)
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const mediaType = new RegExp(
  `^${token}/${token}(?:[ \\t]*;[ \\t]*${token}=(?:${token}|"[ !#-\\[\\]-~]*"))*$`,
)

/**
 * The media type that a request names for its body, or `undefined` where it names none.
 * @throws AppError `bad-header`
 */
export function contentTypeOf(request: HttpRequest): string | undefined {
  const written = request.headers['content-type']?.trim()
  if (written === undefined || written === '') return undefined
  if (written.length > 255 || !mediaType.test(written)) {
    throw new AppError('bad-header', 'Content-Type is no media type', { header: 'Content-Type' })
  }
  return written
}
