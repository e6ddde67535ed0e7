/**
 * What a shop does with `apie serve` on its first day, one step after the other: accounts, a stream with an access
 * list, a reader who walks through its pages and waits at the end, and two consumers who share the work. Every
 * address that a step follows is one that an answer gave.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { uuid } from '../support/drafts.ts'
import { basic } from '../support/executable.ts'
import type { Received } from '../support/http-client.ts'
import { type Serve, startServe } from '../support/serve.ts'

const JSON_TYPE = 'application/json'
const BATCH = 'application/vnd.eventstore.events+json'
const ATOM_JSON = 'application/vnd.eventstore.atom+json'
const MESSAGES = 'application/vnd.eventstore.competingatom+json'
const GROUP = '/subscriptions/jobs/packing'

let server: Serve
beforeAll(async () => {
  server = await startServe()
})
afterAll(() => server.stop())

type Person = 'admin' | 'anna' | 'ben' | 'carl'
const passwords: Record<Exclude<Person, 'admin'>, string> = { anna: 'a-1', ben: 'b-1', carl: 'c-1' }

const credentials = (who: Person) =>
  who === 'admin' ? server.authorization : basic(who, passwords[who])

function ask(
  who: Person,
  method: string,
  target: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<Received> {
  return server.send(target.replace(server.url, ''), {
    method,
    headers: { authorization: credentials(who), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

/** Status, reason and body, which is all that most answers to a change say. */
const outcome = ({ status, reason, text }: Received) => [status, reason, text]

const append = (who: Person, stream: string, from: number, to: number) =>
  ask(
    who,
    'POST',
    `/streams/${stream}`,
    { 'content-type': BATCH },
    Array.from({ length: to - from }, (_, at) => ({
      eventId: uuid(from + at),
      eventType: 'placed',
      data: { n: from + at },
    })),
  )

type Link = { readonly uri: string; readonly relation: string }
type Entry = {
  readonly title: string
  readonly retryCount?: number
  readonly links: readonly Link[]
}
type Feed = { readonly links: readonly Link[]; readonly entries: readonly Entry[] }

const linkOf = ({ links }: { readonly links: readonly Link[] }, relation: string) =>
  links.find((link) => link.relation === relation)?.uri

async function page(target: string): Promise<Feed> {
  const answer = await ask('ben', 'GET', target, { accept: ATOM_JSON })
  expect(answer.status, answer.text).toBe(200)
  return JSON.parse(answer.text)
}

/** The pages from an address on, as their paths and the newest and oldest event on them. */
async function walk(from: string, relation: string): Promise<string[]> {
  const pages: string[] = []
  let target: string | undefined = from
  while (target !== undefined) {
    const feed = await page(target)
    const titles = feed.entries.map(({ title }) => title)
    pages.push([target.replace(server.url, ''), titles.at(0), titles.at(-1)].join(' '))
    target = linkOf(feed, relation)
  }
  return pages
}

/** What a consumer is handed: number and retries of each message, and the addresses to answer at. */
async function fetched(who: Person, count: number) {
  const answer = await ask(who, 'GET', `${GROUP}/${count}?embed=body`, { accept: MESSAGES })
  expect(answer.status, answer.text).toBe(200)
  const feed: Feed = JSON.parse(answer.text)
  const entry = (n: number) => {
    const found = feed.entries.find(({ title }) => title === `${n}@jobs`)
    if (!found) throw new Error(`${n} was not handed out`)
    return found
  }
  const say = async (relation: 'ack' | 'nack', n: number, action = '') =>
    outcome(await ask(who, 'POST', `${linkOf(entry(n), relation)}${action}`, {}, {}))
  return {
    messages: feed.entries.map(({ title, retryCount }) => `${title} ${retryCount}`),
    say,
    ackAll: async () => outcome(await ask(who, 'POST', linkOf(feed, 'ackAll') ?? '', {}, {})),
  }
}

const ACCEPTED = [202, 'Accepted', '']

const infoOf = async (): Promise<Record<string, unknown>> =>
  JSON.parse((await ask('ben', 'GET', `${GROUP}/info`)).text)

