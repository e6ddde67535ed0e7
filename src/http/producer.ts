/** Who the writer says it is: the header `X-Producer-ID`, the same in every API. */
import { type ProducerId, parseProducerId } from '../domain/producer.ts'
import type { HttpRequest } from './message.ts'

/**
 * For spreading into an append.
 * @throws AppError `bad-header` where the header is no UUID
 */
export function producerOf({ headers }: HttpRequest): { readonly producer?: ProducerId } {
  const text = headers['x-producer-id']
  return text === undefined ? {} : { producer: parseProducerId(text) }
}
