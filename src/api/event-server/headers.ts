/** What the headers of a request must say before anything else of it is looked at. */
import { AppError } from '../../domain/app-error.ts'
import { type ConsumerId, findConsumerId } from '../../domain/consumer.ts'
import { noUuid } from '../../domain/producer.ts'
import { contentTypeOf } from '../../http/media-type.ts'
import type { HttpRequest } from '../../http/message.ts'

export const JSON_BODY = 'application/json'
export const FORM_BODY = 'application/x-www-form-urlencoded'

/** @throws AppError `bad-header` where the client takes no JSON in UTF-8 */
export function requireJsonAccepted(request: HttpRequest): void {
  const accept = request.headers['accept']?.trim()
  if (accept === undefined || accept === '') return
  if (accept.split(',').some(takesJson)) return
  throw new AppError('bad-header', 'Accept must take application/json; charset=utf-8', {
    header: 'Accept',
  })
}

function takesJson(range: string): boolean {
  const { type, parameters } = parsed(range)
  if (!['*/*', 'application/*', JSON_BODY].includes(type)) return false
  return isUtf8(parameters) && Number(parameters.get('q') ?? '1') > 0
}

/**
 * Which of `types` the body is of.
 * @throws AppError `bad-header` where it is of another, or the request does not say
 */
export function requireBodyType<T extends string>(request: HttpRequest, types: readonly T[]): T {
  const { type, parameters } = parsed(contentTypeOf(request) ?? '')
  const found = types.find((known) => known === type)
  if (found !== undefined && isUtf8(parameters)) return found
  const message = `Content-Type must be ${types.join(' or ')}, its charset utf-8 where it is given`
  throw new AppError('bad-header', message, { header: 'Content-Type' })
}

type MediaType = { readonly type: string; readonly parameters: ReadonlyMap<string, string> }

function parsed(text: string): MediaType {
  const [type = '', ...rest] = text.toLowerCase().split(';')
  const parameters = rest.map((parameter) => {
    const [name = '', value = ''] = parameter.split('=')
    return [name.trim(), value.trim().replace(/^"(.*)"$/, '$1')] as const
  })
  return { type: type.trim(), parameters: new Map(parameters) }
}

function isUtf8(parameters: ReadonlyMap<string, string>): boolean {
  return /^utf-?8$/.test(parameters.get('charset') ?? 'utf-8')
}

/** @throws AppError `bad-header` where the header is missing or no UUID */
export function consumerOf(request: HttpRequest): ConsumerId {
  const text = request.headers['x-consumer-id']?.trim() ?? ''
  const consumer = findConsumerId(text)
  if (consumer !== undefined) return consumer
  throw noUuid('X-Consumer-ID', text)
}
