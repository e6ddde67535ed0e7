/** Requests to streams that many cases need, and answers put so that they are the same everywhere. */
import { expect } from 'vitest'
import { basic, type CorpusAnswer, json, type Send } from './corpus-request.ts'

/** What a proxy in front tells of itself, so that links are the same through every gateway. */
const FORWARDED = { 'x-forwarded-host': 'es.example:2113' }

export const ATOM_JSON = 'application/vnd.eventstore.atom+json'
export const ATOM = 'application/atom+xml'
export const EVENTS_JSON = 'application/vnd.eventstore.events+json'
export const EVENTS_XML = 'application/vnd.eventstore.events+xml'

/** A UUID that ends in `n`. */
export const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

export type Headers = Record<string, string>

/** One request; the path may have a query. */
export function ask(
  send: Send,
  method: string,
  target: string,
  headers: Headers = {},
  body?: string | Uint8Array,
): Promise<CorpusAnswer> {
  const [path = '', query] = target.split('?')
  return send({
    method,
    path,
    headers: { ...FORWARDED, ...headers },
    ...(query !== undefined && { query }),
    ...(body !== undefined && { body }),
  })
}

export const read = (send: Send, target: string, headers: Headers = {}): Promise<CorpusAnswer> =>
  ask(send, 'GET', target, { accept: 'application/json', ...headers })

export type BatchEvent = {
  readonly eventId: string
  readonly eventType: string
  readonly data?: unknown
  readonly metadata?: unknown
}

export const postBatch = (
  send: Send,
  stream: string,
  events: readonly BatchEvent[],
  headers: Headers = {},
): Promise<CorpusAnswer> =>
  ask(
    send,
    'POST',
    `/streams/${stream}`,
    { 'content-type': EVENTS_JSON, ...headers },
    JSON.stringify(events),
  )

/** One event with its id and type in headers. */
export const postEvent = (
  send: Send,
  stream: string,
  n: number,
  headers: Headers = {},
  body: string | Uint8Array = `{"n":${n}}`,
): Promise<CorpusAnswer> =>
  ask(
    send,
    'POST',
    `/streams/${stream}`,
    { 'content-type': 'application/json', 'es-eventtype': 't', 'es-eventid': id(n), ...headers },
    body,
  )

/** Events `{"n":0}` and so on, in one batch. */
export async function fill(send: Send, stream: string, count: number, from = 0): Promise<void> {
  const events = Array.from({ length: count }, (_, at) => ({
    eventId: id(1000 + from + at),
    eventType: 't',
    data: { n: from + at },
  }))
  expectStatus(await postBatch(send, stream, events), 201)
}

export const postMetadata = (
  send: Send,
  stream: string,
  document: unknown,
  headers: Headers = {},
): Promise<CorpusAnswer> =>
  ask(
    send,
    'POST',
    `/streams/${stream}/metadata`,
    { 'content-type': 'application/json', 'es-eventid': crypto.randomUUID(), ...headers },
    JSON.stringify(document),
  )

export const remove = (send: Send, stream: string, headers: Headers = {}): Promise<CorpusAnswer> =>
  ask(send, 'DELETE', `/streams/${stream}`, headers)

export function expectStatus(answer: CorpusAnswer, status: number): void {
  expect(answer.status, `${answer.reason} ${answer.body.toString().slice(0, 500)}`).toBe(status)
}

/** Nothing but a status line. */
export function expectEmpty(answer: CorpusAnswer, status: number, reason: string): void {
  expect([answer.status, answer.reason, answer.body.toString()]).toEqual([status, reason, ''])
}

/** 400 that says what is wrong twice: in its reason phrase, and as text. */
export function expectBad(answer: CorpusAnswer, text: string | RegExp): void {
  expectStatus(answer, 400)
  expect(answer.reason).toMatch(text)
  expect(answer.body.toString()).toMatch(text)
  expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
}

/** Without what stands before `/streams`, which depends on where the program is mounted. */
export const local = (uri: string | undefined): string => {
  expect(uri).toMatch(/^http:\/\/es\.example:2113(\/cgi-bin\/[^/]+)?\/(streams|subscriptions)\//)
  return (uri ?? '').replace(/^.*?(?=\/(streams|subscriptions)\/)/, '')
}

export type FeedJson = {
  readonly title: string
  readonly id: string
  readonly updated: string
  readonly streamId?: string
  readonly headOfStream: boolean
  readonly selfUrl?: string
  readonly eTag?: string
  readonly links: readonly { readonly uri: string; readonly relation: string }[]
  readonly entries: readonly EntryJson[]
}

export type EntryJson = Readonly<Record<string, unknown>> & {
  readonly title: string
  readonly id: string
  readonly summary: string
  readonly links: readonly { readonly uri: string; readonly relation: string }[]
}

export async function feed(send: Send, target: string, headers: Headers = {}): Promise<FeedJson> {
  const answer = await read(send, target, headers)
  expectStatus(answer, 200)
  return json(answer) as FeedJson
}

/** Titles of the entries of a feed, newest first. */
export async function titles(send: Send, target: string, headers: Headers = {}): Promise<string[]> {
  return (await feed(send, target, headers)).entries.map(({ title }) => title)
}

/** Links of a feed by relation, cut behind the stream: `{ next: '/4/backward/20' }`. */
export function pagesOf({ links, id: self }: FeedJson): Record<string, string> {
  return Object.fromEntries(links.map(({ uri, relation }) => [relation, uri.slice(self.length)]))
}

/** An account that is made for a case, and how it sends. */
export async function account(
  send: Send,
  name: string,
  groups: readonly string[] = [],
): Promise<Send> {
  const answer = await ask(
    send,
    'POST',
    '/users',
    { 'content-type': 'application/json' },
    JSON.stringify({ loginName: name, fullName: '', groups, password: 'pw' }),
  )
  expectStatus(answer, 201)
  return (request) => send({ ...request, headers: { ...request.headers, ...basic(name, 'pw') } })
}
