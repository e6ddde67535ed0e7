/** The requests of the event server that its cases are made of. */
import { expect } from 'vitest'
import type { CorpusAnswer, Send } from './corpus-request.ts'
import { json } from './corpus-request.ts'

export const P1 = '0190b7a2-1111-7000-8000-000000000001'
export const P2 = '0190b7a2-2222-4000-8000-000000000002'
export const C1 = '0190b7a2-cccc-4000-8000-000000000001'
export const C2 = '0190b7a2-cccc-4000-8000-000000000002'
export const NOBODY = '0190b7a2-0000-4000-8000-00000000dead'

export const QUOTED_UUID = /^"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"$/

type Members = Record<string, unknown>

/** A valid document; `more` replaces members of it. */
export const document = (name = 'OrderPlaced', more: Members = {}): Members => ({
  event: { name, version: 1 },
  system: { id: 'SHOP', name: 'Shop', time: '2026-01-31 12:00:00', timezone: 'Europe/Berlin' },
  trigger: { type: 'manual', name: 'checkout' },
  payload: { order: 1 },
  ...more,
})

const path = (stream: string): string => `/api/v1/streams/${encodeURIComponent(stream)}/events`

export function publish(
  send: Send,
  stream: string,
  body: unknown = document(),
  headers: Record<string, string> = {},
): Promise<CorpusAnswer> {
  return send({
    method: 'POST',
    path: path(stream),
    headers: {
      'content-type': 'application/json; charset=utf-8',
      accept: 'application/json; charset=utf-8',
      'x-producer-id': P1,
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

/** The id of an event that was published just now. */
export async function published(
  send: Send,
  stream: string,
  name = 'OrderPlaced',
  producer = P1,
): Promise<string> {
  const answer = await publish(send, stream, document(name), { 'x-producer-id': producer })
  expect([answer.status, answer.body.toString()]).toEqual([200, expect.stringMatching(QUOTED_UUID)])
  return json(answer) as string
}

export type EventJson = {
  readonly event: { readonly name: string; readonly version: number; readonly id: string }
  readonly system: Members
  readonly trigger: Members
  readonly payload: unknown
  readonly eventId: string
  readonly sequence: number
  readonly createdAt: string
  readonly streamName: string
}

export function read(
  send: Send,
  stream: string,
  query = 'eventName=OrderPlaced&limit=100',
  headers: Record<string, string> = { 'x-consumer-id': C1 },
): Promise<CorpusAnswer> {
  return send({ method: 'GET', path: path(stream), query, headers })
}

/** The events that a consumer gets. */
export async function eventsFor(
  send: Send,
  stream: string,
  given: { consumer?: string; name?: string; limit?: number } = {},
): Promise<EventJson[]> {
  const { consumer = C1, name = 'OrderPlaced', limit = 100 } = given
  const query = `eventName=${encodeURIComponent(name)}&limit=${limit}`
  const answer = await read(send, stream, query, { 'x-consumer-id': consumer })
  expect(answer.status, answer.body.toString()).toBe(200)
  return json(answer) as EventJson[]
}

export const sequencesFor = async (
  ...given: Parameters<typeof eventsFor>
): Promise<readonly number[]> => (await eventsFor(...given)).map(({ sequence }) => sequence)

export function acknowledge(
  send: Send,
  stream: string,
  eventId: string,
  headers: Record<string, string> = {},
  body = 'action=ACK',
): Promise<CorpusAnswer> {
  return send({
    method: 'POST',
    path: `${path(stream)}/${eventId}`,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-consumer-id': C1,
      ...headers,
    },
    body,
  })
}

export const post = (send: Send, target: string): Promise<CorpusAnswer> => {
  const [plain = '', query] = target.split('?')
  return send({
    method: 'POST',
    path: `/api/v1${plain}`,
    ...(query !== undefined && { query }),
    body: '',
  })
}

/** Fails where an answer is not this status with a JSON string that begins like this. */
export function expectText(answer: CorpusAnswer, status: number, begin: string | RegExp): void {
  const text = answer.body.toString()
  expect([answer.status, text]).toEqual([status, expect.stringMatching(/^".*"$/)])
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
  const said = json(answer) as string
  if (typeof begin === 'string') expect(said).toBe(begin)
  else expect(said).toMatch(begin)
}
