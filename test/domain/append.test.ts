import { describe, expect, test } from 'vitest'
import { decideAppend, type LogView } from '../../src/domain/append.ts'
import { EMPTY_HASH, type EventDraft, type EventHash, eventText } from '../../src/domain/event.ts'
import type { ExpectedVersion } from '../../src/domain/ports.ts'
import { appendTo, draft, jsonBody } from '../support/drafts.ts'

const HEAD = '1'.repeat(64) as EventHash

/** A log whose stream `s` holds these events and whose head is `HEAD`. */
function viewOf(...drafts: readonly EventDraft[]): LogView {
  const { stream } = appendTo('s', [])
  const events = drafts.map((stored, position) => {
    const place = { stream, version: position, position, createdBy: 'x', createdAtMs: 0 }
    return { position, hash: HEAD, json: Buffer.from(eventText(stored, place)) }
  })
  return {
    head: { count: events.length, hash: events.length > 0 ? HEAD : EMPTY_HASH },
    streamState: () => ({ isDeleted: false }),
    lastVersion: (name) => (name === stream ? events.length - 1 : -1),
    find: (name, id) =>
      name === stream ? events[drafts.findIndex(({ eventId }) => eventId === id)] : undefined,
  }
}

const refusal = (code: string, facts: object) => expect.objectContaining({ code, facts })

/** Refusals come as rejections, whether or not the view answers at once. */
const decide = async (...words: Parameters<typeof decideAppend>) => decideAppend(...words)

describe('decision on an append', () => {
  test('versions go on behind the last one', async () => {
    const request = appendTo('s', [draft(3), draft(4)])
    expect(await decide(viewOf(), request)).toEqual({ kind: 'append', firstVersion: 0 })
    expect(await decide(viewOf(draft(1), draft(2)), request)).toEqual({
      kind: 'append',
      firstVersion: 2,
    })
  })

  test.each<[ExpectedVersion, number]>([
    [{ kind: 'no-stream' }, 1],
    [{ kind: 'stream-exists' }, 0],
    [{ kind: 'version', version: 0 }, 0],
    [{ kind: 'version', version: 1 }, 1],
    [{ kind: 'version', version: -1 }, 1],
  ])('%j is refused by a stream of %i events', async (expectedVersion, count) => {
    const view = viewOf(...[draft(1)].slice(0, count))
    await expect(decide(view, appendTo('s', [draft(3)], { expectedVersion }))).rejects.toEqual(
      refusal('wrong-expected-version', { current: count - 1 }),
    )
  })

  test('a stale head is told before a wrong version', async () => {
    const request = appendTo('s', [draft(3)], {
      expectedHead: EMPTY_HASH,
      expectedVersion: { kind: 'no-stream' },
    })
    await expect(decide(viewOf(draft(1)), request)).rejects.toEqual(
      refusal('head-mismatch', { expected: EMPTY_HASH, head: HEAD }),
    )
  })

  test('a retry is told before a stale head and a wrong version', async () => {
    const view = viewOf(draft(1), draft(2))
    const decision = await decide(
      view,
      appendTo('s', [draft(1), draft(2)], {
        expectedHead: EMPTY_HASH,
        expectedVersion: { kind: 'no-stream' },
      }),
    )
    expect(decision.kind === 'already-there' && decision.events.map((e) => e.position)).toEqual([
      0, 1,
    ])
  })

  test('a conflict is told before a stale head', async () => {
    const other = draft(1, { body: jsonBody('2') })
    const request = appendTo('s', [other], { expectedHead: EMPTY_HASH })
    await expect(decide(viewOf(draft(1)), request)).rejects.toEqual(
      refusal('event-id-conflict', { eventId: other.eventId }),
    )
  })

  test('a view that answers later decides the same', async () => {
    const { head, lastVersion, find } = viewOf(draft(1))
    const slow: LogView = {
      head,
      streamState: async () => ({ isDeleted: false }),
      lastVersion: async (stream) => lastVersion(stream),
      find: async (stream, id) => find(stream, id),
    }
    expect((await decide(slow, appendTo('s', [draft(1)]))).kind).toBe('already-there')
    expect(await decide(slow, appendTo('s', [draft(2)]))).toEqual({
      kind: 'append',
      firstVersion: 1,
    })
  })
})
