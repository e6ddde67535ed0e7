/**
 * The seven classes of events that the API broker knows, and their payloads. A class is the event type, the
 * payload the JSON body. What the events mean is `request-record.ts`.
 */
import { AppError } from '../app-error.ts'

export type Payload =
  | { readonly class: 'simple'; readonly message: string }
  /** Negative: leave it as it is. A timeout of 0 switches the timeout off. */
  | {
      readonly class: 'configuration'
      readonly retries: number
      /** Seconds. */
      readonly timeout: number
    }
  | { readonly class: 'request'; readonly request: string }
  | { readonly class: 'api-request'; readonly attempt: number }
  | {
      readonly class: 'api-response'
      readonly attempt: number
      readonly response: string
      /** Present where the answer was no UTF-8: `response` is Base64. */
      readonly encoding?: 'base64'
    }
  | { readonly class: 'api-failure'; readonly attempt: number; readonly failure: string }
  | { readonly class: 'api-timeout'; readonly attempt: number }

export type EventClass = Payload['class']

/** What happened to one attempt of a request. */
export type AttemptPayload = Extract<Payload, { readonly attempt: number }>

/** Most retries, and the longest timeout in seconds: what fits 32 bits, in ms for the timeout. */
export const MOST_RETRIES = 2_147_483_647
export const LONGEST_TIMEOUT = 2_147_483

/** The payload without its class, as it stands in the body of the event. */
export function payloadText(payload: Payload): string {
  const { class: _, ...members } = payload
  return JSON.stringify(members)
}

/**
 * Takes a body of an event apart.
 * @throws AppError `bad-field` where the class is none of the broker's or the body is not what it must be
 */
export function parsePayload(eventClass: string, body: unknown): Payload {
  const members = membersOf(body)
  switch (eventClass) {
    case 'simple':
      return { class: eventClass, message: textOf(members, 'message') }
    case 'configuration':
      return {
        class: eventClass,
        retries: retriesOf(members),
        timeout: timeoutOf(members),
      }
    case 'request':
      return { class: eventClass, request: textOf(members, 'request') }
    case 'api-request':
      return { class: eventClass, attempt: attemptOf(members) }
    case 'api-response':
      return {
        class: eventClass,
        attempt: attemptOf(members),
        response: textOf(members, 'response'),
        ...(members['encoding'] === 'base64' ? { encoding: 'base64' } : {}),
      }
    case 'api-failure':
      return {
        class: eventClass,
        attempt: attemptOf(members),
        failure: textOf(members, 'failure'),
      }
    case 'api-timeout':
      return { class: eventClass, attempt: attemptOf(members) }
    default:
      throw badField('class', 'is none of the broker’s')
  }
}

type Members = Readonly<Record<string, unknown>>

function membersOf(body: unknown): Members {
  const isObject = body !== null && typeof body === 'object' && !Array.isArray(body)
  if (!isObject) throw badField('body', 'must be a JSON object')
  return body as Members
}

function textOf(members: Members, name: string): string {
  const value = members[name]
  if (typeof value !== 'string') throw badField(name, 'must be text')
  return value
}

function attemptOf(members: Members): number {
  const value = members['attempt']
  const isAttempt = Number.isSafeInteger(value) && (value as number) >= 0
  if (!isAttempt) throw badField('attempt', 'must be a whole number from 0 on')
  return value as number
}

/** A member that is missing leaves the setting as it is. */
function retriesOf({ retries = -1 }: Members): number {
  const isNumber = Number.isSafeInteger(retries) && (retries as number) <= MOST_RETRIES
  if (!isNumber) throw badField('retries', `must be a whole number up to ${MOST_RETRIES}`)
  return retries as number
}

function timeoutOf({ timeout = -1 }: Members): number {
  const isNumber = typeof timeout === 'number' && timeout <= LONGEST_TIMEOUT
  if (!isNumber) throw badField('timeout', `must be a number of seconds up to ${LONGEST_TIMEOUT}`)
  return timeout
}

function badField(field: string, problem: string): AppError {
  return new AppError('bad-field', `${field} ${problem}`, { field })
}
