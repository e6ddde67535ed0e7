/** Producers: writers that may own a stream. Whom a stream belongs to is decided in `append.ts`. */
import type { Brand } from '../kit/brand.ts'
import { isUuid } from '../kit/uuid.ts'
import { AppError } from './app-error.ts'

/** A UUID of any version, lower-case. */
export type ProducerId = Brand<string, 'ProducerId'>

/** @throws AppError `bad-header` where `text` is no UUID */
export function parseProducerId(text: string): ProducerId {
  if (isUuid(text)) return text.toLowerCase() as ProducerId
  throw noUuid('X-Producer-ID', text)
}

/** The refusal of a header by which a program says who it is. @param text of the header; empty where there is none */
export function noUuid(header: string, text: string): AppError {
  const problem = text === '' ? 'is missing; it' : 'is wrong: it'
  const message = `The header ${header} ${problem} must be a UUID, such as ${EXAMPLE}`
  return new AppError('bad-header', message, { header })
}

const EXAMPLE = '0190b7a2-1111-7000-8000-000000000001'
