/**
 * The values of headers as text: UTF-8 in every gateway. HTTP leaves open what bytes above 127 mean (RFC 9110
 * §5.5), Node takes each for a character, and the variables of a CGI process have been decoded before it looks
 * at them; without one rule the same request would store another type of event under each web server.
 */
import { AppError } from '../domain/app-error.ts'
import type { HttpRequest } from '../http/message.ts'

type Headers = HttpRequest['headers']

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is the range of ASCII
const notAscii = /[^\u0000-\u007f]/

/** What stands for bytes that were no UTF-8, here as in the variables of a CGI process. */
const LOST = '\ufffd'

/**
 * From values of which each character is a byte; the same object where all are ASCII, as nearly always.
 * @param raw names and values by turns, as they came: looking through a list costs half of looking into an object
 */
export function decodedHeaders(headers: Headers, raw: readonly string[]): Headers {
  for (let n = 1; n < raw.length; n += 2) {
    if (notAscii.test(raw[n] as string)) return decoded(headers)
  }
  return headers
}

function decoded(headers: Headers): Headers {
  const texts: Record<string, string | undefined> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    // Of some headers Node keeps every line apart.
    texts[name] = Buffer.from(`${value}`, 'latin1').toString('utf8')
  }
  return texts
}

/** Those whose text is stored or compared. Others are none of our business: a cookie of another program on the host, say. */
const told = /^(?:es-|kurrent-|if-|idempotency-key$)/

/** What keeps decoded headers from being used: a value that is a guess, and would stand for what nobody sent. */
export function headersProblem(headers: Headers): AppError | undefined {
  for (const name in headers) {
    if (!told.test(name) || !headers[name]?.includes(LOST)) continue
    return new AppError('bad-header', `The header ${name} is not UTF-8`, { header: name })
  }
  return undefined
}
