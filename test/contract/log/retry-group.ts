import { describe, expect, test } from 'vitest'
import { EMPTY_HASH, type EventDraft } from '../../../src/domain/event.ts'
import type { AppendOutcome, AppendRequest, Store } from '../../../src/domain/ports.ts'
import { appendTo, bytesBody, draft, jsonBody, textOf } from '../../support/drafts.ts'
import type { Open } from './open.ts'

const STORED = draft(1, { type: 'x', body: jsonBody('{"a":1,"b":[true]}'), metadata: '{"m":1}' })

/** Content that differs from `STORED` in one thing each. */
const OTHERS: Readonly<Record<string, EventDraft>> = {
  'another type': { ...STORED, eventType: draft(1, { type: 'y' }).eventType },
  'another body': { ...STORED, body: jsonBody('{"a":1,"b":[false]}') },
  'a member more': { ...STORED, body: jsonBody('{"a":1,"b":[true],"c":null}') },
  'an array for an object': { ...STORED, body: jsonBody('[1,[true]]') },
  'bytes for JSON': {
    ...STORED,
    body: bytesBody('application/json', Buffer.from('{"a":1,"b":[true]}')),
  },
  'other metadata': draft(1, { body: STORED.body, metadata: '{"m":2}' }),
  'no metadata': { eventId: STORED.eventId, eventType: STORED.eventType, body: STORED.body },
}

/** What is a retry, what is a conflict, and what is a new event. */
export function retryGroup(open: Open): void {
  describe('retry', () => {
    test('the same event again answers with the stored one and adds nothing', async () => {
      const { store, clock } = await open()
      const first = await store.log.append(appendTo('s', [STORED]))
      clock.nowMs += 60_000
      const again = await store.log.append(appendTo('s', [STORED], { createdBy: 'bob' }))
      expect(seen(again)).toEqual({ ...seen(first), kind: 'already-there' })
      expect((await store.log.head()).count).toBe(1)
    })

    test('members in another order are the same content', async () => {
      const { store } = await open()
      await store.log.append(appendTo('s', [STORED]))
      const turned = { ...STORED, body: jsonBody('{"b":[true],"a":1}') }
      expect((await store.log.append(appendTo('s', [turned]))).kind).toBe('already-there')
    })

    for (const [what, other] of Object.entries(OTHERS)) {
      test(`a known id with ${what} is a conflict`, async () => {
        const { store } = await open()
        await store.log.append(appendTo('s', [STORED]))
        await expectConflict(store, appendTo('s', [other]), other)
      })
    }

    test('numbers that only differ beyond double precision are other content', async () => {
      const { store } = await open()
      for (const [n, [stored, sent]] of [
        ['9007199254740993', '9007199254740992'],
        ['1e400', '2e400'],
        ['0.10000000000000000001', '0.1'],
      ].entries()) {
        await store.log.append(appendTo('s', [draft(n, { body: jsonBody(`[${stored}]`) })]))
        const other = draft(n, { body: jsonBody(`[${sent}]`) })
        await expectConflict(store, appendTo('s', [other]), other)
        const same = draft(n, { body: jsonBody(`[${stored}]`) })
        expect((await store.log.append(appendTo('s', [same]))).kind).toBe('already-there')
      }
    })

    test('bytes and the text of their Base64 are other content', async () => {
      const { store } = await open()
      const binary = draft(1, { body: bytesBody('image/png', Buffer.from([0xff, 0xfe])) })
      await store.log.append(appendTo('s', [binary]))
      const text = draft(1, { body: bytesBody('image/png', Buffer.from('//4=')) })
      await expectConflict(store, appendTo('s', [text]), text)
      expect((await store.log.append(appendTo('s', [binary]))).kind).toBe('already-there')
    })

    test('where ids alone count, other content is a retry all the same', async () => {
      const { store } = await open()
      const first = await store.log.append(appendTo('s', [STORED]))
      for (const other of Object.values(OTHERS)) {
        const again = await store.log.append(appendTo('s', [other], { retryRule: 'equal-id' }))
        expect(seen(again)).toEqual({ ...seen(first), kind: 'already-there' })
      }
    })

    test('a whole batch again is a retry', async () => {
      const { store } = await open()
      const first = await store.log.append(appendTo('s', [draft(1), draft(2), draft(3)]))
      const again = await store.log.append(appendTo('s', [draft(1), draft(2), draft(3)]))
      expect(seen(again)).toEqual({ ...seen(first), kind: 'already-there' })
    })

    test('a batch of known and new ids, or of known ids in another order, is a conflict', async () => {
      const { store } = await open()
      await store.log.append(appendTo('s', [draft(1), draft(2)]))
      for (const retryRule of ['equal-content', 'equal-id'] as const) {
        for (const { batch, known } of [
          { batch: [draft(1), draft(3)], known: draft(1) },
          { batch: [draft(3), draft(1)], known: draft(1) },
          { batch: [draft(2), draft(1)], known: draft(2) },
          { batch: [draft(1), draft(1)], known: draft(1) },
        ]) {
          await expectConflict(store, appendTo('s', batch, { retryRule }), known)
        }
      }
    })

    test('a retry beats a stale version and a stale head', async () => {
      const { store } = await open()
      const request = appendTo('s', [STORED], {
        expectedVersion: { kind: 'no-stream' },
        expectedHead: EMPTY_HASH,
      })
      await store.log.append(request)
      await store.log.append(appendTo('s', [draft(2)]))
      expect((await store.log.append(request)).kind).toBe('already-there')
    })

    test('the same id in another stream is a new event', async () => {
      const { store } = await open()
      await store.log.append(appendTo('s', [STORED]))
      const { kind, events } = await store.log.append(appendTo('t', [STORED]))
      expect([kind, events[0]?.position]).toEqual(['appended', 1])
      const { stream } = appendTo('t', [])
      expect((await store.log.findEventId(stream, STORED.eventId))?.position).toBe(1)
    })

    test('the same id twice in a new batch is a conflict', async () => {
      const { store } = await open()
      await expectConflict(store, appendTo('s', [draft(1), draft(2), draft(1)]), draft(1))
      expect((await store.log.head()).count).toBe(0)
    })
  })
}

/** What of an outcome can be compared, whatever kind of array holds the bytes. */
const seen = ({ kind, events }: AppendOutcome) => ({
  kind,
  events: events.map((event) => [event.position, event.hash, textOf(event)]),
})

async function expectConflict(
  store: Store,
  request: AppendRequest,
  { eventId }: EventDraft,
): Promise<void> {
  const head = await store.log.head()
  await expect(store.log.append(request)).rejects.toMatchObject({
    code: 'event-id-conflict',
    facts: { eventId },
  })
  expect(await store.log.head()).toEqual(head)
}
