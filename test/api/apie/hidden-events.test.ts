/** `GET /events` for an account from which some streams are hidden: pages, tags, and bounds. */
import { describe, expect, it } from 'vitest'
import type { Store } from '../../../src/domain/ports.ts'
import { engines } from '../../contract/engines.ts'
import {
  append,
  basic,
  type CorpusAnswer,
  type EventJson,
  expectError,
  get,
  hashesOf,
  json,
  putEvent,
  type Send,
  signedIn,
} from '../../gateway/corpus-request.ts'
import { appendTo, draft, jsonBody } from '../../support/drafts.ts'
import { verifiedStores } from '../../support/store.ts'
import { chosen, testAccounts } from '../../support/test-accounts.ts'
import { openTestApp } from '../../support/test-app.ts'

let nextId = 1_000_000

/** Lets only these roles read the stream, and only admins what it says about itself. */
async function letRead({ log }: Store, stream: string, roles: readonly string[]): Promise<void> {
  const body = jsonBody(JSON.stringify({ $acl: { $r: roles, $mr: ['$admins'] } }))
  await log.append(appendTo(`$$${stream}`, [draft(nextId++, { type: '$metadata', body })]))
}

const write = async (send: Send, stream: string, count = 1): Promise<string[]> =>
  (await append(send, count, { stream })).map(({ hash }) => hash)

const tagOf = ({ headers }: CorpusAnswer): string => headers['etag'] ?? ''

