/** The target of a request as every gateway hands it on, and what is wrong with one that it does not. */
import { AppError } from '../domain/app-error.ts'

/** Cuts scheme and authority off an absolute-form target (RFC 9112 §3.2.2), and splits at the first `?`. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const local = target.startsWith('/') ? target : withoutOrigin(target)
  const mark = local.indexOf('?')
  const path = mark < 0 ? local : local.slice(0, mark)
  return { path: path === '' ? '/' : path, query: mark < 0 ? '' : local.slice(mark + 1) }
}

function withoutOrigin(target: string): string {
  const [origin = ''] = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(target) ?? []
  return target.slice(origin.length)
}

/** Decodes a percent-encoded text as strict UTF-8; `undefined` where it is none. */
export function decodeStrictly(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** A byte that only its percent-encoding may stand for (RFC 3986 §2.1). Node's parser takes none of them. */
const notEncoded = /[^!-~]/

/** What keeps a query from being read; what it says is left to who reads it. */
export function queryProblem(query: string): AppError | undefined {
  return notEncoded.test(query) ? addressProblem() : undefined
}

export function addressProblem(): AppError {
  return new AppError('bad-request', 'The address must be a percent-encoded path')
}

/** Nothing encoded, no dot, no control character. */
const plainPath = /^\/[\w/$@:~!*'(),;=+-]*$/

/**
 * What keeps a path from being routed: a byte that is not encoded, a segment that is no UTF-8, holds a control
 * character, or is `.` or `..` once decoded.
 */
export function pathProblem(path: string): AppError | undefined {
  if (plainPath.test(path)) return undefined
  if (!path.startsWith('/')) return new AppError('bad-request', 'The path must begin with "/"')
  if (notEncoded.test(path)) return addressProblem()
  for (const segment of path.split('/')) {
    const text = decodeStrictly(segment)
    if (text === undefined) return new AppError('bad-request', 'The path is not UTF-8')
    if (text === '.' || text === '..') {
      return new AppError('bad-request', 'The path must not hold "." or ".." as a segment')
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (/[\u0000-\u001f\u007f]/.test(text)) {
      return new AppError('bad-request', 'The path must not hold control characters')
    }
  }
  return undefined
}
