import { describe, expect, test } from 'vitest'
import type { EventHash } from '../../../src/domain/event.ts'
import { appendTo, draft, jsonBody, membersOf, textOf } from '../../support/drafts.ts'
import type { Open } from './open.ts'

const HASH_OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** Made with `{ echo $previous; printf %s "$text"; } | sha256sum`. */
const FIRST = {
  text: '{"eventId":"00000000-0000-4000-8000-000000000001","eventType":"opened","stream":"account-1","version":0,"position":0,"body":{"amount":1.0},"createdBy":"ann@example.org","createdAt":"2020-01-01T00:00:00.000Z","hash":null}',
  hash: 'ba95a89e33e31f4fdc49fc0fe25e25347bc7a0a72180063d7010353e721deda1',
}
const SECOND = {
  text: '{"eventId":"00000000-0000-4000-8000-000000000002","eventType":"renamed","stream":"account-1","version":1,"position":1,"body":"Größe","metadata":{"why":"typo"},"createdBy":"ann@example.org","createdAt":"2020-01-01T00:00:01.500Z","hash":null}',
  hash: 'fa8247ad08ee4c2e75469cb9416cad1070a93ed8d80820135e434cfecbf59796',
}

/** What is stored and hashed, byte by byte. */
export function chainGroup(open: Open): void {
  describe('chain', () => {
    test('an empty log counts 0 events and has the hash of nothing', async () => {
      const { store } = await open()
      expect(await store.log.head()).toEqual({ count: 0, hash: HASH_OF_NOTHING })
      expect(await store.log.read(0)).toBeUndefined()
      expect(await store.log.findHash(HASH_OF_NOTHING as EventHash)).toBeUndefined()
    })

    test('stores the text of each event to the byte and links it to the one before', async () => {
      const { store, clock } = await open()
      const opened = draft(1, { type: 'opened', body: jsonBody('{"amount":1.0}') })
      const renamed = draft(2, {
        type: 'renamed',
        body: jsonBody('"Größe"'),
        metadata: '{"why":"typo"}',
      })
      await store.log.append(appendTo('account-1', [opened]))
      clock.nowMs += 1500
      await store.log.append(appendTo('account-1', [renamed]))

      const first = await store.log.read(0)
      expect(textOf(first)).toBe(FIRST.text)
      expect(first?.hash).toBe(FIRST.hash)
      const second = await store.log.read(1)
      expect(textOf(second)).toBe(SECOND.text)
      expect(second?.hash).toBe(SECOND.hash)
      expect(await store.log.head()).toEqual({ count: 2, hash: SECOND.hash })
    })

    test('an append answers with the events as they are read later', async () => {
      const { store } = await open()
      const { kind, events } = await store.log.append(appendTo('s', [draft(1), draft(2)]))
      expect(kind).toBe('appended')
      expect(events.map((e) => e.position)).toEqual([0, 1])
      for (const event of events) {
        const stored = await store.log.read(event.position)
        expect(stored?.hash).toBe(event.hash)
        expect(textOf(stored)).toBe(textOf(event))
      }
    })

    test('finds an event by its hash and by its id in its stream', async () => {
      const { store } = await open()
      const { events } = await store.log.append(appendTo('s', [draft(1), draft(2)]))
      const [first, second] = events
      expect(await store.log.findHash(first?.hash as EventHash)).toBe(0)
      expect(await store.log.findHash(second?.hash as EventHash)).toBe(1)
      expect(await store.log.findHash('0'.repeat(64) as EventHash)).toBeUndefined()
      const { stream } = appendTo('s', [])
      expect(await store.log.findEventId(stream, draft(2).eventId)).toEqual(await store.log.read(1))
      expect(await store.log.findEventId(stream, draft(3).eventId)).toBeUndefined()
      expect(
        await store.log.findEventId(appendTo('t', []).stream, draft(2).eventId),
      ).toBeUndefined()
    })

    test('the time of events never goes back, whatever the clock does', async () => {
      const { store, clock } = await open()
      for (const [n, nowMs] of [5_000, 1_000, 4_999, 6_000].entries()) {
        clock.nowMs = nowMs
        await store.log.append(appendTo('s', [draft(n)]))
      }
      const times = await Promise.all(
        [0, 1, 2, 3].map(async (at) => membersOf(await store.log.read(at))['createdAt']),
      )
      expect(times).toEqual([
        '1970-01-01T00:00:05.000Z',
        '1970-01-01T00:00:05.000Z',
        '1970-01-01T00:00:05.000Z',
        '1970-01-01T00:00:06.000Z',
      ])
    })

    test('a verification counts the events and tells how far it is', async () => {
      const { store } = await open()
      await store.log.append(appendTo('s', [draft(1), draft(2), draft(3)]))
      let last: [number, number] | undefined
      const report = await store.log.verify((done, total) => {
        last = [done, total]
      })
      expect(report.counts['events']).toBe(3)
      expect(last?.[0]).toBeGreaterThan(0)
      expect(last?.[0]).toBe(last?.[1])
    })
  })
}