it('accounts are made for those who work there', async () => {
  for (const [loginName, groups] of [
    ['anna', ['shop']],
    ['ben', ['shop']],
    ['carl', []],
  ] as const) {
    const password = passwords[loginName]
    const body = { loginName, fullName: loginName, groups, password }
    const made = await ask('admin', 'POST', '/users', { 'content-type': JSON_TYPE }, body)
    expect([made.status, made.headers['location']]).toEqual([
      201,
      `${server.url}/users/${loginName}`,
    ])
    expect(JSON.parse(made.text)).toEqual({ loginName, success: true, error: 'Success' })
  }
  const own = JSON.parse((await ask('anna', 'GET', '/users/$current')).text)
  expect(own).toMatchObject({ data: { loginName: 'anna', groups: ['shop'], disabled: false } })
})

it('the first order finds its way without an id, and again', async () => {
  const headers = { 'content-type': JSON_TYPE, 'es-eventtype': 'placed' }
  const sent = await ask('anna', 'POST', '/streams/orders', headers, { n: 'first' })
  expect(outcome(sent)).toEqual([307, 'Temporary Redirect', 'Forwarding to idempotent URI'])
  const target = sent.headers['location'] ?? ''
  expect(target).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/streams\/orders\/incoming\/[0-9a-f-]{36}$/)
  for (const _twice of [1, 2]) {
    const stored = await ask('anna', 'POST', target, headers, { n: 'first' })
    expect(outcome(stored)).toEqual([201, 'Created', ''])
    expect(stored.headers['location']).toBe(`${server.url}/streams/orders/0`)
  }
  const more = await append('anna', 'orders', 1, 45)
  expect([more.status, more.headers['location']]).toEqual([201, `${server.url}/streams/orders/1`])
  const stale = await ask('anna', 'POST', '/streams/orders', {
    ...headers,
    'es-eventid': uuid(99),
    'es-expectedversion': '3',
  })
  expect(outcome(stale)).toEqual([400, 'Wrong expected EventNumber', ''])
  expect(stale.headers['es-currentversion']).toBe('44')
})

it('the stream is closed to all but the shop, and anna alone writes', async () => {
  const document = {
    $acl: { $r: ['shop'], $w: 'anna', $mw: '$admins' },
    $cacheControl: 5,
    of: 'us',
  }
  const set = await ask(
    'admin',
    'POST',
    '/streams/orders/metadata',
    { 'content-type': JSON_TYPE, 'es-eventid': uuid(200), 'es-expectedversion': '-1' },
    document,
  )
  expect(outcome(set)).toEqual([201, 'Created', ''])
  expect(set.headers['location']).toBe(`${server.url}/streams/%24%24orders/0`)
  const told = await ask('carl', 'GET', '/streams/orders/metadata', { accept: JSON_TYPE })
  expect(JSON.parse(told.text)).toEqual(document)
  for (const path of ['/streams/orders', '/streams/orders/0', '/streams/orders/0/forward/5']) {
    const refused = await ask('carl', 'GET', path)
    expect(outcome(refused)).toEqual([401, 'Unauthorized', ''])
    expect(refused.headers['www-authenticate']).toBe('Basic realm="ES"')
  }
  expect(outcome(await append('ben', 'orders', 45, 46))).toEqual([401, 'Unauthorized', ''])
  const written = await append('anna', 'orders', 45, 46)
  expect(written.headers['location']).toBe(`${server.url}/streams/orders/45`)
  const head = await ask('ben', 'GET', '/streams/orders', { accept: ATOM_JSON })
  expect([head.status, head.headers['cache-control'], head.headers['etag']]).toEqual([
    200,
    'max-age=5, private',
    '"45;248368668"',
  ])
})

