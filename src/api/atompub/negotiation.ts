/**
 * Which representation a client gets: `?format=`, else the first of its `Accept` ranges, by quality and then
 * in its order, that anything fits. Unlike RFC 9110 §12.5.1 a more exact range does not win over a wider one.
 */
import { AppError } from '../../domain/app-error.ts'
import type { HttpHeaders, HttpRequest } from '../../http/message.ts'
import { PAGE_HEADERS } from '../../http/response.ts'
import { type Codec, FORMATS } from './media-types.ts'

/**
 * @param codecs what there is, best first
 * @throws AppError `not-acceptable`
 */
export function negotiate(
  request: HttpRequest,
  query: URLSearchParams,
  codecs: readonly Codec[],
): Codec {
  const format = query.get('format')
  const found =
    format === null ? byAccept(request.headers['accept'], codecs) : byFormat(format, codecs)
  if (found) return found
  throw new AppError('not-acceptable', 'There is no representation that the client accepts', {
    available: codecs.map(({ mediaType }) => mediaType),
  })
}

/** The headers that say what a representation is. XML may hold what browsers would run. */
export function typeHeaders({ mediaType, form }: Codec): HttpHeaders {
  if (form === 'html') return PAGE_HEADERS
  if (form === 'raw') return { 'content-type': mediaType }
  return {
    'content-type': `${mediaType}; charset=utf-8`,
    ...(form.endsWith('xml') && { 'content-security-policy': "default-src 'none'; sandbox" }),
  }
}

function byFormat(format: string, codecs: readonly Codec[]): Codec | undefined {
  const mediaType = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined
  return codecs.find((codec) => codec.mediaType === mediaType)
}

function byAccept(accept: string | undefined, codecs: readonly Codec[]): Codec | undefined {
  if (accept === undefined || accept.trim() === '') return firstPlain(codecs)
  for (const range of rangesOf(accept)) {
    const found = range.includes('*')
      ? firstPlain(codecs.filter(({ mediaType }) => fits(range, mediaType)))
      : byName(range, codecs)
    if (found) return found
  }
  return undefined
}

/** Types of this API go by a newer name as well, and are answered under the one that was asked for. */
function byName(name: string, codecs: readonly Codec[]): Codec | undefined {
  const older = name.replace('/vnd.kurrent.', '/vnd.eventstore.')
  const found = codecs.find(({ mediaType }) => mediaType === older)
  return found && older !== name ? { ...found, mediaType: name } : found
}

/** Who takes anything wants the thing itself, not a description of it. */
function firstPlain(codecs: readonly Codec[]): Codec | undefined {
  return codecs.find(({ form }) => form !== 'description')
}

/** Media ranges, lower-case, best first; those of quality 0 are left out. */
function rangesOf(accept: string): string[] {
  const ranges = accept.split(',').map((text) => {
    const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))
    const q = quality === undefined ? 1 : Number(quality.slice(2))
    return { range, q: Number.isNaN(q) ? 1 : q }
  })
  return ranges
    .filter(({ range, q }) => range !== '' && q > 0)
    .sort((a, b) => b.q - a.q)
    .map(({ range }) => range)
}

function fits(range: string, mediaType: string): boolean {
  const [type, subtype] = range.split('/')
  const [mediaTypeType, mediaSubtype] = mediaType.split('/')
  return (type === '*' || type === mediaTypeType) && (subtype === '*' || subtype === mediaSubtype)
}
