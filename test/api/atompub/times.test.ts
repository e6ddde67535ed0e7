/** What depends on when events were appended: times of feeds and entries, and `$maxAge`. */
import { expect, it } from 'vitest'
import { createMemoryStore } from '../../../src/storage/memory/engine.ts'
import { get, json, type Send, signedIn } from '../../gateway/corpus-request.ts'
import { uuid } from '../../support/drafts.ts'
import { openTestApp } from '../../support/test-app.ts'

const HOUR = 3_600_000

/** An app whose log has a clock of its own; what is asked for `at` a time is appended then. */
async function opened() {
  const clock = { nowMs: 0, now: () => clock.nowMs }
  const { send } = await openTestApp({ store: createMemoryStore({ clock }) })
  const post = async (
    path: string,
    at: string | number,
    type: string,
    n: number,
    data: unknown,
  ) => {
    clock.nowMs = typeof at === 'number' ? at : Date.parse(at)
    const answer = await signedIn(send)({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/vnd.eventstore.events+json' },
      body: JSON.stringify([{ eventId: uuid(n), eventType: type, data }]),
    })
    expect(answer.status).toBe(201)
  }
  return { send: signedIn(send), post }
}

type Shown = {
  readonly updated: string
  readonly entries: readonly { readonly title: string; readonly updated: string }[]
  readonly links: readonly { readonly relation: string; readonly uri: string }[]
}

const feed = async (send: Send, path: string, accept = 'application/json') =>
  json(await get(send, path, { accept })) as Shown

async function threeTimes() {
  const { send, post } = await opened()
  await post('/streams/s', '2020-01-01T00:00:00.100Z', 't', 1, {})
  await post('/streams/s', '2020-01-02T00:00:00Z', 't', 2, {})
  await post('/streams/s', '2020-01-03T10:20:30.405Z', 't', 3, {})
  return { send, post }
}

it.each([
  ['/streams/s', '2020-01-03T10:20:30.405Z'],
  ['/streams/s/1/backward/5', '2020-01-02T00:00:00Z'],
  ['/streams/s/0/forward/5', '2020-01-01T00:00:00.1Z'],
  ['/streams/s/1/forward/5', '2020-01-02T00:00:00Z'],
  ['/streams/s/3/forward/5', '0001-01-01T00:00:00Z'],
  ['/streams/s/9/backward/5', '0001-01-01T00:00:00Z'],
  ['/streams/$all', '2020-01-03T10:20:30.405Z'],
  ['/streams/$all/00000000000000000000000000000000/forward/5', '2020-01-01T00:00:00.1Z'],
  ['/streams/$all/00000000000000030000000000000003/forward/5', '0001-01-01T00:00:00Z'],
])('the feed %s was updated at %s', async (path, updated) => {
  const { send } = await threeTimes()
  expect((await feed(send, path)).updated).toBe(updated)
})

it('every entry has the time of its event', async () => {
  const { send } = await threeTimes()
  const { entries } = await feed(send, '/streams/s')
  expect(entries.map(({ updated }) => updated)).toEqual([
    '2020-01-03T10:20:30.405Z',
    '2020-01-02T00:00:00Z',
    '2020-01-01T00:00:00.1Z',
  ])
  const xml = await get(send, '/streams/s/0', { accept: 'application/atom+xml' })
  expect(xml.body.toString()).toContain('<atom:updated>2020-01-01T00:00:00.1Z</atom:updated>')
})

it('a link has the time at which it was made, and not that of its event', async () => {
  const { send, post } = await threeTimes()
  await post('/streams/links', '2021-05-05T05:05:05.05Z', '$>', 9, '1@s')
  const page = await feed(send, '/streams/links')
  expect([page.updated, page.entries]).toMatchObject([
    '2021-05-05T05:05:05.05Z',
    [{ title: '1@s', updated: '2021-05-05T05:05:05.05Z' }],
  ])
})

it('a feed of messages has the time of the newest, and none where it is empty', async () => {
  const { send } = await threeTimes()
  const settings = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{}' }
  expect((await send({ ...settings, path: '/subscriptions/s/g' })).status).toBe(201)
  const messages = () =>
    feed(send, '/subscriptions/s/g/2', 'application/vnd.eventstore.competingatom+json')
  expect((await messages()).updated).toBe('2020-01-02T00:00:00Z')
  expect((await messages()).updated).toBe('2020-01-03T10:20:30.405Z')
  expect((await messages()).updated).toBe('0001-01-01T00:00:00Z')
})

it('events older than $maxAge are hidden, and pages go by what is left', async () => {
  const { send, post } = await opened()
  const now = Date.now()
  for (const n of [0, 1, 2]) await post('/streams/s', now - 2 * HOUR, 't', n, { n })
  for (const n of [3, 4]) await post('/streams/s', now, 't', n, { n })
  await post('/streams/$$s', now, '$metadata', 9, { $maxAge: 3600 })
  const shown = async (path: string) => {
    const { entries, links } = await feed(send, `/streams/s${path}`)
    const next = links.find(({ relation }) => relation === 'next')?.uri
    return [entries.map(({ title }) => title), next?.replace(/^.*\/streams\/s/, '')]
  }
  expect(await shown('')).toEqual([['4@s', '3@s'], undefined])
  expect(await shown('/head/backward/2')).toEqual([['4@s', '3@s'], '/2/backward/2'])
  expect(await shown('/2/backward/2')).toEqual([[], undefined])
  expect(await shown('/0/forward/4')).toEqual([['3@s'], undefined])
  expect((await get(send, '/streams/s/2')).status).toBe(404)
  expect((await get(send, '/streams/s/3')).status).toBe(200)
  await post('/streams/$$s', now, '$metadata', 10, { $maxAge: 3600, $maxCount: 1 })
  expect(await shown('')).toEqual([['4@s'], undefined])
})

it('a stream whose events are all too old has none, and is still there', async () => {
  const { send, post } = await opened()
  for (const n of [0, 1]) await post('/streams/s', Date.now() - 2 * HOUR, 't', n, {})
  await post('/streams/$$s', Date.now(), '$metadata', 9, { $maxAge: 60 })
  const page = await get(send, '/streams/s', { accept: 'application/json' })
  expect(page.status).toBe(200)
  expect((json(page) as Shown).entries).toEqual([])
  expect((await get(send, '/streams/s/head')).status).toBe(404)
  for (const path of ['/head/backward/1', '/1/backward/1']) {
    const { links } = await feed(send, `/streams/s${path}`)
    expect(links.map(({ relation }) => relation)).toEqual(['self', 'first', 'previous', 'metadata'])
  }
})
