/** Requests to subscription groups that many cases need. */
import { expect } from 'vitest'
import { uuid } from '../support/drafts.ts'
import { type CorpusAnswer, FORWARDED, get, json, type Send } from './corpus-request.ts'

export const COMPETING_JSON = 'application/vnd.eventstore.competingatom+json'
export const COMPETING_XML = 'application/vnd.eventstore.competingatom+xml'
export const GROUP = '/subscriptions/orders/shipping'

/** Every request with a body, or without one, in one shape. */
export function ask(
  send: Send,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<CorpusAnswer> {
  const [plain = '', query] = path.split('?')
  return send({
    method,
    path: plain,
    headers: { 'content-type': 'application/json', ...FORWARDED, ...headers },
    ...(query !== undefined && { query }),
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

export const expectStatus = (answer: CorpusAnswer, status: number): void =>
  expect(answer.status, answer.body.toString()).toBe(status)

/** Appends events `from` to before `to`; their ids are `uuid(n)`. */
export async function write(send: Send, stream: string, from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, at) => from + at)
  const events = numbers.map((n) => ({ eventId: uuid(n), eventType: 'placed', data: { n } }))
  const headers = { 'content-type': 'application/vnd.eventstore.events+json' }
  expectStatus(await ask(send, 'POST', `/streams/${stream}`, events, headers), 201)
}

/** Nobody loses a message by being slow: some machines are. */
export const createGroup = async (send: Send, path = GROUP, settings: object = {}): Promise<void> =>
  expectStatus(await ask(send, 'PUT', path, { messageTimeoutMilliseconds: 0, ...settings }), 201)

export type Link = { readonly uri: string; readonly relation: string }
export type Entry = {
  readonly title: string
  readonly eventNumber: number
  readonly retryCount: number
  readonly data: string
  readonly links: readonly Link[]
}
export type Messages = { readonly links: readonly Link[]; readonly entries: readonly Entry[] }

export async function fetchFeed(send: Send, count: number, path = GROUP): Promise<Messages> {
  const accept = { accept: COMPETING_JSON, ...FORWARDED }
  const answer = await get(send, `${path}/${count}?embed=Body`, accept)
  expectStatus(answer, 200)
  return json(answer) as Messages
}

/** Numbers that a fetch hands out, newest first. */
export const fetchNumbers = async (send: Send, count: number, path = GROUP): Promise<number[]> =>
  (await fetchFeed(send, count, path)).entries.map(({ eventNumber }) => eventNumber)

export const post = (send: Send, path: string) =>
  send({ method: 'POST', path: path.split('?')[0] ?? '', ...queryOf(path) })
const queryOf = (path: string) => {
  const query = path.split('?')[1]
  return query === undefined ? {} : { query }
}

export const infoOf = async (send: Send, path = GROUP): Promise<Record<string, unknown>> =>
  json(await get(send, `${path}/info`, FORWARDED)) as Record<string, unknown>
