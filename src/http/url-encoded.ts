/**
 * Queries and forms: `name=value` pairs, percent-encoded. `URLSearchParams` turns bytes that are no UTF-8 into
 * U+FFFD, and would so look for, or store, a text that nobody sent; here they are refused.
 */
import { AppError } from '../domain/app-error.ts'

/** @throws AppError `bad-query` */
export function parseQuery(text: string): URLSearchParams {
  return parsed(text, (parameter) => {
    return new AppError('bad-query', `${parameter} is not percent-encoded UTF-8`, { parameter })
  })
}

/** @throws AppError `bad-field` */
export function parseForm(text: string): URLSearchParams {
  return parsed(text, (field) => {
    return new AppError('bad-field', `${field} is not percent-encoded UTF-8`, { field })
  })
}

function parsed(text: string, refusal: (name: string) => AppError): URLSearchParams {
  const pair = mayBeWrong.test(text) ? text.split('&').find((one) => !isUtf8(one)) : undefined
  if (pair === undefined) return new URLSearchParams(text)
  const [name = ''] = new URLSearchParams(pair).keys()
  throw refusal(name)
}

/** What a gateway could not read as UTF-8 is U+FFFD already. */
const mayBeWrong = /[%\ufffd]/

/** Whatever is no escape stands for itself, as `%` alone does. */
function isUtf8(pair: string): boolean {
  if (pair.includes('\ufffd')) return false
  try {
    for (const escaped of pair.match(/(?:%[\da-f]{2})+/gi) ?? []) decodeURIComponent(escaped)
    return true
  } catch {
    return false
  }
}
