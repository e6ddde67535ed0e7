/** What the body of a write is, by its `Content-Type`. */
import { AppError } from '../../domain/app-error.ts'
import type { HttpRequest } from '../../http/message.ts'

/** The body as one event, or as a batch that names types and ids. */
export type BodyCodec =
  | { readonly kind: 'single'; readonly mediaType: string; readonly isJson: boolean }
  | { readonly kind: 'batch'; readonly form: 'json' | 'xml' }

const single = (mediaType: string): BodyCodec => ({
  kind: 'single',
  mediaType,
  isJson: mediaType === 'application/json',
})
const BODIES: Readonly<Record<string, BodyCodec>> = {
  'application/json': single('application/json'),
  'application/xml': single('application/xml'),
  'text/xml': single('text/xml'),
  'application/octet-stream': single('application/octet-stream'),
  'application/vnd.eventstore.events+json': { kind: 'batch', form: 'json' },
  'application/vnd.eventstore.event+json': { kind: 'batch', form: 'json' },
  'application/vnd.eventstore.events+xml': { kind: 'batch', form: 'xml' },
  'application/vnd.eventstore.event+xml': { kind: 'batch', form: 'xml' },
}

/** @throws AppError `media-type-unsupported` */
export function bodyCodec({ headers }: HttpRequest): BodyCodec {
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase())
  const name = type.replace('vnd.kurrent.', 'vnd.eventstore.')
  const codec = Object.hasOwn(BODIES, name) ? BODIES[name] : undefined
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))
  if (codec && (charset === undefined || /^charset="?utf-?8"?$/.test(charset))) return codec
  throw new AppError('media-type-unsupported', 'Invalid or missing Content-Type')
}