it('a password that is changed is the one that counts', async () => {
  const path = '/users/ben/command/change-password'
  const change = (currentPassword: string) =>
    ask('ben', 'POST', path, { 'content-type': JSON_TYPE }, { currentPassword, newPassword: 'b-2' })
  expect(outcome(await change('wrong'))).toEqual([401, 'Unauthorized', ''])
  const changed = await change('b-1')
  expect([changed.status, JSON.parse(changed.text)]).toEqual([
    200,
    { loginName: 'ben', success: true, error: 'Success' },
  ])
  expect((await ask('ben', 'GET', '/streams/orders')).status).toBe(401)
  passwords.ben = 'b-2'
  expect((await ask('ben', 'GET', '/streams/orders')).status).toBe(200)
})

it('a reader goes from the head to the oldest event and back to the end', async () => {
  expect(await walk('/streams/orders', 'next')).toEqual([
    '/streams/orders 45@orders 26@orders',
    '/streams/orders/25/backward/20 25@orders 6@orders',
    '/streams/orders/5/backward/20 5@orders 0@orders',
  ])
  expect(await walk('/streams/orders/5/backward/20', 'previous')).toEqual([
    '/streams/orders/5/backward/20 5@orders 0@orders',
    '/streams/orders/6/forward/20 25@orders 6@orders',
    '/streams/orders/26/forward/20 45@orders 26@orders',
    '/streams/orders/46/forward/20  ',
  ])
  expect(linkOf(await page('/streams/orders'), 'last')).toBe(
    `${server.url}/streams/orders/0/forward/20`,
  )
})

it('at the end a reader learns that there is nothing new, or waits for it', async () => {
  const end = '/streams/orders/46/forward/20'
  const known = { accept: ATOM_JSON, 'if-none-match': '"45;248368668"' }
  expect(outcome(await ask('ben', 'GET', end, known))).toEqual([304, 'Not Modified', ''])
  const waiting = ask('ben', 'GET', end, { ...known, 'es-longpoll': '25' })
  expect((await append('anna', 'orders', 46, 47)).status).toBe(201)
  const woken = await waiting
  expect([woken.status, woken.headers['etag']]).toEqual([200, '"46;248368668"'])
  const feed: Feed = JSON.parse(woken.text)
  expect(feed.entries.map(({ title }) => title)).toEqual(['46@orders'])
  const next = linkOf(feed, 'previous') ?? ''
  expect(next).toBe(`${server.url}/streams/orders/47/forward/20`)
  const patient = { accept: ATOM_JSON, 'if-none-match': '"46;248368668"', 'es-longpoll': '1' }
  expect(outcome(await ask('ben', 'GET', next, patient))).toEqual([304, 'Not Modified', ''])
})

it('two consumers share the work, and each says what became of it', async () => {
  expect((await append('anna', 'jobs', 0, 8)).status).toBe(201)
  const settings = { maxRetryCount: 1, messageTimeoutMilliseconds: 0 }
  const made = await ask('admin', 'PUT', GROUP, { 'content-type': JSON_TYPE }, settings)
  expect([made.status, made.headers['location']]).toEqual([201, server.url + GROUP])
  expect((await ask('anna', 'PUT', GROUP, { 'content-type': JSON_TYPE }, settings)).status).toBe(
    401,
  )

  const anna = await fetched('anna', 4)
  const ben = await fetched('ben', 4)
  expect(anna.messages).toEqual(['3@jobs 0', '2@jobs 0', '1@jobs 0', '0@jobs 0'])
  expect(ben.messages).toEqual(['7@jobs 0', '6@jobs 0', '5@jobs 0', '4@jobs 0'])
  expect((await fetched('anna', 4)).messages).toEqual([])

  expect(await anna.say('ack', 0)).toEqual(ACCEPTED)
  expect(await anna.say('nack', 1, '?action=park')).toEqual(ACCEPTED)
  expect(await anna.say('nack', 2)).toEqual(ACCEPTED)
  expect(await anna.say('nack', 3, '?action=skip')).toEqual(ACCEPTED)
  const some = `${server.url}${GROUP}/ack?ids=${uuid(4)},${uuid(5)}`
  expect(outcome(await ask('ben', 'POST', some))).toEqual(ACCEPTED)
  expect(await ben.say('nack', 6, '?action=retry')).toEqual(ACCEPTED)

  const again = await fetched('ben', 4)
  expect(again.messages).toEqual(['6@jobs 1', '2@jobs 1'])
  expect(await again.say('nack', 6)).toEqual(ACCEPTED)
  expect(await again.say('ack', 2)).toEqual(ACCEPTED)
  expect(await infoOf()).toMatchObject({
    eventStreamId: 'jobs',
    groupName: 'packing',
    status: 'Live',
    totalItemsProcessed: 5,
    lastProcessedEventNumber: 6,
    lastKnownEventNumber: 7,
    totalInFlightMessages: 1,
    outstandingMessagesCount: 1,
    retryBufferCount: 0,
    parkedMessageCount: 2,
    config: { maxRetryCount: 1, messageTimeoutMilliseconds: 0, bufferSize: 500 },
  })

  expect(await ben.say('nack', 7, '?action=stop')).toEqual(ACCEPTED)
  expect((await fetched('anna', 4)).messages).toEqual([])
  expect(await infoOf()).toMatchObject({ status: 'Stopped', totalInFlightMessages: 0 })
  const changed = await ask('admin', 'POST', GROUP, { 'content-type': JSON_TYPE }, settings)
  expect(changed.status).toBe(200)
  const last = await fetched('anna', 4)
  expect(last.messages).toEqual(['7@jobs 0'])
  expect(await last.ackAll()).toEqual(ACCEPTED)
})

