/** JSON documents of this API: written with two spaces, read with names in any case. */
import { AppError } from '../../domain/app-error.ts'
import { readJson } from '../../http/body.ts'
import { contentTypeOf } from '../../http/media-type.ts'
import type { HttpHeaders, HttpRequest, HttpResponse } from '../../http/message.ts'
import { jsonResponse } from '../../http/response.ts'
import { isJsonObject } from '../../kit/json-object.ts'

/** `value` as clients of this API are used to see it. */
export function indentedJson(
  status: number,
  value: unknown,
  headers: HttpHeaders = {},
): HttpResponse {
  return { ...jsonResponse(status, null, headers), body: JSON.stringify(value, undefined, 2) }
}

/** Bytes of the body of a request about something other than events. */
const MAX_BODY = 64 * 1024
const JSON_LIMITS = { depth: 8, values: 1000, keys: 100 }

/** Members of an object by their names in lower case; of equal names the last counts. */
export type DocumentMembers = ReadonlyMap<string, unknown>

/**
 * The JSON object that a request sends.
 * @throws AppError `media-type-unsupported`, `bad-json`, `bad-field` where it is no object
 */
export async function readDocument(request: HttpRequest): Promise<DocumentMembers> {
  requireJson(request)
  const { text } = await readJson(request, MAX_BODY, JSON_LIMITS)
  const value: unknown = JSON.parse(text)
  if (!isJsonObject(value)) {
    throw new AppError('bad-field', 'The body must be a JSON object', { field: '' })
  }
  return new Map(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]))
}

/** @throws AppError `media-type-unsupported` unless the body is JSON in UTF-8 */
function requireJson(request: HttpRequest): void {
  const [type = '', ...parameters] = (contentTypeOf(request) ?? '').toLowerCase().split(';')
  const charset = parameters.map((one) => one.trim()).find((one) => one.startsWith('charset='))
  const isUtf8 = charset === undefined || /^charset="?utf-8"?$/.test(charset)
  if (type.trim() === 'application/json' && isUtf8) return
  throw new AppError('media-type-unsupported', 'Invalid or missing Content-Type', {
    header: 'Content-Type',
  })
}

/** A member that is text. @throws AppError `bad-field` where it is missing or something else */
export function textMember(members: DocumentMembers, field: string, fallback?: string): string {
  const value = members.get(field.toLowerCase()) ?? fallback
  if (typeof value === 'string') return value
  throw new AppError('bad-field', `${field} must be a string`, { field })
}

/** A member that is a list of texts; empty where it is missing. @throws AppError `bad-field` */
export function textListMember(members: DocumentMembers, field: string): readonly string[] {
  const value = members.get(field.toLowerCase()) ?? []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw new AppError('bad-field', `${field} must be a list of strings`, { field })
}
