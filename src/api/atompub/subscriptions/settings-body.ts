/** The settings of a group as a request sends them: a flat document of JSON or XML, or nothing at all. */
import { AppError } from '../../../domain/app-error.ts'
import { parseJson, readText } from '../../../http/body.ts'
import { contentTypeOf } from '../../../http/media-type.ts'
import type { HttpRequest } from '../../../http/message.ts'
import { isJsonObject } from '../../../kit/json-object.ts'

const MAX_BODY = 64 * 1024
const JSON_LIMITS = { depth: 8, values: 1000, keys: 100 }
const XML_TYPES = ['application/xml', 'text/xml']

/** @throws AppError `media-type-unsupported`, `bad-json`, `bad-field` */
export async function readSettingsBody(
  request: HttpRequest,
): Promise<Iterable<readonly [string, unknown]>> {
  const type = typeOf(request)
  const text = (await readText(request, MAX_BODY)).trim()
  if (text === '') return []
  if (XML_TYPES.includes(type)) {
    const { readXmlMembers } = await import('./settings-xml.ts')
    return readXmlMembers(text)
  }
  return jsonMembers(text)
}

function typeOf(request: HttpRequest): string {
  const [type = '', ...parameters] = (contentTypeOf(request) ?? '').toLowerCase().split(';')
  const charset = parameters.map((one) => one.trim()).find((one) => one.startsWith('charset='))
  const isUtf8 = charset === undefined || /^charset="?utf-8"?$/.test(charset)
  const isKnown = ['application/json', ...XML_TYPES].includes(type.trim())
  if (isKnown && isUtf8) return type.trim()
  throw new AppError('media-type-unsupported', 'Invalid or missing Content-Type', {
    header: 'Content-Type',
  })
}

function jsonMembers(text: string): [string, unknown][] {
  const value: unknown = JSON.parse(parseJson(text, JSON_LIMITS).text)
  if (isJsonObject(value)) return Object.entries(value)
  throw new AppError('bad-field', 'The body must be a JSON object', { field: '' })
}