it('what was parked is looked at and brought back, in its order', async () => {
  const seen = await ask('admin', 'GET', '/subscriptions/viewparkedmessages/jobs/packing', {
    accept: ATOM_JSON,
  })
  const { entries }: Feed = JSON.parse(seen.text)
  expect(entries.map(({ title }) => title)).toEqual(['6@jobs', '1@jobs'])
  expect((await ask('ben', 'POST', `${GROUP}/replayParked`)).status).toBe(401)
  const replayed = await ask('admin', 'POST', `${GROUP}/replayParked`)
  expect([replayed.status, JSON.parse(replayed.text)]).toEqual([
    200,
    { correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/), reason: '', result: 'Success' },
  ])
  const ben = await fetched('ben', 1)
  const anna = await fetched('anna', 9)
  expect([ben.messages, anna.messages]).toEqual([['1@jobs 0'], ['6@jobs 0']])
  expect(await ben.ackAll()).toEqual(ACCEPTED)
  expect(await anna.ackAll()).toEqual(ACCEPTED)
  expect((await fetched('ben', 9)).messages).toEqual([])
  expect(await infoOf()).toMatchObject({
    status: 'Live',
    totalItemsProcessed: 8,
    lastProcessedEventNumber: 7,
    parkedMessageCount: 0,
    totalInFlightMessages: 0,
  })
})

it('a stream that is deleted comes back with its numbers, or never', async () => {
  const hard = { 'es-harddelete': 'true' }
  expect(outcome(await ask('admin', 'DELETE', '/streams/orders'))).toEqual([
    204,
    'Stream deleted',
    '',
  ])
  expect(outcome(await ask('admin', 'GET', '/streams/orders'))).toEqual([404, 'Not Found', ''])
  expect(outcome(await append('ben', 'orders', 300, 301))).toEqual([401, 'Unauthorized', ''])
  const back = await append('anna', 'orders', 300, 301)
  expect(back.headers['location']).toBe(`${server.url}/streams/orders/47`)
  expect(await walk('/streams/orders/0/forward/20', 'previous')).toEqual([
    '/streams/orders/0/forward/20  ',
    '/streams/orders/20/forward/20  ',
    '/streams/orders/40/forward/20 47@orders 47@orders',
    '/streams/orders/48/forward/20  ',
  ])
  expect((await ask('admin', 'DELETE', '/streams/orders', hard)).status).toBe(204)
  expect(outcome(await ask('ben', 'GET', '/streams/orders'))).toEqual([410, 'Deleted', ''])
  expect(outcome(await append('anna', 'orders', 400, 401))).toEqual([410, 'Stream deleted', ''])
})