describe.each(engines)('on engine $name', (engine) => {
  const openStore = verifiedStores(engine)

  /** `hidden` is closed to the writer, and so are streams of the system. */
  async function open() {
    const { store, clock } = await openStore()
    clock.nowMs = Date.now()
    const { send } = await openTestApp({ store })
    const { accounts } = testAccounts({ records: store.records })
    await accounts.add({ name: 'writer', role: 'writer', password: chosen('w') })
    await letRead(store, 'hidden', ['$admins'])
    const writer: Send = (request) =>
      send({ ...request, headers: { ...basic('writer', 'w'), ...request.headers } })
    return { admin: signedIn(send), writer, store, accounts }
  }

  describe('a page for an account that may not read every stream', () => {
    it.each(['', '&type=t'])('is never empty before the end of the log (%s)', async (filter) => {
      const { admin, writer } = await open()
      const shown = await write(admin, 'open')
      await write(admin, 'hidden', 40)
      shown.push(...(await write(admin, 'open', 3)))
      const polled: string[] = []
      for (let page = ['']; page.length > 0; ) {
        const after = polled.length > 0 ? `&after=${polled.at(-1)}` : ''
        page = await hashesOf(writer, `/events?limit=2${after}${filter}`)
        polled.push(...page)
      }
      expect(polled).toEqual(shown)
      const newest = await hashesOf(writer, `/events?limit=2&order=desc${filter}`)
      expect(newest).toEqual(shown.slice(-2).reverse())
      const older = `/events?limit=2&order=desc&before=${newest[1]}${filter}`
      expect(await hashesOf(writer, older)).toEqual(shown.slice(0, 2).reverse())
    })
  })

  describe('a large page for an account that may not read every stream', () => {
    it.each(['', '&type=t'])('comes whole (%s)', async (filter) => {
      const { admin, writer } = await open()
      const body = 'x'.repeat(200_000)
      const shown: string[] = []
      for (let n = 0; n < 8; n++) {
        await append(admin, 1, { stream: 'hidden', body })
        shown.push(...(await append(admin, 1, { stream: 'open', body })).map(({ hash }) => hash))
      }
      expect(await hashesOf(writer, `/events?limit=7${filter}`)).toEqual(shown.slice(0, 7))
      expect(await hashesOf(writer, `/events?limit=100${filter}`)).toEqual(shown)
      const newest = await hashesOf(writer, `/events?limit=7&order=desc${filter}`)
      expect(newest).toEqual(shown.slice(1).reverse())
    })
  })

  describe('the tag of a list for an account that may not read every stream', () => {
    it('names the last event that it is shown', async () => {
      const { admin, writer } = await open()
      const [first, second] = await write(admin, 'open', 2)
      const [hidden] = await write(admin, 'hidden', 3)
      for (const query of ['', '?limit=3', '?order=desc', '?order=desc&limit=1', '?type=t']) {
        for (const method of ['GET', 'HEAD']) {
          const { headers } = await writer({ method, path: '/events', query: query.slice(1) })
          expect([query, headers['x-apie-hash']]).toEqual([query, second])
          expect(headers['etag']).toContain(second)
        }
      }
      expect((await get(writer, '/events?limit=1')).headers['x-apie-hash']).toBe(first)
      expect((await get(writer, '/events?stream=open')).headers['etag']).toBe(`"${second}"`)
      expect((await get(admin, `/events?to=${hidden}`)).headers['etag']).toBe(`"${hidden}"`)
    })

    it('is missing where it is shown nothing', async () => {
      const { admin, writer } = await open()
      const [last] = await write(admin, 'open')
      await write(admin, 'hidden', 3)
      const queries = ['stream=hidden', 'stream=hidden&type=t', `after=${last}`, 'type=$metadata']
      for (const query of queries) {
        for (const limit of ['', '&limit=2', '&order=desc']) {
          const answer = await get(writer, `/events?${query}${limit}`)
          expect([query, answer.status, json(answer)]).toEqual([query, 200, []])
          expect(answer.headers).not.toHaveProperty('etag')
          expect(answer.headers).not.toHaveProperty('x-apie-hash')
        }
      }
    })

    it('changes when a stream is closed or opened to it', async () => {
      const { admin, writer, store, accounts } = await open()
      const [first] = await write(admin, 'open')
      await write(admin, 'hidden')
      const [last] = await write(admin, 'open')
      const path = `/events?from=${first}&to=${last}`
      const again = (answer: CorpusAnswer) => get(writer, path, { 'if-none-match': tagOf(answer) })
      const before = await get(writer, path)
      expect([json(before), (await again(before)).status]).toMatchObject([[{}, {}], 304])
      await letRead(store, 'hidden', ['$all'])
      const opened = await again(before)
      expect([opened.status, json(opened)]).toMatchObject([200, [{}, {}, {}]])
      await letRead(store, 'hidden', ['team'])
      const closed = await again(opened)
      expect([closed.status, json(closed)]).toMatchObject([200, [{}, {}]])
      await accounts.describe('writer', { fullName: '', groups: ['team'] })
      const joined = await again(closed)
      expect([joined.status, json(joined)]).toMatchObject([200, [{}, {}, {}]])
      const tags = [before, opened, closed, joined].map(tagOf)
      expect(new Set(tags).size).toBe(4)
      // The hash of the last event says nothing of those before it.
      expect((await get(writer, path, { 'if-none-match': `"${last}"` })).status).toBe(200)
      const ofStream = await get(writer, '/events?stream=open', { 'if-none-match': `"${last}"` })
      expect(ofStream.status).toBe(304)
    })

    it('can be sent as the head that an append expects', async () => {
      const { admin, writer } = await open()
      await write(admin, 'open')
      const lines = { accept: 'application/x-ndjson' }
      const tag = tagOf(await get(writer, '/events', lines))
      const match = { 'if-match': `"${'0'.repeat(64)}", ${tag}` }
      expect((await putEvent(writer, { eventType: 't', body: 1 }, match)).status).toBe(200)
      expectError(
        await putEvent(writer, { eventType: 't', body: 1 }, { 'if-match': tag }),
        412,
        'head-mismatch',
      )
    })
  })

  describe('a bound that an account may not read', () => {
    it('is answered like the hash of no event', async () => {
      const { admin, writer } = await open()
      await write(admin, 'open')
      const [hidden = ''] = await write(admin, 'hidden')
      const none = '0'.repeat(64)
      for (const name of ['from', 'to', 'after', 'before']) {
        const answer = await get(writer, `/events?${name}=${hidden}`)
        expectError(answer, 404, 'event-not-found', { hash: hidden })
        const other = await get(writer, `/events?${name}=${none}`)
        expect(answer.body.toString()).toBe(other.body.toString().replace(none, hidden))
        expect((await get(admin, `/events?${name}=${hidden}`)).status).toBe(200)
      }
    })

    it('was one while it could be read', async () => {
      const { admin, writer, store } = await open()
      const [seen] = await write(admin, 'open')
      const [next] = await write(admin, 'other')
      expect(await hashesOf(writer, `/events?after=${seen}`)).toEqual([next])
      await letRead(store, 'open', ['$admins'])
      expectError(await get(writer, `/events?after=${seen}`), 404, 'event-not-found')
    })
  })

  describe('the tag of an event', () => {
    it('is another one once its body was removed', async () => {
      const { admin, store } = await open()
      const [event] = (await append(admin, 1)) as [EventJson]
      const path = `/events/${event.hash}`
      const whole = await get(admin, path)
      expect(tagOf(whole)).toBe(`"${event.hash}"`)
      await store.log.scavenge(() => true)
      for (const asked of [path, `/events?from=${event.hash}`]) {
        const left = await get(admin, asked, { 'if-none-match': tagOf(whole) })
        expect([asked, left.status]).toEqual([asked, 200])
        expect(left.headers).toMatchObject({
          etag: `"${event.hash}-scavenged"`,
          'x-apie-hash': event.hash,
        })
        const again = await get(admin, asked, { 'if-none-match': tagOf(left) })
        expect([asked, again.status]).toEqual([asked, 304])
      }
    })
  })
})
