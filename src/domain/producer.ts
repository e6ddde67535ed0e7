/** Producers: writers that may own a stream. Whom a stream belongs to is decided in `append.ts`. */
import type { Brand } from '../kit/brand.ts'
import { isUuid } from '../kit/uuid.ts'
import { AppError } from './app-error.ts'

/** A UUID of any version, lower-case. */
export type ProducerId = Brand<string, 'ProducerId'>

/** @throws AppError `bad-header` where `text` is no UUID */
export function parseProducerId(text: string): ProducerId {
  if (isUuid(text)) return text.toLowerCase() as ProducerId
  throw new AppError('bad-header', 'X-Producer-ID must be a UUID', { header: 'X-Producer-ID' })
}
