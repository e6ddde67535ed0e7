/** What a case of the corpus is made of, and the requests that most cases need. */
import { expect } from 'vitest'

export type CorpusRequest = {
  readonly method: string
  /** As it goes out, beginning with `/`, without the mount. Here and below each character is a byte. */
  readonly path: string
  /** Without `?`. */
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Header names in lower case. */
export type CorpusAnswer = {
  readonly status: number
  /** Reason phrase. */
  readonly reason: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** One request through a gateway, nothing added to it. */
export type Send = (request: CorpusRequest) => Promise<CorpusAnswer>

export type CorpusCase = {
  readonly name: string
  /**
   * It asks for something that web servers do in different ways: a method, a status or a header that they
   * add to, a body or an answer that is large, compressed, empty or no text, a path that they rewrite, requests
   * at once, an answer that is waited for; or it is the one case that stands for its API. These run
   * under every kind of Apache, the others, whose requests look alike from outside, under the first.
   */
  readonly meetsServer?: true
  run(send: Send): Promise<void>
}

/** SHA-256 of nothing. */
export const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
export const HEX64 = /^[0-9a-f]{64}$/

/** What a proxy in front tells of itself, so that links are the same everywhere. */
export const FORWARDED = { 'x-forwarded-host': 'apie.example:2113' }

export const basic = (name: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
})

/** `send` with the credentials of the account. */
export const signedIn =
  (send: Send): Send =>
  (request) =>
    send({ ...request, headers: { ...basic('a@b.c', 'pw'), ...request.headers } })

/** A case whose requests carry the credentials of the account. */
export const signedInCase = (name: string, run: (send: Send) => Promise<void>): CorpusCase => ({
  name,
  run: (send) => run(signedIn(send)),
})

/** The same for a case that `meetsServer`. */
export const serverCase = (name: string, run: (send: Send) => Promise<void>): CorpusCase => ({
  ...signedInCase(name, run),
  meetsServer: true,
})

/** A text as the bytes of its UTF-8, to be sent as it is. */
export const utf8 = (text: string): string => Buffer.from(text).toString('latin1')

export const json = (answer: CorpusAnswer): unknown => JSON.parse(answer.body.toString('utf8'))

export type EventJson = {
  readonly eventId: string
  readonly eventType: string
  readonly stream: string
  readonly version: number
  readonly position: number
  readonly body: unknown
  readonly createdBy: string
  readonly createdAt: string
  readonly hash: string
}

export const get = (
  send: Send,
  path: string,
  headers: Record<string, string> = {},
): Promise<CorpusAnswer> => {
  const [plain = '', query] = path.split('?')
  return send({ method: 'GET', path: plain, headers, ...(query !== undefined && { query }) })
}

export const putEvent = (
  send: Send,
  event: unknown,
  headers: Record<string, string> = {},
): Promise<CorpusAnswer> =>
  send({
    method: 'PUT',
    path: '/events',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof event === 'string' ? event : JSON.stringify(event),
  })

/** Appends events and returns them; `n` counts in their bodies. */
export async function append(
  send: Send,
  count: number,
  more: Record<string, unknown> = {},
): Promise<EventJson[]> {
  const events: EventJson[] = []
  for (let n = 1; n <= count; n++) {
    const answer = await putEvent(send, { eventType: 't', body: { n }, ...more })
    expect(answer.status, answer.body.toString()).toBe(200)
    events.push(json(answer) as EventJson)
  }
  return events
}

/** Hashes of the events that `GET path` answers with. */
export async function hashesOf(send: Send, path: string): Promise<string[]> {
  const answer = await get(send, path)
  expect(answer.status, answer.body.toString()).toBe(200)
  return (json(answer) as EventJson[]).map(({ hash }) => hash)
}

/** Fails where an answer is not an error in the common shape with this status and code. */
export function expectError(
  answer: CorpusAnswer,
  status: number,
  code: string,
  facts: Readonly<Record<string, unknown>> = {},
): void {
  expect(answer.status, answer.body.toString()).toBe(status)
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
  expect(json(answer)).toMatchObject({
    status: 'error',
    errorMessage: expect.stringMatching(/\w+ \w+/),
    code,
    ...facts,
  })
}
