/** The content store as the APIs see it: addresses, file names and media types that are fit to be stored. */
import { AppError } from './app-error.ts'
import type { ContentHash } from './ports.ts'

const hash64 = /^[0-9a-f]{64}$/

/** Media type of what came without one. */
export const UNKNOWN_MEDIA_TYPE = 'application/octet-stream'

/** The hash that `text` names, or `undefined` where it is not 64 lower-case hex digits. */
export function findContentHash(text: string): ContentHash | undefined {
  return hash64.test(text) ? (text as ContentHash) : undefined
}

/**
 * A base name that is a name everywhere: 1 to 255 bytes of UTF-8 (NFC), no slash or backslash, no control
 * characters, no leading dot.
 * @throws AppError `bad-name`
 */
export function parseFilename(text: string): string {
  const filename = text.normalize('NFC')
  const problem = filenameProblem(filename)
  if (problem) throw new AppError('bad-name', `The file name ${problem}`, { field: 'filename' })
  return filename
}

function filenameProblem(filename: string): string | undefined {
  if (filename === '') return 'must not be empty'
  if (filename.startsWith('.')) return 'must not begin with a dot'
  if (/[/\\]/.test(filename)) return 'must not contain a slash or backslash'
  if (!filename.isWellFormed() || /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(filename)) {
    return 'must not contain control characters'
  }
  if (Buffer.byteLength(filename) > 255) return 'must have at most 255 bytes'
  return undefined
}

export function contentNotFound(hash: string): AppError {
  return new AppError('content-not-found', 'No content has this hash', { hash })
}
